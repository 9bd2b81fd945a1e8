"""Grades one submission: intake, unit checks, experiments, score. Makes the Result and writes it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from autograder import __version__, answers, experiments
from autograder.answers import MAX_LETTERS, Notebook
from autograder.assignment import Assignment, Line
from autograder.contestant.scratch import scratch
from autograder.intake import HandIn, take_in
from autograder.judge import faults
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestant, Contestants, Isolation, SubmissionFolder
from autograder.marks import Mark, Marks, MarksError, kept, with_marks
from autograder.questions import Question
from autograder.results import (
    Answer,
    Criterion,
    Diagnosis,
    Experiment,
    Result,
    Skipped,
    Status,
    Submission,
    Text,
    read_result,
    score,
    write_result,
)
from autograder.results import Isolation as IsolationRecord

Profile = Literal["quick", "full"]


MAX_ANSWERS = 60_000
"""Letters of all written answers of a hand-in that are kept."""

SEPARATOR = "\n\n⁂\n\n"
"""Between the answers of a question that has more than one."""


def _ignore(stage: str, done: float) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        profile: size of the experiments.
        only: "unit", "experiments", the name of a stub, or "" for all.
        data: store of real images; None for the embedded ones.
        jobs: processes that train at the same time.
        isolation: "full", or "none" where the machine has none and every submission is trusted.
        experiments: ids of the experiments to run, those that bring no points included; empty for the rubric's.
        resume: go on with what an interrupted run left in the folder of the result.
        marks: what humans gave for the manual criteria; None where there are none at hand.
        on_progress: called with the name of a stage and the part of it that is done, in [0, 1].
    """

    profile: Profile = "quick"
    only: str = ""
    data: Path | None = None
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    isolation: Isolation = "full"
    experiments: tuple[str, ...] = ()
    resume: bool = False
    marks: Marks | None = None
    on_progress: Callable[[str, float], None] = _ignore

    def admits(self, line: Line) -> bool:
        """Whether this line of the rubric is to be judged."""
        if self.experiments and line.kind == "experiment" and line.experiment not in self.experiments:
            return False
        kinds = {"": line.kind, "unit": "unit", "experiments": "experiment"}
        if self.only in kinds:
            return line.kind == kinds[self.only]
        return line.stub == self.only and line.kind != "manual"


