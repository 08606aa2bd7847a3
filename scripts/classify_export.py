"""The command `complaintnlp classify`, for people who run scripts: `python scripts/classify_export.py --help`."""

import sys

from complaintnlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["classify", *sys.argv[1:]]))
