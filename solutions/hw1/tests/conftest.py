"""Fixtures for the student's own folder: the submission is this package, the expected values are stored ones."""

from __future__ import annotations

import gettext
import importlib
import importlib.util
import json
import sys
import tomllib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent.parent


def _load_package() -> None:
    """Makes this folder importable as ``hw1``, wherever it lies and whatever it is called."""
    spec = importlib.util.spec_from_file_location(
        "hw1", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules["hw1"] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)


if "hw1" not in sys.modules or Path(str(sys.modules["hw1"].__file__)).resolve().parent != FOLDER:
    _load_package()

from hw1.tests import expect, misconceptions  # noqa: E402  (the package must be there first)

STUBS = {
    "ResNet18": "resnet",
    "LabelSmoothingCrossEntropy": "losses",
    "convert_label_to_similarity": "losses",
    "CircleLoss": "losses",
    "fgsm_attack": "attacks",
    "pgd_attack": "attacks",
}
PROGRESS = expect.N_("{earned} of {most} points so far; {passed} of {ran} checks pass.")
TOTAL = expect.N_("{earned} of {most} points so far, for the functions alone.")
BONUS = expect.N_("With {bonus} bonus points, which make up for lost ones.")
RAISED = expect.N_("{check} raised {type}: {text}")
MAX_HINT = 400
"""Letters of a hint; the whole message stands above, with its check."""
PUBLIC_RUBRIC = Path(__file__).with_name("rubric.json")
RUBRIC = FOLDER / "grading" / "rubric.toml"
"""Where the points come from before the assignment is released."""
STORED = Path(__file__).with_name("expected.npz")


class Stubs:
    """The stubs of this folder as attributes; a module is imported when one of its stubs is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name not in STUBS:
            raise AttributeError(name)
        return getattr(importlib.import_module(f"hw1.{STUBS[name]}"), name)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lang", choices=("en", "fa"), default="en", help="language of the messages")
    parser.addoption(
        "--record", metavar="FILE", help="store what this folder's own code gives as the expected values"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "criterion(id): the line of the rubric that a check counts for")
    config.stash[_recorded] = {}
    config.stash[_ran] = {}
    config.stash[_checks] = {}


_recorded = pytest.StashKey[dict[str, Any]]()
_ran = pytest.StashKey[dict[str, BaseException | None]]()
"""What each check that ran came to: None, or what it raised."""
_checks = pytest.StashKey[dict[str, set[str]]]()
"""The checks of each criterion, those that were not asked for included."""


@dataclass(frozen=True)
class Points:
    """What a criterion of a stub is worth."""

    stub: str
    points: float
    bonus: bool = False


def read_points() -> dict[str, Points]:
    """The points of each criterion that the checks decide."""
    if PUBLIC_RUBRIC.exists():
        stored = json.loads(PUBLIC_RUBRIC.read_text(encoding="utf-8"))["criteria"]
    elif RUBRIC.exists():
        criteria = tomllib.loads(RUBRIC.read_text(encoding="utf-8"))["criteria"]
        stored = {line["id"]: line for line in criteria if line.get("kind", "unit") == "unit"}
    else:
        stored = {}
    return {name: Points(line["stub"], line["points"], line.get("bonus", False)) for name, line in stored.items()}


def pytest_itemcollected(item: pytest.Item) -> None:
    marker = item.get_closest_marker("criterion")
    if marker is not None:
        item.config.stash[_checks].setdefault(marker.args[0], set()).add(item.name)


@pytest.fixture
def submission() -> Stubs:
    """The work under test."""
    return Stubs()


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> expect.Draw:
    """Inputs for this check, from a public seed."""
    return expect.Draw(expect.PUBLIC_SEED, request.node.name)


@pytest.fixture(scope="session")
def stored() -> dict[str, Any]:
    """The stored values of all checks."""
    return expect.read_stored(STORED)


@pytest.fixture
def expected(request: pytest.FixtureRequest, stored: dict[str, Any]) -> expect.Expected:
    """Expected values for this check."""
    if request.config.getoption("--record"):
        return expect.Expected(request.node.name, Stubs(), request.config.stash[_recorded], reveal=True)
    return expect.Expected(request.node.name, None, stored, reveal=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    path = session.config.getoption("--record")
    if path and exitstatus == pytest.ExitCode.OK:
        expect.write_stored(session.config.stash[_recorded], Path(path))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A mistake is told in its own words, in the language asked for, without the check's source around it."""
    report = yield
    problem = call.excinfo.value if call.excinfo is not None else None
    if call.when == "call" or problem is not None:
        item.config.stash[_ran][item.name] = problem
    if isinstance(problem, (expect.Mistake, NotImplementedError)):
        report.longrepr = _told(item.name, problem, _translations(item.config.getoption("--lang")))
    return report


def _told(check: str, problem: BaseException, translations: gettext.NullTranslations) -> str:
    """What a failure says to the student."""
    if isinstance(problem, NotImplementedError):
        problem = expect.mistake(expect.NOT_WRITTEN, stub=str(problem).partition(":")[0] or "?")
    elif not isinstance(problem, expect.Mistake):
        problem = expect.mistake(RAISED, check=check, type=type(problem).__name__, text=str(problem))
    return problem.render(translations)


def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation("hw1", FOLDER / "locale", languages=[language], fallback=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How far each stub is in points and checks, and what to look at first."""
    language, ran, checks = config.getoption("--lang"), config.stash[_ran], config.stash[_checks]
    translations, known = _translations(language), misconceptions.read_known()
    # A criterion of which only a part was asked for is neither earned nor lost yet.
    worth = read_points()
    judged = {name: line for name, line in worth.items() if name in checks and checks[name] <= set(ran)}
    earned = {name: all(ran[check] is None for check in checks[name]) for name in judged}

    def say(message: str, **params: object) -> None:
        terminalreporter.write_line(expect.Sentence(message, params).render(translations))

    def points(stub: str = "", *, all_: bool = False, bonus: bool = False) -> str:
        lines = [name for name, line in judged.items() if stub in ("", line.stub) and (stub or line.bonus == bonus)]
        return f"{sum(judged[name].points for name in lines if all_ or earned[name]):g}"

    for stub in STUBS:
        counted = {check for name, line in worth.items() if line.stub == stub for check in checks.get(name, ())}
        mine = {check: problem for check, problem in ran.items() if check in counted}
        if not mine:
            continue
        terminalreporter.section(stub, "-")
        failed = {check: problem for check, problem in mine.items() if problem is not None}
        passed = len(mine) - len(failed)
        say(PROGRESS, earned=points(stub), most=points(stub, all_=True), passed=passed, ran=len(mine))
        seen = {check: misconceptions.see(problem) for check, problem in failed.items()}
        found = known[stub].recognise(mine, seen) if stub in known else None
        if found is not None:
            terminalreporter.write_line(found.diagnosis[language])
        elif failed:
            hint = _told(*next(iter(failed.items())), translations)
            terminalreporter.write_line(hint if len(hint) <= MAX_HINT else hint[: MAX_HINT - 1] + "…")
    if judged:
        terminalreporter.write_line("-" * 80)
        say(TOTAL, earned=points(), most=points(all_=True))
        if points(bonus=True) != "0":
            say(BONUS, bonus=points(bonus=True))
