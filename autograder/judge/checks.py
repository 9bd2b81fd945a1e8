"""Runs the checks on a submission: pytest in this process, with fixtures of the judge's own.

The checks are the ones students have (`solutions/<name>/tests`). Here ``submission`` is a proxy into a contestant,
``draw`` is seeded with the course's secret, and ``expected`` asks the reference, once for all submissions.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import pytest

from autograder.assignment import Assignment, Line
from autograder.judge import faults
from autograder.judge.contestant import Contestant, ContestantsUnavailable, Submission, SubmissionFault
from autograder.results import Criterion, Diagnosis, Status, Text
from autograder.translations import LANGUAGES

PATIENCE_S = 30.0
"""Seconds of one stub's calls that may end in a time-out before its remaining checks are given up."""


class Told(Protocol):
    """A failed expectation that can tell itself in a language (`tests/expect.py`: Mistake)."""

    def render(self, translations: Any) -> str: ...


@dataclass
class Outcome:
    """What one check of a criterion came to. ``fault`` is the grader's own, with its traceback."""

    status: Status
    message: Text = field(default_factory=Text)
    fault: str = ""
    duration_s: float = 0.0


class Failure(Protocol):
    """How a check failed (`tests/misconceptions.py`: Seen)."""

    failure: str | list[list[float]]


class Misconception(Protocol):
    """A known mistake (`tests/misconceptions.py`: Misconception)."""

    name: str
    diagnosis: dict[str, str]


class Known(Protocol):
    """What is known about a stub (`tests/misconceptions.py`: Known)."""

    checks: tuple[str, ...]
    misconceptions: tuple[Misconception, ...]

    def recognise(self, ran: Iterable[str], seen: Mapping[str, Failure]) -> Misconception | None: ...


@dataclass
class Ran:
    """The checks of a stub that ran, by name, and how those failed that did."""

    checks: list[str] = field(default_factory=list)
    seen: dict[str, Failure] = field(default_factory=dict)


