"""What the class report shows, worked out of the results of a class: scores, criteria, mistakes, a row per hand-in.

A class is a folder with one folder of results for each hand-in, as ``grade.py --submissions`` leaves it. Its
``summary.csv``, if there, says which hand-ins belong to it and why some have no result.
"""

from __future__ import annotations

import csv
import os
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from autograder.report.bidi import clean, verbatim
from autograder.report.language import Language
from autograder.results import SUMMARY, Criterion, Result, Student, Text, read_result
from autograder.translations import N_

BINS = 10
"""Bars of the distribution, each as wide as this part of all points."""

HARDEST = 5
"""How many criteria the list of the hardest holds at most."""

_DAMAGED = N_("Its results.json is missing or is no result of this kit.")
_FORMULA = ("'=", "'+", "'-", "'@", "'\t", "'\r")  # how the summary keeps a spreadsheet from running a cell


@dataclass(frozen=True)
class HandIn:
    """One hand-in: the name of its folder, its result or why there is none, and the reports that lie there."""

    name: str
    result: Result | None
    problem: str
    reports: list[str]

    @property
    def label(self) -> str:
        """The name as text; bytes that are none are escaped."""
        return clean(_named(self.name))

    @property
    def words(self) -> str:
        """What a search looks at."""
        student = self.result.student if self.result else Student()
        return clean(f"{student.name} {student.number} {self.label}")

    def address(self, report: str) -> str:
        """A report's address, relative to the class report."""
        return f"{quote(os.fsencode(self.name))}/{quote(report)}"


@dataclass(frozen=True)
class Line:
    """One criterion over the class; ``share`` is the part of its points earned where it is decided, else None."""

    criterion: Criterion
    share: float | None
    passed: int
    lost: int
    pending: int

    @property
    def width(self) -> str:
        """The share as a CSS percentage."""
        return f"{(self.share or 0) * 100:.2f}%"


@dataclass(frozen=True)
class Mistake:
    """A misconception that was recognised, and the hand-ins that have it."""

    stub: str
    text: Text
    hand_ins: list[HandIn]


@dataclass(frozen=True)
class Cohort:
    """A class. ``scores`` are points of the graded hand-ins as fractions of their maximum, in [0, 1], sorted."""

    hand_ins: list[HandIn]
    scores: list[float]
    bins: list[int]
    lines: list[Line]
    hardest: list[Line]
    mistakes: list[Mistake]

    @property
    def assignment(self) -> str:
        """The name of the assignment; empty where nothing was graded."""
        return next((each.result.assignment for each in self.hand_ins if each.result), "")

    @property
    def graded(self) -> list[Result]:
        """The results there are."""
        return [each.result for each in self.hand_ins if each.result]

    @property
    def mean(self) -> float:
        """Mean of the scores."""
        return statistics.fmean(self.scores)

    @property
    def median(self) -> float:
        """Median of the scores."""
        return statistics.median(self.scores)

    @property
    def waiting(self) -> int:
        """How many hand-ins have points that await a human."""
        return sum(result.pending > 0 for result in self.graded)


def read(folder: Path) -> Cohort:
    """The class in ``folder``.

    Raises:
        FileNotFoundError: it holds no results and no ``summary.csv``.
    """
    names = {_named(path.name): path.name for path in sorted(folder.iterdir()) if path.is_dir()}
    problems = _problems(folder / SUMMARY)
    if problems is None:
        problems = {key: "" for key, name in names.items() if (folder / name / "results.json").exists()}
        if not problems:
            raise FileNotFoundError(folder / "results.json")
    return assemble([_hand_in(folder, names.get(key, key), problem) for key, problem in problems.items()])


def assemble(hand_ins: list[HandIn]) -> Cohort:
    """Counts and means over the hand-ins of a class."""
    results = [each.result for each in hand_ins if each.result]
    scores = sorted(result.score / result.max_score for result in results if result.max_score)
    bins = [0] * BINS
    for score in scores:
        bins[min(int(score * BINS + 1e-9), BINS - 1)] += 1
    lines = _lines(results)
    missed = [line for line in lines if line.share is not None and line.share < 1 and not line.criterion.bonus]
    hardest = sorted(missed, key=lambda line: line.share or 0)[:HARDEST]
    return Cohort(hand_ins, scores, bins, lines, hardest, _mistakes(hand_ins))


def problem_of(hand_in: HandIn, language: Language) -> Markup:
    """Why a hand-in has no result."""
    return language.say(_DAMAGED) if hand_in.problem == _DAMAGED else verbatim(hand_in.problem)


def _named(name: str) -> str:
    """A folder's name as the summary writes it, where bytes that are no text are escaped."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _problems(summary: Path) -> dict[str, str] | None:
    """Each hand-in of the summary with its problem, if any; None where there is no summary of this kit."""
    try:
        with summary.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("hand_in")]
    except (OSError, csv.Error):
        return None
    return {_cell(row["hand_in"]): _cell(row.get("problem") or "") for row in rows} or None


def _cell(text: str) -> str:
    return text[1:] if text.startswith(_FORMULA) else text


def _hand_in(folder: Path, name: str, problem: str) -> HandIn:
    result = None
    if not problem:
        try:
            result = read_result(folder / name)
        except (OSError, ValueError):
            problem = _DAMAGED
    reports = sorted(path.name for path in (folder / name).glob("report.*")) if result else []
    return HandIn(name, result, problem, reports)


def _lines(results: list[Result]) -> list[Line]:
    """Each criterion that occurs, in the order of the rubric."""
    members: dict[str, list[Criterion]] = {}
    for result in results:
        for criterion in result.criteria:
            members.setdefault(criterion.id, []).append(criterion)
    lines = []
    for same in members.values():
        decided = [each for each in same if each.status != "pending"]
        maximum = sum(each.max_points for each in decided)
        passed = sum(each.status == "passed" for each in decided)
        share = sum(each.points for each in decided) / maximum if maximum else None
        lines.append(Line(same[0], share, passed, len(decided) - passed, len(same) - len(decided)))
    return lines


def _mistakes(hand_ins: list[HandIn]) -> list[Mistake]:
    """The misconceptions, the most frequent first."""
    texts: dict[tuple[str, str], Text] = {}
    owners: dict[tuple[str, str], list[HandIn]] = {}
    for hand_in in hand_ins:
        for diagnosis in hand_in.result.diagnoses if hand_in.result else []:
            key = (diagnosis.stub, diagnosis.misconception)
            texts.setdefault(key, diagnosis.text)
            owners.setdefault(key, []).append(hand_in)
    count = Counter({key: len(each) for key, each in owners.items()})
    return [Mistake(key[0], texts[key], owners[key]) for key, _ in count.most_common()]
