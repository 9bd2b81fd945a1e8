"""Grades a class: every folder and archive in a directory, one result each and a summary for all."""

from __future__ import annotations

import csv
import io
import traceback
from collections.abc import Callable
from pathlib import Path

from autograder.experiments import DataUnavailable
from autograder.grading import Grader
from autograder.intake import HandIn, IntakeError
from autograder.judge.contestant import ContestantsUnavailable
from autograder.marks import MarksError
from autograder.results import CLASS_REPORT, SUMMARY, Result, write_atomically

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
FAULT = "grader-fault.txt"
RESERVED = (SUMMARY, FAULT, CLASS_REPORT)
"""What is written beside the results of a class; no result may lie there."""


class ClassFault(Exception):
    """Some hand-ins could not be graded, by the grader's own fault; all others were."""


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

    A hand-in that cannot be taken costs its owner the points and nobody else anything; one that the grader breaks at
    costs nobody anything: its row says so, its folder has the details, and the others are graded.

    Args:
        directory: with the hand-ins.
        out: where results go.
        grader: grades one.
        resume: keep the result of a hand-in that has one of this kit, for the same bytes and the same options.
        on_result: called with the hand-in's name and its result, or None and why there is none.

    Raises:
        IntakeError: it is no directory, or nothing is in it.
        ContestantsUnavailable: this machine cannot lock a contestant away.
        DataUnavailable: the images asked for are not there.
        MarksError: at the end, if the marks of a student contradict each other; that one is not graded.
        ClassFault: at the end, if the grader broke at any of them.
    """
    results: list[Result] = []
    rows: list[dict[str, object]] = []
    broken: list[str] = []
    unclear: list[str] = []
    for path in hand_ins(directory):
        folder = out / path.name
        row: dict[str, object] = {"hand_in": path.name}
        try:
            hand_in = _taken(path, grader)
            result = grader.resumed(hand_in, folder) if resume else None
            result = result or grader.grade(hand_in, folder)
            results.append(result)
            row = _row(path.name, result)
            on_result(path.name, result, "")
        except IntakeError as problem:
            row |= {"score": 0, "problem": str(problem)}
            on_result(path.name, None, str(problem))
        except MarksError as problem:
            unclear.append(path.name)
            row["problem"] = str(problem)
            on_result(path.name, None, str(problem))
        except (ContestantsUnavailable, DataUnavailable):
            raise
        except Exception as problem:
            broken.append(path.name)
            row["problem"] = f"the grader's own fault: {type(problem).__name__}: {problem}"
            write_atomically(folder / FAULT, traceback.format_exc().encode("utf-8", "backslashreplace"))
            on_result(path.name, None, f"{row['problem']}; the details are in {folder / FAULT}")
        rows.append(row)
        write_atomically(out / SUMMARY, _csv(rows, grader))
    if broken:
        raise ClassFault(f"{len(broken)} of {len(rows)} hand-ins could not be graded: {', '.join(broken)}")
    if unclear:
        raise MarksError(f"{len(unclear)} of {len(rows)} hand-ins not graded for their marks: {', '.join(unclear)}")
    return results


def _taken(path: Path, grader: Grader) -> HandIn:
    """Takes a hand-in of a class, where nobody chose each one's name and kind by hand.

    Raises:
        IntakeError: it cannot be taken.
    """
    if path.is_symlink():
        raise IntakeError(f"{path}: a link, which could lead to another's work; put the hand-in itself there")
    if path.name in RESERVED:
        raise IntakeError(f"{path}: called as a file of the whole class is; give it another name")
    return grader.take_in(path)


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
