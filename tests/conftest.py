"""What the kit's own tests share: a judge kept warm for all of them, and hand-ins made on the spot."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from autograder.assignment import Assignment, load
from autograder.contestant import lockdown
from autograder.grading import Grader, Options
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestants, Isolation
from autograder.results import Result

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[1]
STUB_FILES = ("resnet.py", "losses.py", "attacks.py")


@pytest.fixture(scope="session")
def assignment() -> Assignment:
    return load()


@pytest.fixture(scope="session")
def isolation() -> Isolation:
    """Full where this machine has it; where it has not, the verdicts are tested without."""
    return "full" if not lockdown.shortfall(lockdown.available()) else "none"


@pytest.fixture(scope="session")
def contestants(isolation: Isolation) -> Iterator[Contestants]:
    with Contestants(isolation) as warm:
        yield warm


@pytest.fixture(scope="session")
def judge(assignment: Assignment) -> Judge:
    return Judge(assignment)


@pytest.fixture
def hand_in(tmp_path: Path, assignment: Assignment) -> Callable[..., Path]:
    """Makes a hand-in: the reference, with the files given replaced (text), or left out (None)."""

    def make(**files: str | None) -> Path:
        folder = tmp_path / "hand_in"
        folder.mkdir()
        for name in STUB_FILES:
            shutil.copy(assignment.folder / name, folder / name)
        for module, text in files.items():
            path = folder / f"{module}.py"
            if text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def grade_unit(
    tmp_path: Path, assignment: Assignment, judge: Judge, contestants: Contestants, isolation: Isolation
) -> Callable[[Path], Result]:
    """Grades the unit criteria of a hand-in."""
    grader = Grader(assignment, judge, contestants, Options(only="unit", isolation=isolation))
    return lambda path: grader.grade(grader.take_in(path), tmp_path / "out")
