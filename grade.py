"""Grades submissions: ``python grade.py --submission DIR``. A thin door into `autograder.cli`."""

import signal
import sys

from autograder.stopping import stop_by

if __name__ == "__main__":
    # A batch system's end is as orderly as Control-C.
    stop_by(signal.SIGINT, signal.SIGTERM, raising=KeyboardInterrupt)
    try:
        from autograder.cli import grade_main
    except ModuleNotFoundError as problem:
        print(f"grade.py: {problem.name} is not installed: pip install -r requirements.lock", file=sys.stderr)
        sys.exit(2)
    sys.exit(grade_main(sys.argv[1:]))
