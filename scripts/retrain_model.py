"""The command `complaintnlp retrain`, for people who run scripts: `python scripts/retrain_model.py --help`."""

import sys

from complaintnlp.cli import main

if __name__ == "__main__":
    sys.exit(main(["retrain", *sys.argv[1:]]))
