"""nbgrader's settings: its own commands, run in this folder, work on the kit's folders."""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # nbgrader's command does not look for modules here


def finish_release(assignment: str, student: str, notebooks: list[str]) -> None:
    """Called after `nbgrader generate_assignment`, which clears notebooks but copies Python files as they are."""
    from autograder.release import ReleaseError, release

    target = ROOT / "assignment" / assignment
    try:
        release(ROOT / "solutions" / assignment, target)
    except ReleaseError as error:
        shutil.rmtree(target)  # it holds solutions
        sys.exit(f"release: {error}")  # nbgrader would only log an exception, and go on


c = get_config()  # type: ignore[name-defined]  # noqa: F821 (given by whoever loads this file)

c.CourseDirectory.course_id = "trustworthy-ai"
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignment"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".pytest_cache", "feedback", "grading"]

c.GenerateAssignment.post_convert_hook = finish_release
