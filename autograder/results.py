"""The Result: the one object that grading makes and everything after it reads (``results.json``).

Reporting, exports and summaries are pure functions of a `Result` and of the arrays beside it, so this module
imports neither torch nor the judge.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Literal[1] = 1

SUMMARY, CLASS_REPORT = "summary.csv", "class.html"
"""What is written on a class as a whole, beside the folders of its results."""

Status = Literal["passed", "failed", "error", "timeout", "pending"]
"""passed; failed: answered, wrongly; error: raised or died before it answered; timeout: never answered;
pending: awaits a human (a written answer, or a fault of the grader's own, which costs the student nothing).
What a human marked is passed with all points and failed with fewer: ``points`` say how many, and nobody is to be told
that it failed (`Criterion.mark`)."""

Mark = Literal["full", "part", "none"]
"""How much a human gave of a criterion's points."""


class Record(BaseModel):
    """A part of the Result: closed to unknown fields, and checked when assigned to."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False)


class Text(Record):
    """One text in both languages, plain and unescaped: whoever renders it escapes it."""

    en: str = ""
    fa: str = ""


class Student(Record):
    """Who handed in; empty where the hand-in does not say."""

    name: str = ""
    number: str = ""


class Submission(Record):
    """What was graded: the path as given, and the SHA-256 of the names and bytes of its Python files."""

    path: str
    sha256: str


class Answer(Record):
    """What a student wrote to a question, as it stands in a notebook of the hand-in.

    ``state``: answered; unanswered: empty, or as it was handed out; unread: there is none that could be read, and
    ``note`` says why. ``text`` is the student's own, untrusted, Markdown as it was typed, without blanks around it;
    ``left_out`` counts the letters that were cut off its end. Where the notebook has the answer's cell more than
    once, ``text`` holds each of them and ``note`` says so.
    """

    state: Literal["answered", "unanswered", "unread"]
    text: str = ""
    left_out: Annotated[int, Field(ge=0)] = 0
    note: Text = Text()


class Written(Record):
    """A written question and its answer.

    ``notebook`` is the file that it stands in, ``question`` what is asked, ``rubric`` what earns the points.
    ``model``, a model answer, and ``marking``, how markers divide the points, are the instructor's alone. The
    course's texts are plain, with an empty line between paragraphs.
    """

    notebook: str
    question: Text = Text()
    rubric: Text = Text()
    model: Text = Text()
    marking: Text = Text()
    answer: Answer


class Criterion(Record):
    """One line of the rubric with its verdict. ``points`` lie in [0, max_points]; durations are seconds.

    ``message`` is what the judge says, or a marker's comment; ``written`` is there where it is about a question of a
    notebook.
    """

    id: str
    stub: str
    kind: Literal["unit", "experiment", "manual"]
    status: Status
    points: Annotated[float, Field(ge=0)]
    max_points: Annotated[float, Field(ge=0)]
    bonus: bool = False
    title: Text = Text()
    message: Text = Text()
    duration_s: Annotated[float, Field(ge=0)] = 0.0
    written: Written | None = None

    @property
    def mark(self) -> Mark | None:
        """How much a human gave; None where none has marked it, or none is to."""
        if self.kind != "manual" or self.status == "pending":
            return None
        return "full" if self.points >= self.max_points else "part" if self.points else "none"


class Diagnosis(Record):
    """A stub that behaves just as a known misconception does: its name, and what to tell the student."""

    stub: str
    misconception: str
    text: Text


class Experiment(Record):
    """One trained model and what the judge measured of it.

    ``metrics`` are what the student's part reached, ``thresholds`` the least that earns the points (a subset of
    the metrics), ``reference`` the mean of the stored reference runs, ``published`` the course report's figures.
    All are fractions in [0, 1]. ``arrays`` names the npz file with the figures' raw data, relative to
    ``results.json``; empty where the experiment did not run.
    """

    id: str
    title: Text = Text()
    protocol: Text = Text()
    question: str = ""
    data: str
    status: Literal["run", "not_run"] = "run"
    note: Text = Text()
    metrics: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    reference: dict[str, float] = {}
    published: dict[str, float] = {}
    seed: int = 0
    epochs: int = 0
    duration_s: Annotated[float, Field(ge=0)] = 0.0
    arrays: str = ""


class Skipped(Record):
    """A criterion or an experiment of the assignment that was not looked at this time, and why."""

    id: str
    title: Text
    reason: Text


class Isolation(Record):
    """How far the contestant was locked away, and by which layers."""

    level: str
    features: list[str] = []


class Result(Record):
    """Everything that grading one submission found out."""

    schema_version: Literal[1] = SCHEMA_VERSION
    kit_version: str
    assignment: str
    profile: Literal["quick", "full"]
    student: Student
    submission: Submission
    score: Annotated[float, Field(ge=0)]
    max_score: Annotated[float, Field(ge=0)]
    pending: Annotated[float, Field(ge=0)]
    seed: int
    criteria: list[Criterion]
    diagnoses: list[Diagnosis] = []
    experiments: list[Experiment]
    skipped: list[Skipped] = []
    isolation: Isolation
    environment: dict[str, str]
    faults: list[str] = []
    started: datetime
    finished: datetime


def score(criteria: list[Criterion]) -> float:
    """Points earned; bonus points make up for lost automatic ones, and lift them no higher than their maximum."""
    earned = sum(criterion.points for criterion in criteria if criterion.kind != "manual")
    automatic = sum(c.max_points for c in criteria if c.kind != "manual" and not c.bonus)
    human = sum(criterion.points for criterion in criteria if criterion.kind == "manual")
    return min(earned, automatic) + human


def write_atomically(path: Path, content: bytes) -> None:
    """Writes ``content`` to ``path`` so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp's 0600 would keep a teacher's colleagues from reading it
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_result(result: Result, folder: Path) -> Path:
    """Writes ``folder/results.json`` atomically and returns its path."""
    path = folder / "results.json"
    write_atomically(path, (result.model_dump_json(indent=2) + "\n").encode())
    return path


def read_result(path: Path) -> Result:
    """Reads a ``results.json`` (or the folder it lies in).

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no results.json of this schema version (pydantic's ValidationError is one).
    """
    path = path / "results.json" if path.is_dir() else path
    return Result.model_validate_json(path.read_bytes())


def json_schema() -> str:
    """The published JSON Schema of ``results.json``."""
    return json.dumps(Result.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
