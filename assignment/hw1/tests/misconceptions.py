"""Names the mistake of a wrong stub: one that fails every check just as a known misconception does.

``misconceptions.json`` tells for each known misconception how it fails each check on the public inputs: in the words
of the failure, or, where numbers came, by a sketch of them. A sketch is a few random projections: two answers whose
sketches agree are the same up to rounding, and neither can be read from its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from hw1.tests.expect import Mistake

STORED = Path(__file__).with_name("misconceptions.json")
PROJECTIONS = 4
"""The squared distance of two answers is estimated from so many projections (Johnson and Lindenstrauss 1984). With
four, answers that lie 100 times too far apart are taken for the same once in some ten million times."""

Failure = str | list[list[float]]
"""How a check failed: in words, or a sketch of each tensor that came."""


@dataclass(frozen=True)
class Seen:
    """How a stub fails one check, and how far the sketch of each tensor may lie from another's by rounding alone."""

    failure: Failure
    slack: tuple[float, ...] = ()

    def is_like(self, known: Failure) -> bool:
        """Whether a misconception fails in the same way."""
        if isinstance(known, str) or isinstance(self.failure, str):
            return self.failure == known
        return len(known) == len(self.failure) and all(
            math.dist(mine, its) <= math.sqrt(PROJECTIONS) * slack
            for mine, its, slack in zip(self.failure, known, self.slack, strict=True)
        )


def sketch(answer: Tensor) -> list[float]:
    """Random projections of all numbers of ``answer``, any shape: each a sum of the numbers with normal weights."""
    numbers = answer.detach().double().cpu().numpy().ravel()
    weights = np.random.RandomState(len(numbers)).standard_normal((PROJECTIONS, len(numbers)))
    return [float(f"{projection:.8g}") for projection in weights @ numbers]


def see(problem: BaseException) -> Seen:
    """What is to be kept of a check's failure."""
    if isinstance(problem, Mistake) and problem.answers:
        return Seen([sketch(a.value) for a in problem.answers], tuple(a.slack for a in problem.answers))
    if isinstance(problem, Mistake):
        return Seen(str(problem))
    # What a stub raised elsewhere, in a process of its own, brings the type's name and the text along.
    return Seen(f"{getattr(problem, 'type_name', type(problem).__name__)}: {getattr(problem, 'text', problem)}")


@dataclass(frozen=True)
class Misconception:
    """A known mistake: its name, what to tell whoever made it (language to sentence), how it fails which checks."""

    name: str
    diagnosis: dict[str, str]
    failures: dict[str, Failure]


@dataclass(frozen=True)
class Known:
    """All that is known about one stub: the names of its checks, and its misconceptions."""

    checks: tuple[str, ...]
    misconceptions: tuple[Misconception, ...]

    def recognise(self, ran: Iterable[str], seen: Mapping[str, Seen]) -> Misconception | None:
        """The misconception that a stub has, if there is just one diagnosis that fits all that was seen.

        Args:
            ran: names of the checks that ran.
            seen: those of them that failed, and how.
        """
        if not seen:
            return None
        in_numbers = any(not isinstance(each.failure, str) for each in seen.values())

        def alike(check: str, known: Failure | None) -> bool:
            mine = seen.get(check)
            if mine is None or known is None:
                return mine is None and known is None
            # Where numbers agree elsewhere, words need not: on an empty batch one spelling of a mistake raises
            # a ValueError, another an IndexError, and a third gives nan.
            if in_numbers and isinstance(known, str) and isinstance(mine.failure, str):
                return True
            return mine.is_like(known)

        fitting = [
            known for known in self.misconceptions if all(alike(check, known.failures.get(check)) for check in ran)
        ]
        return fitting[0] if len({tuple(known.diagnosis.values()) for known in fitting}) == 1 else None


def read_known(path: Path = STORED) -> dict[str, Known]:
    """What is stored, by stub; empty if there is no such file."""
    if not path.exists():
        return {}
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {
        stub: Known(
            tuple(entry["checks"]),
            tuple(Misconception(name, **known) for name, known in entry["misconceptions"].items()),
        )
        for stub, entry in stored.items()
    }
