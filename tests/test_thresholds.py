"""Thresholds: the rule, and that what is stored is what the rubric needs."""

from __future__ import annotations

import numpy as np
import pytest

from autograder import thresholds
from autograder.assignment import ROOT, Assignment
from autograder.calibration import is_far, markdown, remarks, trained_misconceptions


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


def test_a_threshold_is_above_every_misconception_that_can_be_told_from_right_solutions() -> None:
    values = [0.80, 0.82, 0.81, 0.85, 0.79, 0.83]
    bound, loose = thresholds.lower_bound(values), thresholds.lower_bound(values, 0.99)
    assert bound < loose < min(values)
    near, alike = (bound + loose) / 2, 0.81
    assert thresholds.threshold(values, []) == bound
    assert thresholds.threshold(values, [0.1, bound - 0.01]) == bound
    raised = thresholds.threshold(values, [0.1, near, alike])
    assert near < raised < near + 1e-9  # whoever reaches exactly what the misconception does is below
    assert thresholds.threshold(values, [alike, loose]) == bound


def test_every_experiment_of_the_rubric_has_a_threshold_that_tells_something(assignment: Assignment) -> None:
    experiments = assignment.module("experiments").EXPERIMENTS
    for name in assignment.experiments:
        stored = thresholds.stored(assignment, "quick", None, name)
        assert set(stored["thresholds"]) == set(experiments[name].judged)
        for metric, least in stored["thresholds"].items():
            assert 0.2 < least < stored["reference"][metric]  # chance is 0.1
        figures = thresholds.read(assignment)["quick/embedded"][name]
        assert len(figures["runs"]) >= 5 and figures["judged"] == list(experiments[name].judged)
        tried = {f"{stub}/{wrong}" for row, stub, wrong in trained_misconceptions(assignment) if row == name}
        assert set(figures["misconceptions"]) == tried


def test_every_row_that_is_far_from_the_published_figures_says_why(assignment: Assignment) -> None:
    rows, why = assignment.module("experiments").EXPERIMENTS, remarks(assignment)
    far = {
        place: {name for name, figures in stored.items() if is_far(rows[name], figures)}
        for place, stored in thresholds.read(assignment).items()
    }
    for place, names in far.items():
        assert names <= set(why[place])
    assert all(text.endswith(".") and "|" not in text for sentences in why.values() for text in sentences.values())


def test_the_readme_shows_what_is_stored(assignment: Assignment) -> None:
    assert markdown(assignment) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_without_stored_runs_there_is_no_threshold(assignment: Assignment) -> None:
    assert thresholds.stored(assignment, "quick", None, "no such experiment") == {"thresholds": {}, "reference": {}}