class Judge:
    """Checks one submission after the other; what the reference says is kept between them.

    Args:
        assignment: what to judge by.
        seed: what the hidden inputs are drawn from; without, the rubric's.
    """

    def __init__(self, assignment: Assignment, seed: int | None = None) -> None:
        self.assignment = assignment
        self.seed = assignment.seed if seed is None else seed
        self.expected: dict[str, Any] = {}
        self.public: Judge | None = None

    @cached_property
    def known(self) -> dict[str, Known]:
        """The known misconceptions of each stub."""
        known: dict[str, Known] = self.assignment.module("tests.misconceptions").read_known()
        return known

    def check(
        self,
        start: Callable[[], Contestant],
        *,
        missing: frozenset[str] = frozenset(),
        only: Callable[[Line], bool] = lambda line: True,
        on_progress: Callable[[float], None] = lambda done: None,
    ) -> tuple[list[Criterion], list[str]]:
        """Judges every unit criterion of the rubric that ``only`` admits.

        Args:
            start: starts a contestant on the submission.
            missing: modules that the submission lacks.
            only: which lines of the rubric to judge.
            on_progress: called after each check with the part that is done, in (0, 1].

        Returns:
            The criteria, and the grader's own faults, one text each.
        """
        lines = [line for line in self.assignment.lines if line.kind == "unit" and only(line)]
        plugin, problems = self._run(lines, start, missing, on_progress)
        criteria = []
        for line in lines:
            criterion, fault = _criterion(line, plugin.outcomes.get(line.id, []))
            criteria.append(criterion)
            problems += fault
        return criteria, problems

    def failures(self, start: Callable[[], Contestant], stubs: Iterable[str]) -> tuple[dict[str, Ran], list[str]]:
        """How the submission fails the checks of some stubs on the public inputs, and the grader's own faults."""
        if self.public is None:
            self.public = Judge(self.assignment, self.assignment.module("tests.expect").PUBLIC_SEED)
        lines = [line for line in self.assignment.lines if line.kind == "unit" and line.stub in stubs]
        plugin, problems = self.public._run(lines, start)
        return plugin.ran, problems

    def diagnose(
        self, start: Callable[[], Contestant], criteria: list[Criterion]
    ) -> tuple[list[Diagnosis], list[str]]:
        """Names the mistakes behind what `check` found wrong, where they are known ones.

        The submission is tried on the inputs that students' own checks use: how known misconceptions fail on those is
        stored, so that hidden inputs are told by no diagnosis.

        Args:
            start: starts a contestant on the submission.
            criteria: what `check` returned.

        Returns:
            A diagnosis for each stub that has one, and the grader's own faults.
        """
        hung = {criterion.stub for criterion in criteria if criterion.status == "timeout"}
        wrong = {criterion.stub for criterion in criteria if criterion.status in ("failed", "error")} - hung
        if not wrong & set(self.known):
            return [], []
        ran, problems = self.failures(start, wrong & set(self.known))
        found = {stub: self.known[stub].recognise(run.checks, run.seen) for stub, run in ran.items()}
        return [
            Diagnosis(stub=s, misconception=m.name, text=Text(**m.diagnosis)) for s, m in found.items() if m
        ], problems

    def _run(
        self,
        lines: list[Line],
        start: Callable[[], Contestant],
        missing: frozenset[str] = frozenset(),
        on_progress: Callable[[float], None] = lambda done: None,
    ) -> tuple[_Plugin, list[str]]:
        """Runs the checks of these lines: the plugin that saw them, and the grader's own faults."""
        plugin = _Plugin(self, lines, start, missing, on_progress)
        arguments = [
            str(self.assignment.tests),
            "--import-mode=importlib",
            "--noconftest",
            "--disable-plugin-autoload",
        ]
        arguments += [f"--rootdir={self.assignment.folder}", "-c", str(self.assignment.folder / "pytest.ini")]
        arguments += [
            "-o",
            "addopts=",
            *(f"-pno:{name}" for name in ("terminal", "cacheprovider", "capture", "warnings", "unraisableexception")),
        ]
        self.assignment.module("tests")  # the checks import their words from the reference's package
        try:
            exit_code = pytest.main(arguments, plugins=[plugin])
        finally:
            plugin.close()
        if plugin.unavailable is not None:
            raise plugin.unavailable
        if exit_code == pytest.ExitCode.INTERRUPTED:  # pytest keeps the key press to itself
            raise KeyboardInterrupt
        problems = list(plugin.faults)
        if exit_code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
            problems.append(f"the checks could not be run: {pytest.ExitCode(exit_code).name}")
        return plugin, problems


def _criterion(line: Line, outcomes: list[Outcome]) -> tuple[Criterion, list[str]]:
    """All checks of a criterion must pass; no check at all is the grader's fault, never a pass."""
    problems = [outcome.fault for outcome in outcomes if outcome.fault]
    bad = next((outcome for outcome in outcomes if outcome.status != "passed"), None)
    if not outcomes:
        problems.append(f"no check bears the criterion {line.id}")
    if problems:
        bad = Outcome("pending", faults.bilingual(faults.NO_CHECK))
    duration_s = sum(outcome.duration_s for outcome in outcomes)
    return line.judged(bad.status if bad else "passed", bad.message if bad else None, duration_s), problems


