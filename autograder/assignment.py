"""What the engine knows of an assignment: its rubric, its reference, its checks and its wording.

An assignment is a folder of `solutions/`, a Python package of that name with ``grading/rubric.toml`` in it. Nothing
else in the engine names a stub, a check or an experiment.
"""

from __future__ import annotations

import gettext
import importlib
import sys
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from autograder import questions
from autograder.questions import Question
from autograder.release import ReleaseError
from autograder.results import Criterion, Status, Text
from autograder.translations import catalogue

ROOT = Path(__file__).resolve().parents[1]
SOLUTIONS = ROOT / "solutions"

Kind = Literal["unit", "experiment", "manual"]


class AssignmentError(Exception):
    """The assignment's own files are wrong: one line that says what and where."""


@dataclass(frozen=True)
class Line:
    """One line of the rubric: a criterion before it is judged.

    ``needs``: of an experiment whose model the student's side trains, the unit criterion that must be earned as well.
    Weights alone do not show where they come from: they may have been trained by other code and shipped.
    """

    id: str
    stub: str
    points: float
    title: Text
    kind: Kind = "unit"
    bonus: bool = False
    experiment: str = ""
    needs: str = ""

    @property
    def cell(self) -> str:
        """Of what a human marks, the answer's cell in the notebooks (nbgrader's ``grade_id``): the id's end."""
        return self.id.rpartition(".")[2]

    def judged(self, status: Status, message: Text | None = None, duration_s: float = 0.0) -> Criterion:
        """The criterion that this line becomes: its points if passed, else none."""
        return Criterion(
            id=self.id,
            stub=self.stub,
            kind=self.kind,
            status=status,
            points=self.points if status == "passed" else 0,
            max_points=self.points,
            bonus=self.bonus,
            title=self.title,
            message=message or Text(),
            duration_s=duration_s,
        )


class Stubs:
    """The reference's stubs as attributes."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment

    def __getattr__(self, name: str) -> Any:
        module = self._assignment.stubs.get(name)
        if module is None:
            raise AttributeError(name)
        return getattr(self._assignment.module(module), name)


@dataclass(frozen=True)
class Assignment:
    """An assignment as its rubric describes it.

    ``stubs`` maps each stub to its module; ``provided`` are the modules that students receive as they are; ``seed``
    is the secret that hidden inputs are drawn from.
    """

    name: str
    folder: Path
    seed: int
    stubs: dict[str, str]
    provided: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def tests(self) -> Path:
        """The folder of checks."""
        return self.folder / "tests"

    @cached_property
    def reference(self) -> Stubs:
        """The reference solutions."""
        return Stubs(self)

    def module(self, name: str) -> ModuleType:
        """A module of the assignment's package, imported from `solutions/`."""
        if str(self.folder.parent) not in sys.path:
            sys.path.insert(0, str(self.folder.parent))
        return importlib.import_module(f"{self.name}.{name}")

    def translations(self, language: str) -> gettext.NullTranslations:
        """The catalogue of the checks' messages."""
        return catalogue(self.folder / "locale", self.name, language)

    @cached_property
    def questions(self) -> dict[str, Question]:
        """The written questions, by the criterion that a human marks; a criterion without cells has none.

        Raises:
            AssignmentError: a notebook of the source cannot be read.
        """
        cells = {line.cell: line.id for line in self.lines if line.kind == "manual"}
        try:
            return {cells[name]: question for name, question in questions.read(self.folder, cells).items()}
        except ReleaseError as problem:
            raise AssignmentError(str(problem)) from problem

    @property
    def experiments(self) -> tuple[str, ...]:
        """The experiments that the rubric asks for, in its order."""
        return tuple(line.experiment for line in self.lines if line.kind == "experiment")


def load(name: str = "hw1", solutions: Path = SOLUTIONS) -> Assignment:
    """Reads the assignment's rubric.

    Raises:
        AssignmentError: there is none, or it contradicts itself.
    """
    path = solutions / name / "grading" / "rubric.toml"
    try:
        rubric = tomllib.loads(path.read_text(encoding="utf-8"))
        lines = tuple(
            Line(title=Text(en=entry.pop("en"), fa=entry.pop("fa")), **entry) for entry in rubric["criteria"]
        )
        assignment = Assignment(
            name, path.parents[1], rubric["seed"], rubric["stubs"], tuple(rubric["provided_modules"]), lines
        )
    except FileNotFoundError as problem:
        raise AssignmentError(f"{path}: there is no such assignment") from problem
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as problem:
        raise AssignmentError(f"{path}: {type(problem).__name__}: {problem}") from problem
    ids = [line.id for line in lines]
    if len(set(ids)) != len(ids):
        raise AssignmentError(f"{path}: a criterion's id comes twice")
    for line in lines:
        if line.kind != "manual" and line.stub not in assignment.stubs:
            raise AssignmentError(f"{path}: {line.id} is about {line.stub!r}, which is no stub")
        if line.needs and line.needs not in ids[: ids.index(line.id)]:
            raise AssignmentError(f"{path}: {line.id} needs {line.needs!r}, which is no criterion before it")
    return assignment