@dataclass(frozen=True)
class Grader:
    """Grades one submission after the other with one judge and one parent of contestants, both kept warm."""

    assignment: Assignment
    judge: Judge
    contestants: Contestants
    options: Options

    def take_in(self, path: Path) -> HandIn:
        """Reads a hand-in; see `autograder.intake.take_in`."""
        return take_in(path, self.assignment)

    def grade(self, hand_in: HandIn, out: Path) -> Result:
        """Grades a hand-in and writes ``out/results.json`` and ``out/figures``.

        Marks that a result in ``out`` holds already are kept where no other is given.

        Raises:
            ContestantsUnavailable: this machine cannot lock a contestant away.
            MarksError: the marks of this student contradict each other, or those in ``out`` would be lost.
        """
        marks, before = self.marks_of(hand_in), earlier(out)
        if self.options.only and before is not None and kept(before):
            raise MarksError(f"{out}: holds a human's marks, which --only would drop; choose another --out")
        started = datetime.now(UTC)
        with scratch() as folder:
            place = SubmissionFolder(folder, self.assignment.name, self.assignment.stubs, self.options.isolation)
            hand_in.assemble(self.assignment, place.folder)
            criteria, diagnoses, problems = self._unit(hand_in, place)
            records, broken = self._experiments(hand_in, place, out)
        by_id = {criterion.id: criterion for criterion in criteria}
        run = {record.id: record for record in records}
        for line in self.assignment.lines:
            if self.options.admits(line) and line.kind == "experiment":
                broke = line.experiment in broken
                by_id[line.id] = _of_experiment(line, run[line.experiment], by_id.get(line.needs), broken=broke)
            elif self.options.admits(line) and line.kind == "manual":
                by_id[line.id] = line.judged("pending", faults.bilingual(faults.AWAITS))
        judged = [by_id[line.id] for line in self.assignment.lines if line.id in by_id]
        result = Result(
            kit_version=__version__,
            assignment=self.assignment.name,
            profile=self.options.profile,
            student=hand_in.student,
            submission=Submission(path=_printable(str(hand_in.path)), sha256=hand_in.sha256),
            score=score(judged),
            max_score=sum(criterion.max_points for criterion in judged if not criterion.bonus),
            pending=sum(criterion.max_points for criterion in judged if criterion.status == "pending"),
            seed=self.assignment.seed,
            criteria=judged,
            diagnoses=diagnoses,
            experiments=records,
            skipped=self._skipped(by_id.keys(), run.keys()),
            isolation=IsolationRecord(level=self.options.isolation, features=self.contestants.layers),
            environment=environment(),
            faults=[*problems, *broken.values()],
            started=started,
            finished=datetime.now(UTC),
        )
        result = with_marks(self.with_answers(result, hand_in), self.assignment.lines, marks, before)
        write_result(result, out)
        experiments.forget(out)
        return result

    def resumed(self, hand_in: HandIn, out: Path) -> Result | None:
        """The result that is in ``out`` already, if it is whole and of the same bytes, kit and options.

        Marks that were given since, and answers written since, are put into it.

        Raises:
            MarksError: the marks of this student contradict each other.
        """
        result, options = earlier(out), self.options
        if result is None:
            return None
        data = {
            name: experiments.data_name(self.assignment, name, options.profile, options.data) for name in self.wanted
        }
        same = (
            result.submission.sha256 == hand_in.sha256
            and result.kit_version == __version__
            and result.profile == options.profile
            and result.seed == self.assignment.seed
            and result.isolation.level == options.isolation
            and {criterion.id for criterion in result.criteria}
            == {line.id for line in self.assignment.lines if options.admits(line)}
            and {record.id: record.data for record in result.experiments} == data
        )
        if not same or result.faults:
            return None
        answered = self.with_answers(result, hand_in)
        marked = with_marks(answered, self.assignment.lines, self.marks_of(hand_in), result)
        if marked != result:
            write_result(marked, out)
        return marked

    def with_answers(self, result: Result, hand_in: HandIn) -> Result:
        """A result with the hand-in's written answers in it; in all they are no longer than `MAX_ANSWERS` letters."""
        criteria, left = [], MAX_ANSWERS
        for criterion in result.criteria:
            question = self.assignment.questions.get(criterion.id)
            if question is not None:
                answer = _answer(question, hand_in.notebooks.get(question.notebook), left)
                left -= len(answer.text)
                criterion = criterion.model_copy(update={"written": question.answered(answer)})
            criteria.append(criterion)
        return result.model_copy(update={"criteria": criteria})

    @property
    def wanted(self) -> list[str]:
        """The experiments to run."""
        if self.options.experiments:
            return list(self.options.experiments)
        return [line.experiment for line in self.assignment.lines if line.experiment and self.options.admits(line)]

    def marks_of(self, hand_in: HandIn) -> dict[str, Mark]:
        """The marks given for a hand-in.

        Raises:
            MarksError: they contradict each other.
        """
        return (
            self.options.marks.of(hand_in.path.resolve().name, hand_in.student.number) if self.options.marks else {}
        )

    def _skipped(self, judged: Collection[str], run: Collection[str]) -> list[Skipped]:
        """The rubric's criteria that were not judged, and the experiments beside it that did not run."""
        lines = [line for line in self.assignment.lines if line.id not in judged]
        option = f"--only {self.options.only}" if self.options.only else "--experiment"
        reason = faults.bilingual(faults.ONLY_A_PART, option=option)
        skipped = [Skipped(id=line.id, title=line.title, reason=reason) for line in lines]
        known = {line.experiment for line in self.assignment.lines}
        trains = "experiments" in self.assignment.provided
        for row in self.assignment.module("experiments").EXPERIMENTS.values() if trains else ():
            if row.id not in run and row.id not in known:
                why = faults.bilingual(faults.NOT_ASKED_FOR, option=f"--experiment {row.id}")
                skipped.append(Skipped(id=row.id, title=Text(en=row.title.en, fa=row.title.fa), reason=why))
        return skipped

    def _unit(self, hand_in: HandIn, place: SubmissionFolder) -> tuple[list[Criterion], list[Diagnosis], list[str]]:
        if not any(line.kind == "unit" and self.options.admits(line) for line in self.assignment.lines):
            return [], [], []

        def start() -> Contestant:
            return place.start(self.contestants)

        criteria, problems = self.judge.check(
            start,
            missing=hand_in.missing,
            only=self.options.admits,
            on_progress=lambda done: self.options.on_progress("unit", done),
        )
        diagnoses, more = self.judge.diagnose(start, criteria)
        return criteria, diagnoses, problems + more

    def _experiments(
        self, hand_in: HandIn, place: SubmissionFolder, out: Path
    ) -> tuple[list[Experiment], dict[str, str]]:
        if not self.wanted:
            return [], {}
        if not self.contestants.layers:  # no check has started a contestant, and those to come start apart from here
            self.contestants.prove()
        return experiments.run(
            self.assignment,
            self.wanted,
            place,
            out,
            profile=self.options.profile,
            data=self.options.data,
            jobs=self.options.jobs,
            on_progress=self.options.on_progress,
            sha256=hand_in.sha256,
            resume=self.options.resume,
        )


