"""Marks that a human gives for the criteria of kind "manual": read, checked, and put into a `Result`.

They come from nbgrader's gradebook (`autograder.gradebook`) or from a simple file. What contradicts itself is told
and never guessed at. Marks are kept in ``results.json``: who grades again, with none at hand, keeps those.

A CSV file has a header and the columns ``student``, ``criterion``, ``points`` and, if wanted, ``comment``; a TOML
file has the same in entries ``[[marks]]``. ``student`` is a student's number, or the name of the hand-in.
"""

from __future__ import annotations

import csv
import io
import math
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment, Line
from autograder.results import Criterion, Result, Text, score

ARCHIVE_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz")
MAX_COMMENT = 4000


class MarksError(Exception):
    """The marks cannot be used; one line that says which and why."""


@dataclass(frozen=True)
class Mark:
    """What a human gave ``student`` for ``criterion``; ``where`` is the place that it stands at."""

    student: str
    criterion: str
    points: float
    comment: str = ""
    where: str = ""


class Marks:
    """The marks of a class, checked against the rubric.

    Args:
        marks: as they were read.
        assignment: whose manual criteria they are for.

    Raises:
        MarksError: a criterion is not one that a human marks, points lie outside of [0, its maximum], or a student
            has two different marks for one criterion.
    """

    def __init__(self, marks: Iterable[Mark], assignment: Assignment) -> None:
        self.lines = {line.id: line for line in assignment.lines if line.kind == "manual"}
        self.by_student: dict[str, dict[str, Mark]] = {}
        self.used: set[str] = set()
        for mark in marks:
            self._check(mark, assignment)
            mine = self.by_student.setdefault(key(mark.student), {})
            other = mine.setdefault(mark.criterion, mark)
            if (other.points, other.comment) != (mark.points, mark.comment):
                raise MarksError(_conflict(other, mark))

    def _check(self, mark: Mark, assignment: Assignment) -> None:
        line = self.lines.get(mark.criterion)
        if line is None:
            judged = mark.criterion in {line.id for line in assignment.lines}
            why = "is judged, not marked by a human" if judged else "is no criterion"
            raise MarksError(f"{mark.where}: {mark.criterion!r} {why}; there are {', '.join(self.lines) or 'none'}")
        if not 0 <= mark.points <= line.points:  # and not if it is no number
            raise MarksError(f"{mark.where}: {mark.points:g} points for {line.id}, which has 0 to {line.points:g}")

    def of(self, hand_in: str, number: str) -> dict[str, Mark]:
        """A student's marks by criterion; they may stand under the hand-in's name and under the student's number.

        Args:
            hand_in: the name of the folder or archive.
            number: the student's, or "".

        Raises:
            MarksError: the two differ.
        """
        found: dict[str, Mark] = {}
        for student in keys(hand_in, number):
            if student not in self.by_student:
                continue
            self.used.add(student)
            for criterion, mark in self.by_student[student].items():
                other = found.setdefault(criterion, mark)
                if (other.points, other.comment) != (mark.points, mark.comment):
                    raise MarksError(_conflict(other, mark))
        return found

    @property
    def unused(self) -> list[str]:
        """The students whose marks nobody has asked for."""
        return sorted(set(self.by_student) - self.used)


def _conflict(one: Mark, other: Mark) -> str:
    who = one.student if one.student == other.student else f"{one.student} and {other.student}, who are one"
    return (
        f"{who}: two marks for {one.criterion}, {one.points:g} ({one.where}) and {other.points:g} ({other.where}); "
        "take one out"
    )


def key(student: str) -> str:
    """A number or a name as it is compared: in Latin digits."""
    return "".join(str(unicodedata.digit(letter)) if letter.isdecimal() else letter for letter in student.strip())


def keys(hand_in: str, number: str) -> list[str]:
    """What a student may be called by: the number, and the hand-in's name with and without what says it is packed."""
    path = Path(hand_in)
    while path.suffix.lower() in ARCHIVE_SUFFIXES:
        path = path.with_suffix("")
    return [key(name) for name in dict.fromkeys((number, hand_in, path.name)) if name]


def marked(line: Line, points: float, comment: str = "") -> Criterion:
    """The criterion that a line becomes by a human's mark: passed with all points, failed with fewer."""
    text = comment[:MAX_COMMENT]
    judged = line.judged("passed" if points >= line.points else "failed", Text(en=text, fa=text))
    return judged.model_copy(update={"points": points})


