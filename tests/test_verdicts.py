"""The checks tell right from wrong: through the judge, right solutions keep every point of their stub, and wrong ones
lose those of the criteria that their label names, and no others.
"""

from __future__ import annotations

import gc
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.assignment import Assignment
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestants
from autograder.results import Criterion

CORPUS = Path(__file__).parents[1] / "solutions" / "hw1" / "corpus"
pytestmark = pytest.mark.slow
LABELS = tomllib.loads((CORPUS / "labels.toml").read_text(encoding="utf-8"))

Try = Callable[[Path], list[Criterion]]


def paths(kind: str) -> list[Any]:
    found = {f"{path.parent.name}-{path.stem}": path for path in sorted((CORPUS / kind).glob("*/*.py"))}
    return [pytest.param(path, id=name) for name, path in found.items()]


@pytest.fixture(scope="module", autouse=True)
def settled_heap() -> Iterator[None]:
    """Every run of pytest ends with full garbage collections; they need not walk through all of torch each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def verdict(tmp_path: Path, assignment: Assignment, judge: Judge, contestants: Contestants) -> Try:
    """Judges the stub that an entry of the corpus is a solution of."""

    def judged(path: Path) -> list[Criterion]:
        stub = path.parent.name
        package = tmp_path / assignment.name
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        (package / f"{assignment.stubs[stub]}.py").write_bytes(path.read_bytes())
        criteria, faults = judge.check(
            lambda: contestants.start(tmp_path, assignment.name, assignment.stubs),
            only=lambda line: line.stub == stub,
        )
        assert faults == []
        assert criteria
        return criteria

    return judged


def lost(criteria: list[Criterion]) -> dict[str, str]:
    """The criteria that points were lost for, each with what was said."""
    return {criterion.id: criterion.message.en for criterion in criteria if criterion.status != "passed"}


@pytest.mark.parametrize("path", paths("right"))
def test_right_solutions_keep_every_point(path: Path, verdict: Try) -> None:
    assert lost(verdict(path)) == {}


@pytest.mark.parametrize("path", paths("wrong"))
def test_wrong_solutions_lose_what_their_label_says(path: Path, verdict: Try) -> None:
    label = LABELS[path.parent.name][path.stem]
    told = lost(verdict(path))
    assert sorted(told) == sorted(label["fails"])
    assert all(told.values())


BLACKENS = """
def fgsm_attack(image, epsilon, data_grad):
    image.zero_()
    data_grad.zero_()
    return image.clone()
"""


def test_changed_inputs_make_no_expectation_of_their_own(
    tmp_path: Path, assignment: Assignment, judge: Judge, verdict: Try
) -> None:
    """Neither for the answer that changed them, nor for those that the same judge sees afterwards."""
    judge.expected.clear()
    wrong = tmp_path / "fgsm_attack" / "blackens.py"
    wrong.parent.mkdir()
    wrong.write_text(BLACKENS, encoding="utf-8")
    assert set(lost(verdict(wrong))) == {"fgsm.step", "fgsm.range", "fgsm.zero", "fgsm.untouched"}
    wrong.write_bytes((assignment.folder / "attacks.py").read_bytes())
    assert lost(verdict(wrong)) == {}


def test_a_check_compares_once(assignment: Assignment) -> None:
    expected = assignment.module("tests.expect").Expected("name", assignment.reference, reveal=False)

    def attack(stubs: Any) -> Any:
        return stubs.fgsm_attack(torch.zeros(1), 0.1, torch.ones(1))

    expected.close(assignment.reference, attack, "image", terms=1, hint="hint")
    with pytest.raises(RuntimeError, match="compares twice"):
        expected.close(assignment.reference, attack, "image", terms=1, hint="hint")
