"""The checks tell right from wrong: through the judge, right solutions keep every point of their stub, wrong ones
lose those of the criteria that their label names and no others, and their mistake is named.
"""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder import verdicts
from autograder.assignment import Assignment, load
from autograder.cli import main
from autograder.judge.checks import Judge
from autograder.judge.contestant import Contestants
from autograder.verdicts import RIGHT, Bench, Entry

ROOT = Path(__file__).resolve().parents[1]
LABELS = verdicts.labels(load())
ENTRIES = verdicts.entries(load())


def named(entry: Entry) -> str:
    return f"{entry.kind}-{entry.stub}-{entry.name}"


@pytest.fixture(scope="module")
def bench(assignment: Assignment, contestants: Contestants) -> Iterator[Bench]:
    verdicts.settle()
    yield Bench(assignment, contestants)
    gc.unfreeze()


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_the_verdict_is_right(entry: Entry, bench: Bench) -> None:
    assert verdicts.mistakes(bench.verdict(entry), LABELS.get((entry.stub, entry.name), RIGHT)) == []


BLACKENS = """
def fgsm_attack(image, epsilon, data_grad):
    image.zero_()
    data_grad.zero_()
    return image.clone()
"""


def test_changed_inputs_make_no_expectation_of_their_own(
    tmp_path: Path, assignment: Assignment, contestants: Contestants
) -> None:
    """Neither for the answer that changed them, nor for those that the same judge sees afterwards."""
    fresh = Bench(assignment, contestants)
    entry = Entry("wrong", "fgsm_attack", "blackens", tmp_path / "blackens.py")
    entry.path.write_text(BLACKENS, encoding="utf-8")
    assert set(fresh.verdict(entry).lost) == {"fgsm.step", "fgsm.range", "fgsm.zero", "fgsm.untouched"}
    entry.path.write_bytes((assignment.folder / "attacks.py").read_bytes())
    assert fresh.verdict(entry).lost == ()


def test_a_check_compares_once(assignment: Assignment) -> None:
    expected = assignment.module("tests.expect").Expected("name", assignment.reference, reveal=False)

    def attack(stubs: Any) -> Any:
        return stubs.fgsm_attack(torch.zeros(1), 0.1, torch.ones(1))

    expected.close(assignment.reference, attack, "image", terms=1, hint="hint")
    with pytest.raises(RuntimeError, match="compares twice"):
        expected.close(assignment.reference, attack, "image", terms=1, hint="hint")


TWO_MISTAKES = """
import torch
from torch import nn

class LabelSmoothingCrossEntropy(nn.Module):
    def __init__(self, epsilon=0.1):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, logits, target):
        count = logits.shape[1]
        smooth = torch.full_like(logits, self.epsilon / (count - 1))
        smooth.scatter_(1, target[:, None], 1 - self.epsilon)
        return -(smooth * logits.log_softmax(1)).sum()
"""


def test_what_is_no_known_mistake_is_not_called_one(
    tmp_path: Path, assignment: Assignment, contestants: Contestants
) -> None:
    """Two known mistakes in one stub are neither of them."""
    entry = Entry("wrong", "LabelSmoothingCrossEntropy", "two", tmp_path / "two.py")
    entry.path.write_text(TWO_MISTAKES, encoding="utf-8")
    verdict = Bench(assignment, contestants).verdict(entry)
    assert verdict.lost and not verdict.diagnosis and not verdict.faults


def test_what_is_known_is_as_the_checks_and_labels_are_now() -> None:
    """Else: python -m autograder verdicts --record."""
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", str(load().tests)],
        capture_output=True,
        text=True,
        check=True,
        cwd=load().folder,
    ).stdout
    checks = {line.partition("::")[2] for line in collected.splitlines() if "::" in line}
    known = Judge(load()).known
    assert {check for stub in known.values() for check in stub.checks} == checks
    assert {(s, m.name): m.diagnosis for s, stub in known.items() for m in stub.misconceptions} == {
        key: label.diagnosis.model_dump() for key, label in LABELS.items()
    }


def students_own_run(folder: Path, stub: str, path: Path, language: str) -> str:
    """What pytest prints in a student's folder whose module of ``stub`` is ``path``."""
    shutil.copytree(ROOT / "assignment" / "hw1", folder, dirs_exist_ok=True)
    shutil.copyfile(path, folder / f"{load().stubs[stub]}.py")
    command = [sys.executable, "-m", "pytest", "-q", "--lang", language]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


TWINS = [
    next(entry for entry in ENTRIES if entry.kind == "twins" and entry.stub == stub)
    for stub in load().stubs
    if stub != "pgd_attack"
]


@pytest.mark.slow
@pytest.mark.parametrize("entry", TWINS, ids=named)
def test_students_are_told_their_mistake_in_their_own_folder(entry: Entry, tmp_path: Path) -> None:
    told = LABELS[entry.stub, entry.name].diagnosis
    said = students_own_run(tmp_path / "hand in", entry.stub, entry.path, "fa")
    assert told.fa in said and told.en not in said
    assert told.en in students_own_run(tmp_path / "hand in", entry.stub, entry.path, "en")


def test_nothing_is_recognised_in_the_reference(assignment: Assignment, contestants: Contestants) -> None:
    bench = Bench(assignment, contestants)
    for entry in verdicts.entries(assignment, ["reference"], ["convert_label_to_similarity", "fgsm_attack"]):
        assert verdicts.mistakes(bench.verdict(entry), RIGHT) == []


def test_a_wrong_verdict_is_told(assignment: Assignment) -> None:
    entry = Entry("wrong", "fgsm_attack", "no_sign", Path("no_sign.py"))
    label: Any = LABELS["fgsm_attack", "no_sign"]
    right = verdicts.Verdict(entry, 1, label.fails, label.diagnosis.en, ())
    assert verdicts.mistakes(right, label) == []
    for wrong in (
        verdicts.Verdict(entry, 1, (), label.diagnosis.en, ()),
        verdicts.Verdict(entry, 1, label.fails, "", ()),
        verdicts.Verdict(entry, 1, label.fails, label.diagnosis.en, ("a fault",)),
    ):
        assert len(verdicts.mistakes(wrong, label)) == 1


@pytest.mark.slow
def test_the_door_prints_the_table_and_tells_a_wrong_verdict(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["verdicts", "--stub", "pgd_attack", "--jobs", "1", "--kind", "reference", "--kind", "twins"]) == 0
    assert "| `pgd_attack` " in capsys.readouterr().out
    assert main(["verdicts", "--stub", "unheard_of"]) == 2
    assert "no stub unheard_of" in capsys.readouterr().err
    monkeypatch.setattr(verdicts, "labels", lambda assignment: dict.fromkeys(LABELS, RIGHT))
    assert main(["verdicts", "--stub", "pgd_attack", "--jobs", "1", "--kind", "twins"]) == 1
    assert "in place of nothing" in capsys.readouterr().out