def with_marks(
    result: Result, lines: Iterable[Line], given: Mapping[str, Mark], earlier: Result | None = None
) -> Result:
    """A result with the manual criteria marked, and its score as that makes it.

    Args:
        result: which stays as it is.
        lines: the rubric's.
        given: the marks, by criterion.
        earlier: the same student's result, whose marks hold where none is given. One of another student's is
            passed over, and so is a mark with more points than the criterion has by now.
    """
    by_id = {line.id: line for line in lines}
    stored = kept(earlier) if earlier is not None and _same_student(earlier, result) else {}
    criteria = []
    for criterion in result.criteria:
        mark, old, now = given.get(criterion.id), stored.get(criterion.id), criterion
        if criterion.kind == "manual" and mark is not None:
            now = marked(by_id[criterion.id], mark.points, mark.comment)
        elif criterion.kind == "manual" and old is not None and old.points <= criterion.max_points:
            now = marked(by_id[criterion.id], old.points).model_copy(update={"message": old.message})
        criteria.append(now.model_copy(update={"written": criterion.written}))
    pending = sum(criterion.max_points for criterion in criteria if criterion.status == "pending")
    return result.model_copy(update={"criteria": criteria, "score": score(criteria), "pending": pending})


def kept(result: Result) -> dict[str, Criterion]:
    """The manual criteria of a result that a human has marked."""
    return {c.id: c for c in result.criteria if c.kind == "manual" and c.status != "pending"}


def _same_student(one: Result, other: Result) -> bool:
    if one.assignment != other.assignment:
        return False
    if one.student.number and other.student.number:
        return one.student.number == other.student.number
    return Path(one.submission.path).name == Path(other.submission.path).name


def read_marks(source: str, assignment: Assignment) -> Marks:
    """The marks of a CSV or TOML file, or of nbgrader's gradebook (a .db file, or a database's URL).

    Raises:
        MarksError: there are none, they cannot be read, or they contradict the rubric or themselves.
    """
    if "://" in source or source.endswith(".db"):
        from autograder import gradebook  # nbgrader takes a second to load

        return Marks(gradebook.read(source, assignment), assignment)
    path = Path(source)
    readers = {".csv": _csv, ".toml": _toml}
    if path.suffix.lower() not in readers:
        raise MarksError(f"{source}: marks come from a .csv or .toml file, or nbgrader's gradebook (.db, or a URL)")
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as problem:
        raise MarksError(f"{source}: there is no such file") from problem
    except (OSError, UnicodeDecodeError) as problem:
        raise MarksError(f"{source}: cannot be read: {problem}; save it as UTF-8") from problem
    return Marks(readers[path.suffix.lower()](text, source), assignment)


def _csv(text: str, source: str) -> Iterable[Mark]:
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)  # spreadsheets write what their country's commas leave them
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = {(name or "").strip().lower() for name in rows.fieldnames or ()}
    if missing := {"student", "criterion", "points"} - columns:
        raise MarksError(f"{source}: no column {', '.join(sorted(missing))} in its first line")
    for row in rows:
        entry = {(name or "").strip().lower(): (value or "").strip() for name, value in row.items() if name}
        if any(entry.values()):
            yield _mark(entry, f"{source}, line {rows.line_num}")


def _toml(text: str, source: str) -> Iterable[Mark]:
    try:
        entries = tomllib.loads(text).get("marks", [])
    except tomllib.TOMLDecodeError as problem:
        raise MarksError(f"{source}: {problem}") from problem
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise MarksError(f"{source}: write each mark as an entry [[marks]]")
    for number, entry in enumerate(entries, 1):
        yield _mark(entry, f"{source}, mark {number}")


def _mark(entry: Mapping[str, Any], where: str) -> Mark:
    student, criterion = (str(entry.get(key, "")).strip() for key in ("student", "criterion"))
    if not student or not criterion:
        raise MarksError(f"{where}: a mark needs a student and a criterion")
    written = str(entry.get("points", "")).strip()
    try:
        points = float(written.replace("٫", ".").replace(",", "."))  # float reads Persian digits
    except ValueError:
        points = math.nan
    if not math.isfinite(points):
        raise MarksError(f"{where}: {written!r} is no number of points")
    return Mark(student, criterion, points, str(entry.get("comment", "")).strip(), where)
