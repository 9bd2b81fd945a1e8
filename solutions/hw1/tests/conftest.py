"""Fixtures for the student's own folder: the submission is this package, the expected values are stored ones."""

from __future__ import annotations

import gettext
import importlib
import importlib.util
import sys
from collections.abc import Generator
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
PROGRESS = expect.N_("{passed} of {ran} checks pass.")
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


_recorded = pytest.StashKey[dict[str, Any]]()
_ran = pytest.StashKey[dict[str, BaseException | None]]()
"""What each check that ran came to: None, or what it raised."""


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
        language = item.config.getoption("--lang")
        if isinstance(problem, NotImplementedError):
            problem = expect.mistake(expect.NOT_WRITTEN, stub=str(problem).partition(":")[0] or "?")
        report.longrepr = problem.render(_translations(language))
    return report


def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation("hw1", FOLDER / "locale", languages=[language], fallback=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How far each stub is, and the mistake behind it where it is a known one."""
    language, ran = config.getoption("--lang"), config.stash[_ran]
    for stub, known in misconceptions.read_known().items():
        mine = {check: ran[check] for check in known.checks if check in ran}
        if not mine:
            continue
        terminalreporter.section(stub, "-")
        failed = {check: problem for check, problem in mine.items() if problem is not None}
        counts = {"passed": len(mine) - len(failed), "ran": len(mine)}
        terminalreporter.write_line(expect.Sentence(PROGRESS, counts).render(_translations(language)))
        found = known.recognise(mine, {check: misconceptions.see(problem) for check, problem in failed.items()})
        if found is not None:
            terminalreporter.write_line(found.diagnosis[language])
