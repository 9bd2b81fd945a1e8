"""The written questions of an assignment, as the notebooks of its source have them.

Where the rubric has a criterion that a human marks, a notebook has two cells: ``<name>_question`` asks and says how
it is marked, ``<name>`` holds the model answer between the marks of a solution. In both stands English first, then
Persian in ``<div dir="rtl">``; what comes after one of the words of `MARKING` is about the points. So what students
read in their notebooks, markers in nbgrader and everybody in the report is written in one place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from autograder.release import TEXT_STUB, ReleaseError, solution_regions
from autograder.results import Answer, Text, Written

MARKING = ("How it is marked.", "Marking.", "شیوهٔ نمره‌دهی.", "نمره‌دهی.")
"""What the part of a cell begins with, in bold, that says what earns the points."""

_MARKING = re.compile("|".join(re.escape(f"**{words}**") for words in MARKING))
_PERSIAN = re.compile(r'<div dir="rtl">(.*?)</div>', re.DOTALL)
_HEADING = re.compile(r"^#+ .*\n", re.MULTILINE)
_MARKUP = re.compile(r"</?bdi[^>]*>|`|\*\*|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])")


@dataclass(frozen=True)
class Question:
    """A written question.

    Attributes:
        notebook: the file that it stands in.
        cell: the answer's cell in it.
        text: what is asked.
        rubric: what earns the points, as students are told.
        model: a model answer; the instructor's alone.
        marking: how markers divide the points; the instructor's alone.
        placeholder: what stands for the answer in what students receive.
    """

    notebook: str
    cell: str
    text: Text
    rubric: Text
    model: Text
    marking: Text
    placeholder: str

    def answered(self, answer: Answer) -> Written:
        """The record of this question and its answer."""
        return Written(
            notebook=self.notebook,
            question=self.text,
            rubric=self.rubric,
            model=self.model,
            marking=self.marking,
            answer=answer,
        )


def read(folder: Path, names: Collection[str]) -> dict[str, Question]:
    """The questions whose answers have these names (nbgrader's ``grade_id``), by name; one without cells is left out.

    Args:
        folder: of the assignment's source.
        names: of the answers' cells.

    Raises:
        ReleaseError: a notebook cannot be read, or the marks of a solution are wrong.
    """
    questions = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            cells = {
                cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
                for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
                if "grade_id" in cell["metadata"].get("nbgrader", {})
            }
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise ReleaseError(f"{path}: is no notebook ({type(problem).__name__}: {problem})") from problem
        for name in cells.keys() & set(names):
            text, rubric = _parts(cells.get(f"{name}_question", ""))
            solution, placeholder = _solved(cells[name], f"{path}, {name}")
            questions[name] = Question(path.name, name, text, rubric, *_parts(solution), placeholder)
    return questions


def _solved(cell: str, where: str) -> tuple[str, str]:
    """What an answer's cell says between the marks of a solution, and what students receive in its place."""
    lines = cell.split("\n")
    regions = solution_regions(lines, where)
    if not regions:  # a solution as a whole
        return cell, "\n".join(TEXT_STUB)
    solution = "\n".join("\n".join(lines[region.begin : region.end - 1]) for region in regions)
    for region in reversed(regions):
        lines[region.begin - 1 : region.end] = TEXT_STUB
    return solution, "\n".join(lines)


def _parts(cell: str) -> tuple[Text, Text]:
    """What a cell says before and after `MARKING`, in both languages, as plain text."""
    persian = _PERSIAN.search(cell)
    english = cell[: persian.start()] if persian else cell
    halves = [_halves(english), _halves(persian[1] if persian else "")]
    before, after = zip(*halves, strict=True)
    return Text(en=before[0], fa=before[1]), Text(en=after[0], fa=after[1])


def _halves(markdown: str) -> tuple[str, str]:
    place = _MARKING.search(markdown)
    before, after = (markdown[: place.start()], markdown[place.end() :]) if place else (markdown, "")
    return _plain(before), _plain(after)


def _plain(markdown: str) -> str:
    """Text as it reads: without headings and without the signs for bold, slanted and code."""
    return _MARKUP.sub("", _HEADING.sub("", markdown)).strip()
