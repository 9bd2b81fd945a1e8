"""What experiments are held against: the stored reference runs, and the rule that makes thresholds of them.

``grading/thresholds.json`` of an assignment is the one source for grading, report and README;
`autograder.calibration` writes it.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, TypedDict

from scipy.special import stdtrit

from autograder.assignment import Assignment

CONFIDENCE = 0.999
"""A right submission falls below its threshold once in a thousand runs, if runs are normally distributed."""

FEWEST = 5
"""Fewer runs make no threshold: of three, the interval would reach down to chance."""

FEWEST_FOR_MEAN = 3
"""Fewer runs are not shown beside a submission's."""

LEAST_CONFIDENCE = 0.99
"""Where a misconception comes near, the threshold is raised above it, but no further than this: a right submission
then falls below once in a hundred runs at most."""


class Figures(TypedDict):
    """The stored runs of one experiment: seed -> metric -> accuracy in [0, 1], and what they were made with.

    ``misconceptions``: ``stub/name`` of a wrong solution -> metric -> what it reached; nothing if it did not train.
    ``data`` names the images; ``settings`` is the `fingerprint` of what was asked for.
    """

    runs: dict[str, dict[str, float]]
    misconceptions: dict[str, dict[str, float]]
    judged: list[str]
    data: str
    settings: str
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


def fingerprint(assignment: Assignment, experiment: str, profile: str, data: Path | None) -> str:
    """Twelve hex digits that change when a run of this experiment would be another one.

    They stand for the settings of the registry, those of the experiments that it begins with included, and for the
    contents of a store of real images. Titles, published figures and the like do not count, nor does code.
    """
    registry = assignment.module("experiments")
    scale = registry.PROFILES[profile]
    settings: list[Any] = [registry.EPSILON, registry.EIGHT, registry.NOISE, registry.PATIENCE]
    settings += [scale.width, scale.batch_size, scale.pgd]
    roles: set[str] = set()
    while experiment in registry.EXPERIMENTS:
        row = registry.EXPERIMENTS[experiment]
        shown = {name: value for name, value in asdict(row).items() if name not in _WORDS}
        settings.append(shown | {name: shown[name].get(profile) for name in ("lr", "epochs", "start")})
        settings.append([scale.train[row.question], scale.test])
        roles |= {row.train_role, *row.test_roles}
        experiment = row.start.get(profile, "")
    settings.append(experiment and registry.WEIGHTS[experiment].sha256)
    if data is not None:
        names = sorted(assignment.module("datasets").REAL[role] for role in roles)
        manifests = [json.loads((data / name / "manifest.json").read_text(encoding="utf-8")) for name in names]
        settings.append([manifest.get("sha256") for manifest in manifests])
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


_WORDS = ("id", "title", "protocol", "stubs", "judged", "published")
"""What of a row does not change its runs."""


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


def lower_bound(values: list[float], confidence: float = CONFIDENCE) -> float:
    """The lower end of the one-sided prediction interval for one more run, in [0, 1].

    ``mean - t(confidence, n - 1) * s * sqrt(1 + 1/n)``, with Student's t (Hahn and Meeker 1991, "Statistical
    Intervals", section 4.8). At least three runs are needed for it to mean anything.

    Raises:
        ValueError: fewer than three.
    """
    if len(values) < 3:
        raise ValueError(f"{len(values)} runs are too few for an interval; 3 are the least")
    quantile = float(stdtrit(len(values) - 1, confidence))
    return max(0.0, fmean(values) - quantile * spread(values) * math.sqrt(1 + 1 / len(values)))


def told_apart(values: list[float], wrong: list[float]) -> list[float]:
    """What those misconceptions reached that an experiment can tell from right solutions.

    They are those below the lower bound at `LEAST_CONFIDENCE`.

    Args:
        values: what reference runs reached, three at least.
        wrong: what misconceptions reached.
    """
    loose = lower_bound(values, LEAST_CONFIDENCE)
    return [value for value in wrong if value < loose]


def threshold(values: list[float], wrong: list[float]) -> float:
    """The least that earns the points: the lower bound, or the least above all misconceptions that are told apart."""
    return max([lower_bound(values), *(math.nextafter(value, 1.0) for value in told_apart(values, wrong))])


def of_metric(figures: Figures, metric: str) -> tuple[list[float], list[float]]:
    """What the reference runs reached, and what the misconceptions did that trained at all."""
    wrong = figures["misconceptions"].values()
    return [run[metric] for run in figures["runs"].values()], [run[metric] for run in wrong if run]


def stored(assignment: Assignment, profile: str, data: Path | None, experiment: str) -> dict[str, Any]:
    """``thresholds`` of the judged metrics and ``reference`` means of all.

    Each is empty where there are too few runs for it, both where they were made with other settings or other images.
    """
    figures = read(assignment).get(key(profile, data), {}).get(experiment)
    if figures is None or len(figures["runs"]) < FEWEST_FOR_MEAN:
        return {"thresholds": {}, "reference": {}}
    if figures["settings"] != fingerprint(assignment, experiment, profile, data):
        return {"thresholds": {}, "reference": {}}
    metrics = next(iter(figures["runs"].values()))
    judged = figures["judged"] if len(figures["runs"]) >= FEWEST else ()
    return {
        "thresholds": {metric: threshold(*of_metric(figures, metric)) for metric in judged},
        "reference": {metric: fmean(of_metric(figures, metric)[0]) for metric in metrics},
    }
