"""Training with every loss and attack of the corpus, in small: wrong ones break nothing, right ones change little."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch

from autograder import experiments
from autograder.assignment import Assignment, load
from autograder.verdicts import Entry, Kind, entries

ROWS = {
    "LabelSmoothingCrossEntropy": "label_smoothing",
    "CircleLoss": "circle",
    "convert_label_to_similarity": "circle",
    "fgsm_attack": "adversarial",
}
"""Stub -> an experiment in which the judge's own process computes with what it gives back."""


class _Raised(Exception):
    """What a stub raised; a contestant's process keeps it from ours."""


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The training loop, for networks so small that a run takes a moment."""
    module = load().module("training")
    profile = replace(module.PROFILES["quick"], width=2, batch_size=20)
    monkeypatch.setitem(module.PROFILES, "quick", profile)
    for name in set(ROWS.values()):
        monkeypatch.setitem(module.EXPERIMENTS, name, replace(module.EXPERIMENTS[name], epochs={"quick": 1}))
    yield module


def guarded(part: Callable[..., Any]) -> Callable[..., Any]:
    """A function, and what it makes, whose errors are told from those of the training loop."""

    def call(*arguments: Any, **options: Any) -> Any:
        try:
            made = part(*arguments, **options)
        except BaseException as problem:
            raise _Raised from problem
        return guarded(made) if isinstance(made, torch.nn.Module) else made

    return call


def outcome(training: ModuleType, assignment: Assignment, entry: Entry) -> Any:
    """What training with an entry comes to: the weights, or the exception that ended it."""
    spec = importlib.util.spec_from_file_location(f"small_{entry.name}", entry.path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    parts = {name: getattr(assignment.reference, name) for name in assignment.stubs}
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(100) % 10
    pixels = torch.randint(0, 256, (100, 3, 32, 32), generator=generator, dtype=torch.uint8)
    try:
        spec.loader.exec_module(module)
        theirs = guarded(getattr(module, entry.stub))
    except BaseException as problem:
        return problem
    try:
        trained = training.train(ROWS[entry.stub], "quick", pixels, labels, parts | {entry.stub: theirs}, seed=1)
    except (_Raised, training.TrainingFailed, *experiments.NOT_FIT) as problem:
        return problem
    return trained["state"]


def of(assignment: Assignment, kinds: list[Kind], stub: str) -> list[Entry]:
    found = entries(assignment, kinds, [stub])
    assert found
    return found


@pytest.mark.slow
@pytest.mark.parametrize("stub", ROWS)
def test_no_wrong_solution_breaks_an_experiment(training: ModuleType, assignment: Assignment, stub: str) -> None:
    ends = {entry.name: outcome(training, assignment, entry) for entry in of(assignment, ["wrong"], stub)}
    assert any(isinstance(end, dict) for end in ends.values())
    assert any(isinstance(end, Exception) for end in ends.values())
    for name, end in ends.items():
        finite = isinstance(end, dict) and all(bool(value.isfinite().all()) for value in end.values())
        assert finite or isinstance(end, Exception), name


@pytest.mark.slow
@pytest.mark.parametrize("stub", ROWS)
def test_every_right_solution_trains_as_the_reference_does(
    training: ModuleType, assignment: Assignment, stub: str
) -> None:
    (own,) = of(assignment, ["reference"], stub)
    wanted = outcome(training, assignment, own)
    for entry in of(assignment, ["right"], stub):
        state = outcome(training, assignment, entry)
        assert isinstance(state, dict), (entry.name, state)
        for name, value in wanted.items():
            assert torch.allclose(state[name], value, rtol=1e-3, atol=1e-3), (entry.name, name)
