"""Whatever a contestant answers, a check passes or fails; what would be the grader's fault would cost no points."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from autograder import experiments
from autograder.assignment import Assignment
from autograder.contestant.server import tensors_in
from autograder.judge import contestant
from autograder.judge.checks import Judge
from autograder.wire import DTYPES, ObjectRef, Opaque, decode, encode

ODD: tuple[Any, ...] = (None, True, 0, -1, 10**400, 0.0, float("nan"), float("-inf"), "", "a\x1b[2J{0}%s", [], {}, ())


class Answers:
    """Stands where a contestant would, and answers each request with anything that can cross the wire."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.alive, self.spent_s, self.graphs = True, 0.0, 0
        self.released: list[int] = []
        self.inputs: list[Tensor] = []

    def end(self, patience_s: float = 0.0) -> None:
        """Nothing is there to end."""

    def request(
        self, op: str, *, timeout_s: float, callbacks: list[Callable[..., Any]] | None = None, **arguments: Any
    ) -> Any:
        """An answer to ``op``."""
        self.inputs = tensors_in(arguments) or self.inputs
        for _ in range(self.random.randrange(3) if callbacks else 0):
            contestant._call_back({"callback": 0, "arguments": [self.value()]}, callbacks or [], 1000)
        if op == "load":
            return None
        if op == "call":
            answer = {"value": self.value(), "echo": [self.tensor() for _ in self.inputs[: self.random.randrange(4)]]}
        elif op == "backward":
            return self.crossed([self.tensor() if self.random.random() < 0.9 else None for _ in self.inputs])
        else:
            named = [
                "fc.bias",
                True,
                self.tensor(),
                self.random.random() < 0.5,
                self.random.choice([None, self.tensor()]),
            ]
            return self.crossed([tuple(named[1:]), (named[0], *named[2:])])
        return self.crossed(answer)

    @staticmethod
    def crossed(value: Any) -> Any:
        """A value after its way over the wire."""
        text, blobs = encode(value, lambda item: Opaque(type(item).__name__))
        return decode(text, bytearray(b"".join(blobs)))

    def tensor(self) -> Tensor:
        """A tensor, most often of a shape and a type that were sent."""
        known = [x.shape for x in self.inputs] or [torch.Size()]
        shape = self.random.choice([*known, *known, (), (0,), (1,), (1,) * 16, (3, 0, 2), (10,), (4, 10)])
        dtype = self.random.choice([torch.float32] * 20 + list(DTYPES.values()))
        kind = self.random.choice(["draw", "draw", "nan", "inf", "huge", "zero"])
        values = {"nan": float("nan"), "inf": float("inf"), "huge": 3e38, "zero": 0.0}
        made = torch.rand(shape) if kind == "draw" else torch.full(shape, values[kind])
        made = made.to(dtype)
        return made.requires_grad_() if dtype.is_floating_point and self.random.random() < 0.5 else made

    def value(self, depth: int = 0) -> Any:
        """Anything at all."""
        kind = self.random.randrange(10 if depth < 2 else 7)
        if kind < 5:
            return self.tensor()
        if kind == 5:
            return self.random.choice(ODD)
        if kind == 6:
            return self.random.choice([ObjectRef(0, "Module\u202e"), ObjectRef(-1, ""), Opaque("object")])
        parts = [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        names = self.random.sample(["conv1.weight", "fc.bias", "", "<b>", "fc.weight"], len(parts))
        return [parts, tuple(parts), dict(zip(names, parts, strict=True))][kind - 7]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_answer_is_the_graders_fault(judge: Judge, seed: int) -> None:
    answers: Any = Answers(seed)
    torch.manual_seed(seed)
    criteria, faults = judge.check(lambda: answers)
    assert faults == []
    assert {criterion.status for criterion in criteria} <= {"failed", "error", "passed"}
    assert sum(criterion.points for criterion in criteria) <= 6  # two lines ask for little more than a tensor
    _, faults = judge.diagnose(lambda: answers, criteria)
    assert faults == []


EXTREME = (0.0, 1e-45, -1e-30, 3e38, -3e38, 1e20, -1.0)


def odd_weights(draw: random.Random, state: dict[str, Tensor], answers: Answers) -> Any:
    """Weights handed back: whole but for some numbers in them, and now and then of another form."""
    handed = {name: value.clone() for name, value in state.items()}
    for name in draw.sample(sorted(handed), draw.randrange(6)):
        if handed[name].is_floating_point():
            handed[name].flatten()[:: draw.randrange(1, 4)] = draw.choice(EXTREME)
            handed[name] = handed[name] * draw.choice([1.0, 1.0, 1e-40, 1e30])
    if draw.random() < 0.3:
        handed[draw.choice(sorted(handed))] = answers.value()
    return answers.value() if draw.random() < 0.1 else handed


@pytest.mark.slow
@pytest.mark.parametrize("experiment", ["base", "standard", "circle"])
def test_no_weights_are_the_graders_fault(assignment: Assignment, experiment: str) -> None:
    training, measurement = assignment.module("training"), assignment.module("measurement")
    row = assignment.module("experiments").EXPERIMENTS[experiment]
    datasets, parts = (
        assignment.module("datasets"),
        {name: getattr(assignment.reference, name) for name in assignment.stubs},
    )
    train = datasets.load(row.train_role, "train", None, count=40)
    tests = {role: datasets.load(role, "test", None, count=12) for role in row.test_roles}
    state = training.new_model(experiment, "quick", parts).state_dict()
    loaded = 0
    for seed in range(12):
        draw, answers = random.Random(seed), Answers(seed)
        trained = Answers.crossed(
            {"state": odd_weights(draw, state, answers), "curves": answers.value(), "epochs": 1}
        )
        try:
            model = experiments.load_weights(training, row, "quick", parts, trained)
        except experiments.Unusable:
            continue
        loaded += 1
        measured = measurement.measure(experiment, "quick", model, train, tests, seed=seed)
        assert all(0 <= value <= 1 for value in measured.metrics.values())
        assert all(len(values) <= 10_000 for values in experiments._curves(trained).values())
    assert 0 < loaded < 12
