"""What experiments are held against: the stored reference runs, and the rule that makes thresholds of them.

``grading/thresholds.json`` of an assignment is the one source for grading, report and README;
`autograder.calibration` writes it.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, TypedDict

from scipy.special import stdtrit

from autograder.assignment import Assignment

CONFIDENCE = 0.999
"""A right submission falls below its threshold once in a thousand runs, if runs are normally distributed."""


class Figures(TypedDict):
    """The stored runs of one experiment: seed -> metric -> accuracy in [0, 1], and what they were made with."""

    runs: dict[str, dict[str, float]]
    judged: list[str]
    device: str
    torch: str
    date: str
    commit: str


def path(assignment: Assignment) -> Path:
    """Where the stored runs lie."""
    return assignment.folder / "grading" / "thresholds.json"


def key(profile: str, data: Path | None) -> str:
    """The stored runs of a profile and a kind of data go by this name."""
    return f"{profile}/{'embedded' if data is None else 'real'}"


def read(assignment: Assignment) -> dict[str, dict[str, Figures]]:
    """All stored runs: key -> experiment -> figures; empty before the first calibration."""
    file = path(assignment)
    if not file.exists():
        return {}
    stored: dict[str, dict[str, Figures]] = json.loads(file.read_text(encoding="utf-8"))
    return stored


def spread(values: list[float]) -> float:
    """The sample standard deviation (n - 1); 0 for a single value."""
    return stdev(values) if len(values) > 1 else 0.0


def lower_bound(values: list[float]) -> float:
    """The lower end of the one-sided prediction interval for one more run, in [0, 1].

    ``mean - t(0.999, n - 1) * s * sqrt(1 + 1/n)``, with Student's t (Hahn and Meeker 1991, "Statistical Intervals",
    section 4.8). At least three runs are needed for it to mean anything.

    Raises:
        ValueError: fewer than three.
    """
    if len(values) < 3:
        raise ValueError(f"{len(values)} runs are too few for a threshold; 3 are the least")
    quantile = float(stdtrit(len(values) - 1, CONFIDENCE))
    return max(0.0, fmean(values) - quantile * spread(values) * math.sqrt(1 + 1 / len(values)))


def stored(assignment: Assignment, profile: str, data: Path | None, experiment: str) -> dict[str, Any]:
    """``thresholds`` of the judged metrics and ``reference`` means of all; empty where there are too few runs."""
    figures = read(assignment).get(key(profile, data), {}).get(experiment)
    if figures is None or len(figures["runs"]) < 3:
        return {"thresholds": {}, "reference": {}}
    by_metric: dict[str, list[float]] = {}
    for metrics in figures["runs"].values():
        for metric, value in metrics.items():
            by_metric.setdefault(metric, []).append(value)
    return {
        "thresholds": {metric: lower_bound(by_metric[metric]) for metric in figures["judged"]},
        "reference": {metric: fmean(values) for metric, values in by_metric.items()},
    }
