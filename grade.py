"""Grades submissions: ``python grade.py --submission DIR``. A thin door into `autograder.cli`."""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a batch system's end is as orderly as Control-C
    try:
        from autograder.cli import grade_main
    except ModuleNotFoundError as problem:
        print(f"grade.py: {problem.name} is not installed: pip install -r requirements.lock", file=sys.stderr)
        sys.exit(2)
    sys.exit(grade_main(sys.argv[1:]))
