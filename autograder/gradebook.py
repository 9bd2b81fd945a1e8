"""nbgrader's gradebook: humans' marks come out of it, the judge's points go into it, and both show one total.

A cell that a human marks belongs to the criterion whose id ends in ``.`` and the cell's own (``grade_id``). The
judge's points go into the task cell `AUTOMATIC` of one of the notebooks, which nbgrader itself never grades.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SAWarning, SQLAlchemyError

from autograder.assignment import Assignment, AssignmentError, load
from autograder.marks import Mark, MarksError, key, keys
from autograder.results import Result, read_result, score

AUTOMATIC = "automatic"
SQLITE = "sqlite:///"
WRITTEN, CALLER = 0, 2


@contextmanager
def _opened(source: str) -> Iterator[Any]:
    """nbgrader's own view of the database at a path or URL.

    Raises:
        MarksError: there is none, or it cannot be read.
    """
    from nbgrader.api import Gradebook, InvalidEntry, MissingEntry

    url = source if "://" in source else f"{SQLITE}{Path(source).absolute()}"
    if url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).is_file():  # it would be made, and be empty
        raise MarksError(f"{source}: there is no such gradebook; `nbgrader autograde` makes one")
    # nbgrader looks for alembic by name, which is beside Python where a virtual environment was not activated.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)
            with Gradebook(url) as gradebook:
                yield gradebook
    except (SQLAlchemyError, InvalidEntry, MissingEntry) as problem:
        words = str(problem).splitlines() or [type(problem).__name__]
        raise MarksError(f"{source}: {words[0]}") from problem


def read(source: str, assignment: Assignment) -> list[Mark]:
    """The marks of a gradebook: of every cell that was marked, and of those that nbgrader found unanswered.

    A cell that still needs a human (or needs one again, since it was autograded anew) has none.

    Raises:
        MarksError: there is no gradebook, the assignment is not in it, or a cell has other points than its criterion.
    """
    lines = {line.cell: line for line in assignment.lines if line.kind == "manual"}
    marks = []
    with _opened(source) as gradebook:
        for submission in gradebook.assignment_submissions(assignment.name):
            for notebook in submission.notebooks:
                comments = {comment.cell_id: comment.comment or "" for comment in notebook.comments}
                for grade in notebook.grades:
                    line = lines.get(grade.cell.name)
                    if line is None or grade.needs_manual_grade:
                        continue
                    if grade.manual_score is None and grade.auto_score is None:
                        continue
                    if grade.cell.max_score != line.points:
                        raise MarksError(
                            f"{source}: cell {grade.cell.name} has {grade.cell.max_score:g} points there and "
                            f"{line.points:g} in the rubric; make them agree, then nbgrader generate_assignment"
                        )
                    where = f"{source}, notebook {notebook.name}"
                    told = _comment(comments, notebook, grade.cell.name)
                    marks.append(Mark(submission.student.id, line.id, float(grade.score), told, where))
    return marks


def _comment(comments: dict[str, str], notebook: Any, cell: str) -> str:
    """A marker's comment on a cell: nbgrader keeps it with the cell's other self, the solution cell."""
    for comment in notebook.comments:
        if comment.cell.name == cell:
            return comments[comment.cell_id]
    return ""


def write(source: str, assignment: Assignment, results: dict[str, Result]) -> list[str]:
    """Writes the judge's points of each result into a gradebook.

    Args:
        source: path or URL.
        assignment: of the results.
        results: by the hand-in's name.

    Returns:
        The hand-ins that the gradebook has no submission of.

    Raises:
        MarksError: there is no gradebook, or it has no cell for these points.
    """
    unknown = []
    automatic = sum(line.points for line in assignment.lines if line.kind != "manual" and not line.bonus)
    with _opened(source) as gradebook:
        by_student = {key(s.student.id): s for s in gradebook.assignment_submissions(assignment.name)}
        for name, result in results.items():
            found = {k: by_student[k] for k in keys(name, result.student.number) if k in by_student}
            if not found:
                unknown.append(name)
                continue
            if len({submission.student.id for submission in found.values()}) > 1:
                raise MarksError(f"{name}: the gradebook has two students of that hand-in, {' and '.join(found)}")
            _enter(next(iter(found.values())), result, automatic, source)
        gradebook.db.commit()
    return unknown


def _enter(submission: Any, result: Result, automatic: float, source: str) -> None:
    judged = [criterion for criterion in result.criteria if criterion.kind != "manual"]
    if sum(criterion.max_points for criterion in judged if not criterion.bonus) != automatic:
        raise MarksError(f"{result.submission.path}: only a part of it was graded; grade it without --only")
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            if grade.cell.name != AUTOMATIC:
                continue
            if grade.cell.max_score != automatic:
                raise MarksError(
                    f"{source}: cell {AUTOMATIC} has {grade.cell.max_score:g} points, the judge gives {automatic:g}; "
                    "make them agree, then nbgrader generate_assignment"
                )
            grade.manual_score = score(judged)
            grade.needs_manual_grade = any(criterion.status == "pending" for criterion in judged)
            for comment in notebook.comments:
                if comment.cell.name == AUTOMATIC:
                    comment.manual_comment = _points_lost(result)
            return
    raise MarksError(f"{source}: no cell {AUTOMATIC} in it; nbgrader generate_assignment makes one")


def _points_lost(result: Result) -> str:
    lines = [
        f"{c.id}: {c.points:g}/{c.max_points:g}"
        for c in result.criteria
        if c.kind != "manual" and c.points < c.max_points and not c.bonus
    ]
    return "\n\n".join(lines)


def add_parser(doors: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``gradebook`` to a command."""
    parser = doors.add_parser("gradebook", help="write the judge's points into nbgrader's gradebook")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a result's folder, or that of a class")
    parser.add_argument("--db", default="gradebook.db", help="nbgrader's database: a path or a URL (%(default)s)")
    parser.add_argument("--assignment", default="hw1")
    parser.set_defaults(run=main)


def main(arguments: argparse.Namespace) -> int:
    """Writes what the results in a folder hold; 0, or 2 for the caller's mistake, in a line."""
    folder: Path = arguments.folder
    found = (
        [folder] if (folder / "results.json").is_file() else sorted(p.parent for p in folder.glob("*/results.json"))
    )
    try:
        if not found:
            raise MarksError(f"{folder}: no results.json in it; grade.py writes them")
        results = {Path(result.submission.path).name: result for result in map(read_result, found)}
        unknown = write(arguments.db, load(arguments.assignment), results)
    except (MarksError, AssignmentError, ValueError) as problem:
        print(f"gradebook: {str(problem).splitlines()[0]}", file=sys.stderr)
        return CALLER
    print(f"{arguments.db}: the judge's points of {len(results) - len(unknown)} of {len(results)} hand-ins")
    if unknown:
        print(f"gradebook: no submission of {', '.join(unknown)} in it; first nbgrader autograde", file=sys.stderr)
        return CALLER
    return WRITTEN
