"""``python -m autograder``: release, data, calibrate, report, isolation."""

import gc
import sys

from autograder.cli import main

if __name__ == "__main__":
    code = main(sys.argv[1:])
    gc.freeze()  # the system takes everything back at once; looking through it for garbage first takes half a second
    sys.exit(code)
