"""The student's own pytest: how far each stub is, in points, and what to look at first, in both languages."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's copy of what is handed out, called otherwise, with the work of the sample in it."""
    mine = tmp_path_factory.mktemp("student") / "my homework"
    shutil.copytree(ROOT / "assignment" / "hw1", mine, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb"))
    for path in (ROOT / "tests" / "samples" / "mixed").glob("*.py"):
        shutil.copy(path, mine)
    return mine


def summary(folder: Path, *arguments: str) -> dict[str, str]:
    """What is told of each stub at the end of a run, by the stub's name; "" for the last words of all."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    parts = re.split(r"^-+(?: (\w+) )?-+$", done.stdout, flags=re.MULTILINE)
    return {name or "": text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_each_stub_is_summed_up_with_points_and_a_hint(folder: Path) -> None:
    told = summary(folder, "-k", "circle or fgsm or pgd or similarity")
    assert list(told) == ["convert_label_to_similarity", "CircleLoss", "fgsm_attack", "pgd_attack", ""]
    assert re.fullmatch(r"10 of 10 points so far; (\d+) of \1 checks pass\.", told["convert_label_to_similarity"])
    assert told["CircleLoss"].startswith("10 of 14 points so far; ") and len(told["CircleLoss"].splitlines()) == 2
    assert "detach" in told["CircleLoss"] or "flows through the weights" in told["CircleLoss"]
    assert told["fgsm_attack"].startswith("7 of 10 points so far") and "clamp" in told["fgsm_attack"]
    assert told["pgd_attack"].startswith("0 of 5 points so far; 0 of ")
    assert "pgd_attack is not written yet" in told["pgd_attack"]
    assert told[""].startswith("27 of 34 points so far, for the functions alone.")


def test_it_is_told_in_persian_and_a_part_of_a_criterion_counts_for_nothing(folder: Path) -> None:
    told = summary(folder, "-k", "test_circle_gradient or test_circle_empty", "--lang", "fa")
    assert list(told) == ["CircleLoss", ""]
    assert told["CircleLoss"].startswith("تا اینجا 2 نمره از 6؛")
    assert "گرادیان" in told["CircleLoss"]
    assert told[""].startswith("تا اینجا 2 نمره از 6، تنها برای تابع‌ها.")
    told = summary(folder, "-k", "test_circle_empty and 0-0", "--lang", "fa")
    assert told["CircleLoss"].startswith("تا اینجا 0 نمره از 0؛ 1 آزمون از 1 آزمون گذرانده شد.")
