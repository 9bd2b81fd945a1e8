"""``python -m autograder``: release, data, calibrate, report, isolation."""

import sys

from autograder.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
