"""nbgrader's settings: its own commands, run in this folder, work on the kit's folders.

nbgrader logs what goes wrong in this file, and goes on with settings of its own, which run students' notebooks with
all of the teacher's rights: so whatever goes wrong here ends the command.
"""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # nbgrader's command does not look for modules here
# It looks for alembic by name, which is beside Python where a virtual environment was not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

try:
    from nbconvert.preprocessors import ClearMetadataPreprocessor
    from nbconvert.preprocessors.sanitize import SanitizeHTML
    from nbgrader.preprocessors import (
        AssignLatePenalties,
        CheckCellMetadata,
        IgnorePattern,
        LimitOutput,
        SaveAutoGrades,
    )

    from autograder.assignment import load
    from autograder.notebooks import ConfinedExecute

    ASSIGNMENTS = [load(path.parents[1].name, ROOT / "solutions") for path in ROOT.glob("solutions/*/grading/*.toml")]
except Exception as problem:
    sys.exit(f"nbgrader_config.py: {problem}")


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
c.CourseDirectory.ignore = [
    *(".ipynb_checkpoints", "*.pyc", "__pycache__", ".pytest_cache", "feedback"),
    *("grading", "corpus"),  # the course's alone
]

c.GenerateAssignment.force = True  # what lies in assignment/ is made by this, and nothing else
c.GenerateAssignment.post_convert_hook = finish_release

# nbgrader puts the course's own file in place of every other: of a stub its solution, of a run its own.
c.Autograde.exclude_overwriting = {
    assignment.name: [
        *sorted({f"{module}.py" for module in assignment.stubs.values()}),
        "student.toml",
        *(str(path.relative_to(assignment.folder)) for path in assignment.folder.glob("results/**/*")),
    ]
    for assignment in ASSIGNMENTS
}
# `nbgrader zip_collect` takes what students' pack.py makes: hw1-<number>.zip, put into downloaded/hw1/archive.
c.FileNameCollectorPlugin.named_regexp = (
    r".*[/\\](?:[A-Za-z0-9]+-)?(?P<student_id>[^/\\]+)[/\\]hw\d+[/\\](?P<file_id>.+)"
)
c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".py", ".toml", ".npz"]

c.Autograde.autograde_preprocessors = [
    ConfinedExecute,  # in place of nbgrader's Execute
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    SanitizeHTML,
    CheckCellMetadata,
]
c.SanitizeHTML.enabled = True  # HTML in a student's Markdown would run in the marker's browser