class _Plugin:
    """The judge's side of one pytest run."""

    def __init__(
        self,
        judge: Judge,
        lines: list[Line],
        start: Callable[[], Contestant],
        missing: frozenset[str],
        on_progress: Callable[[float], None],
    ) -> None:
        self.judge, self.start, self.missing, self.on_progress = judge, start, missing, on_progress
        self.lines = {line.id: line for line in lines}
        self.outcomes: dict[str, list[Outcome]] = {}
        self.faults: list[str] = []
        self.unavailable: ContestantsUnavailable | None = None
        self.stubs: list[str] = []
        self.submissions: dict[str, Submission] = {}
        self.hung_s: dict[str, float] = {}
        self.ran: dict[str, Ran] = {}
        self.expect = judge.assignment.module("tests.expect")
        self.misconceptions = judge.assignment.module("tests.misconceptions")

    def close(self) -> None:
        with ExitStack() as stack:  # one that cannot be ended keeps none of the others from it
            for submission in self.submissions.values():
                stack.callback(submission.close)

    def line_of(self, item: pytest.Item) -> Line | None:
        marker = item.get_closest_marker("criterion")
        return self.lines.get(marker.args[0]) if marker else None

    # Fixtures. One contestant serves all checks of a stub; another stub gets another.

    @pytest.fixture
    def submission(self, request: pytest.FixtureRequest) -> Submission:
        line = self.line_of(request.node)
        assert line is not None
        at = self.stubs.index(line.stub)
        for stub in self.stubs[at : at + 2]:  # the next one is locked away on another core while this one is checked
            if stub not in self.submissions:
                self.submissions[stub] = Submission(self.start, {stub: self.judge.assignment.stubs[stub]})
                self.submissions[stub].prepare()
        return self.submissions[line.stub]

    @pytest.fixture
    def draw(self, request: pytest.FixtureRequest) -> Any:
        return self.expect.Draw(self.judge.seed, request.node.name)

    @pytest.fixture
    def expected(self, request: pytest.FixtureRequest) -> Any:
        assignment = self.judge.assignment
        return self.expect.Expected(request.node.name, assignment.reference, self.judge.expected, reveal=False)

    # Hooks.

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "criterion(id): the line of the rubric that a check counts for")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if self.line_of(item) is not None]
        tried = dict.fromkeys(line.stub for item in items if (line := self.line_of(item)))
        self.stubs = [stub for stub in tried if self.judge.assignment.stubs[stub] not in self.missing]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.faults.append(str(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> None:
        self.faults.append(str(excrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        line = self.line_of(item)
        assert line is not None
        module = self.judge.assignment.stubs[line.stub]
        if module in self.missing:
            item.add_marker(pytest.mark.skip)
            self.add(line, Outcome("failed", faults.bilingual(faults.MISSING, module=module, stub=line.stub)))
        elif self.hung_s.get(line.stub, 0) >= PATIENCE_S:
            item.add_marker(pytest.mark.skip)
            self.add(line, Outcome("timeout", faults.bilingual(faults.TIMEOUT, stub=line.stub)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        report = yield
        line = self.line_of(item)
        assert line is not None
        problem = call.excinfo.value if call.excinfo else None
        skipped = isinstance(problem, pytest.skip.Exception)
        if isinstance(problem, ContestantsUnavailable):
            self.unavailable = problem
            item.session.shouldstop = "no contestants"
            return report
        if call.when == "call" or (problem is not None and not skipped):
            self.add(line, self.outcome(line, problem, call.duration))
            ran = self.ran.setdefault(line.stub, Ran())
            ran.checks.append(item.name)
            if problem is not None:
                ran.seen[item.name] = self.misconceptions.see(problem)
        if call.when == "teardown":
            self.on_progress((item.session.items.index(item) + 1) / len(item.session.items))
        return report

    def add(self, line: Line, outcome: Outcome) -> None:
        self.outcomes.setdefault(line.id, []).append(outcome)

    def outcome(self, line: Line, problem: BaseException | None, duration: float) -> Outcome:
        """What a check came to, by what it raised."""
        if problem is None:
            return Outcome("passed", duration_s=duration)
        if isinstance(problem, self.expect.Mistake):
            told: Told = problem
            texts = {language: told.render(self.judge.assignment.translations(language)) for language in LANGUAGES}
            return Outcome("failed", Text(**texts), duration_s=duration)
        if isinstance(problem, SubmissionFault):
            if problem.kind == "timeout":
                self.hung_s[line.stub] = self.hung_s.get(line.stub, 0) + duration
            return Outcome(*faults.verdict(problem, line.stub), duration_s=duration)
        fault = "".join(traceback.format_exception(problem))
        return Outcome("pending", faults.bilingual(faults.NO_CHECK), fault=fault, duration_s=duration)
