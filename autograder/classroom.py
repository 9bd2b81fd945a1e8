"""Grades a class: every folder and archive in a directory, one result each and a summary for all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from autograder import __version__
from autograder.grading import Grader
from autograder.intake import IntakeError
from autograder.results import Result, read_result, write_atomically

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
SUMMARY = "summary.csv"


def hand_ins(directory: Path) -> list[Path]:
    """The hand-ins of a class: the folders and archives in a directory, by name.

    Raises:
        IntakeError: it is no directory, or none is in it.
    """
    if not directory.is_dir():
        raise IntakeError(f"{directory}: there is no such folder")
    found = sorted(
        path
        for path in directory.iterdir()
        if not path.name.startswith(".") and (path.is_dir() or path.name.lower().endswith(ARCHIVES))
    )
    if not found:
        raise IntakeError(f"{directory}: no folder and no archive is in it; each hand-in is one of them")
    return found


def grade_class(
    directory: Path,
    out: Path,
    grader: Grader,
    *,
    resume: bool,
    on_result: Callable[[str, Result | None, str], None],
) -> list[Result]:
    """Grades every hand-in to ``out/<its name>`` and writes ``out/summary.csv`` after each.

    A hand-in that cannot be taken costs its owner the points and nobody else anything.

    Args:
        directory: with the hand-ins.
        out: where results go.
        grader: grades one.
        resume: keep the result of a hand-in that has one of this kit, for the same bytes and the same options.
        on_result: called with the hand-in's name and its result, or None and why there is none.
    """
    results: list[Result] = []
    rows: list[dict[str, object]] = []
    for path in hand_ins(directory):
        folder = out / path.name
        try:
            hand_in = grader.take_in(path)
        except IntakeError as problem:
            rows.append({"hand_in": path.name, "score": 0, "problem": str(problem)})
            on_result(path.name, None, str(problem))
        else:
            result = _earlier(folder, hand_in.sha256, grader) if resume else None
            result = result or grader.grade(hand_in, folder)
            results.append(result)
            rows.append(_row(path.name, result))
            on_result(path.name, result, "")
        write_atomically(out / SUMMARY, _csv(rows, grader))
    return results


def _earlier(folder: Path, sha256: str, grader: Grader) -> Result | None:
    try:
        result = read_result(folder)
    except (FileNotFoundError, ValueError):
        return None
    same = result.submission.sha256 == sha256 and result.kit_version == __version__
    same = same and result.profile == grader.options.profile and result.seed == grader.assignment.seed
    wanted = {line.id for line in grader.assignment.lines if grader.options.admits(line)}
    return result if same and not result.faults and {c.id for c in result.criteria} == wanted else None


def _row(name: str, result: Result) -> dict[str, object]:
    row: dict[str, object] = {
        "hand_in": name,
        "name": result.student.name,
        "number": result.student.number,
        "score": result.score,
        "max_score": result.max_score,
        "pending": result.pending,
        "faults": len(result.faults),
    }
    return row | {criterion.id: criterion.points for criterion in result.criteria}


def _csv(rows: list[dict[str, object]], grader: Grader) -> bytes:
    fixed = ["hand_in", "name", "number", "score", "max_score", "pending", "faults", "problem"]
    columns = fixed + [line.id for line in grader.assignment.lines if grader.options.admits(line)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows({column: _inert(value) for column, value in row.items()} for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "backslashreplace")  # with a BOM Excel reads Persian


def _inert(value: object) -> object:
    """A spreadsheet runs a cell that begins like a formula; an apostrophe before it makes it text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
