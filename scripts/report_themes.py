"""The command `complaintnlp report`, for people who run scripts: `python scripts/report_themes.py --help`."""

import sys

from complaintnlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["report", *sys.argv[1:]]))
