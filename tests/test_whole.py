"""Whole gradings, experiments included: the scores that the reference, the sample and the empty stubs must get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograder.assignment import Assignment
from autograder.grading import Grader, Options
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestants, Isolation
from autograder.report import render
from autograder.results import Result

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def grade(
    tmp_path: Path, assignment: Assignment, judge: Judge, contestants: Contestants, isolation: Isolation
) -> Grader:
    return Grader(assignment, judge, contestants, Options(isolation=isolation, jobs=2))


def graded(grader: Grader, path: Path, out: Path) -> Result:
    return grader.grade(grader.take_in(path), out)


def test_the_reference_gets_the_full_automatic_score(grade: Grader, assignment: Assignment, tmp_path: Path) -> None:
    result = graded(grade, assignment.folder, tmp_path)
    assert (result.score, result.max_score, result.pending, result.faults) == (80, 100, 20, [])
    for record in result.experiments:
        assert record.status == "run" and record.thresholds and record.reference
        with np.load(tmp_path / record.arrays, allow_pickle=False) as arrays:
            assert len(arrays["umap_xy"]) == len(arrays["umap_group"]) == len(arrays["umap_label"])
            assert np.isfinite(arrays["umap_xy"]).all() and 0.5 < arrays["umap_trustworthiness"] <= 1
            assert len(arrays["curve_train_loss"]) == record.epochs > 0
    written = {path.name for path in render(tmp_path)}
    assert {"report.html", "report.fa.pdf", "report.en.pdf"} <= written


def test_the_empty_stubs_get_nothing(grade: Grader, tmp_path: Path) -> None:
    result = graded(grade, ROOT / "assignment" / "hw1", tmp_path)
    assert (result.score, result.pending, result.faults) == (0, 20, [])
    assert {record.status for record in result.experiments} == {"not_run"}
    assert all(record.note.en and record.note.fa for record in result.experiments)


def test_the_sample_gets_its_score(grade: Grader, tmp_path: Path) -> None:
    result = graded(grade, ROOT / "tests" / "samples" / "mixed", tmp_path)
    points = {criterion.id: criterion.points for criterion in result.criteria}
    assert points["experiment.base"] == points["experiment.standard"] == 4
    assert result.score == sum(points.values()) and result.faults == []
