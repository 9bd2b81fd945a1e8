"""Thresholds: the rule, and that what is stored is what the rubric needs."""

from __future__ import annotations

import numpy as np
import pytest

from autograder import thresholds
from autograder.assignment import Assignment


def test_the_rule_fails_one_right_run_in_a_thousand() -> None:
    random = np.random.default_rng(0)
    draws = random.normal(0.8, 0.01, (20_000, 11))
    below = sum(run[10] < thresholds.lower_bound(list(run[:10])) for run in draws)
    assert 5 <= below <= 40  # 20 are expected; 5 and 40 are more than three standard deviations away


def test_the_rule_by_hand() -> None:
    # t(0.999, 2) = 22.327 by any table; mean 0.9, s = 0.01, sqrt(1 + 1/3)
    assert thresholds.lower_bound([0.89, 0.90, 0.91]) == pytest.approx(0.9 - 22.327 * 0.01 * (4 / 3) ** 0.5, abs=1e-4)
    assert thresholds.lower_bound([0.0, 0.5, 1.0]) == 0.0


def test_two_runs_make_no_threshold() -> None:
    with pytest.raises(ValueError, match="too few"):
        thresholds.lower_bound([0.9, 0.9])


def test_every_experiment_of_the_rubric_has_a_threshold_that_tells_something(assignment: Assignment) -> None:
    experiments = assignment.module("experiments").EXPERIMENTS
    for name in assignment.experiments:
        stored = thresholds.stored(assignment, "quick", None, name)
        assert set(stored["thresholds"]) == set(experiments[name].judged)
        for metric, least in stored["thresholds"].items():
            assert 0.2 < least < stored["reference"][metric]  # chance is 0.1
        figures = thresholds.read(assignment)["quick/embedded"][name]
        assert len(figures["runs"]) >= 10 and figures["judged"] == list(experiments[name].judged)


def test_without_stored_runs_there_is_no_threshold(assignment: Assignment) -> None:
    assert thresholds.stored(assignment, "quick", None, "no such experiment") == {"thresholds": {}, "reference": {}}
