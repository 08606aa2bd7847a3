"""`python -m complaintnlp`, the same as the command `complaintnlp`."""

import sys

from complaintnlp.cli import main

if __name__ == "__main__":
    sys.exit(main())