def earlier(folder: Path) -> Result | None:
    """The result that a folder holds already; None if there is none of this kit."""
    try:
        return read_result(folder)
    except (FileNotFoundError, ValueError):
        return None


def _of_experiment(line: Line, record: Experiment, needed: Criterion | None, *, broken: bool) -> Criterion:
    """An experiment's criterion: every threshold must be reached by what the judge measured.

    ``needed`` is the verdict on what must be right before trained weights prove anything, if that was judged;
    ``broken``: the grader itself failed.
    """
    if broken:
        return line.judged("pending", faults.bilingual(faults.NO_CHECK))
    if record.status == "not_run":
        return line.judged("failed", record.note)
    if not record.thresholds:
        return line.judged("pending", faults.bilingual(faults.NO_THRESHOLD))
    short = [name for name, least in record.thresholds.items() if record.metrics.get(name, 0.0) < least]
    if not short and needed is not None and needed.status != "passed":
        status: Status = "pending" if needed.status == "pending" else "failed"
        return line.judged(status, faults.bilingual(faults.NEEDS, stub=line.stub, needed=needed.id))
    if not short:
        return line.judged("passed")
    reached, least = record.metrics.get(short[0], 0.0), record.thresholds[short[0]]
    return line.judged("failed", faults.bilingual(faults.BELOW, reached=reached, least=least, stub=line.stub))


def _answer(question: Question, notebook: Notebook | None, letters: int) -> Answer:
    """What a hand-in's notebook has in the cell of a question's answer, at most so many letters of it."""

    def unread(message: str) -> Answer:
        return Answer(state="unread", note=faults.bilingual(message, file=question.notebook, cell=question.cell))

    if notebook is None:
        return unread(faults.NO_NOTEBOOK)
    if notebook.problem:
        return unread(faults.LONG_NOTEBOOK if notebook.problem == "too large" else faults.BROKEN_NOTEBOOK)
    copies = notebook.cells.get(question.cell, [])
    if not copies:
        return unread(faults.NO_ANSWER)
    placeholder = question.placeholder.split()
    told = list(dict.fromkeys(each for each in copies if each.text.split() not in ([], placeholder)))
    if not told:
        return Answer(state="unanswered")
    whole = answers.cut(SEPARATOR.join(each.text for each in told), min(letters, MAX_LETTERS))
    return Answer(
        state="answered",
        text=whole.text,
        left_out=whole.left_out + sum(each.left_out for each in told),
        note=faults.bilingual(faults.MANY_ANSWERS, cell=question.cell) if len(copies) > 1 else Text(),
    )


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def environment() -> dict[str, str]:
    """What the grading ran on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "machine": f"{platform.system()} {platform.machine()}",
    }
