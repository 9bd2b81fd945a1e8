"""Grading the unit criteria: the right verdict for right, blank, broken and dying hand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.results import Result, read_result

Make = Callable[..., Path]
Grade = Callable[[Path], Result]

STUBS_OF = {
    "resnet": {"ResNet18"},
    "losses": {"LabelSmoothingCrossEntropy", "convert_label_to_similarity", "CircleLoss"},
    "attacks": {"fgsm_attack", "pgd_attack"},
}
UNIT_POINTS = 64


def attack(body: str, before: str = "") -> str:
    """The text of an attacks.py whose two stubs both do ``body``, one indented line."""
    return f"{before}\n\ndef fgsm_attack(*a):\n    {body}\n\n\npgd_attack = fgsm_attack\n"


RAISES_WITH_BOM = attack("raise ValueError('<b>{0}')", "\ufeff").replace("\n", "\r\n")


def status_of(result: Result, stub: str) -> set[str]:
    return {criterion.status for criterion in result.criteria if criterion.stub == stub}


def lost(result: Result) -> set[str]:
    """The stubs of which anything was lost."""
    return {criterion.stub for criterion in result.criteria if criterion.points < criterion.max_points}


def test_the_reference_gets_everything(grade_unit: Grade, assignment: Assignment) -> None:
    result = grade_unit(assignment.folder)
    assert lost(result) == set()
    assert (result.score, result.max_score, result.pending, result.faults) == (UNIT_POINTS, UNIT_POINTS, 0, [])


def test_the_released_stubs_get_nothing(grade_unit: Grade) -> None:
    released = Path(__file__).resolve().parents[1] / "assignment" / "hw1"
    result = grade_unit(released)
    assert result.score == 0 and result.faults == []
    assert {criterion.status for criterion in result.criteria} == {"failed"}
    assert all("not written yet" in c.message.en and "نوشته نشده" in c.message.fa for c in result.criteria)


def test_grading_twice_gives_the_same(grade_unit: Grade) -> None:
    sample = Path(__file__).parent / "samples" / "mixed"
    first, second = grade_unit(sample), grade_unit(sample)
    strip = {"duration_s"}
    assert [c.model_dump(exclude=strip) for c in first.criteria] == [
        c.model_dump(exclude=strip) for c in second.criteria
    ]
    assert first.score == 49
    failed = {c.id for c in first.criteria if c.status == "failed" and not c.bonus}
    assert failed == {"smoothing.value", "smoothing.options", "smoothing.gradient", "circle.gradient", "fgsm.range"}


def test_what_is_written_can_be_read(grade_unit: Grade, hand_in: Make, tmp_path: Path) -> None:
    result = grade_unit(hand_in())
    assert read_result(tmp_path / "out") == result


@pytest.mark.parametrize(
    "module, text, status",
    [
        pytest.param("attacks", "def fgsm_attack(:\n", "error", id="syntax"),
        pytest.param("losses", "import no_such_module\n", "error", id="import"),
        pytest.param("attacks", None, "failed", id="missing_file"),
        pytest.param("attacks", "", "error", id="missing_stub"),
        pytest.param("attacks", "fgsm_attack = pgd_attack = 3\n", "error", id="not_callable"),
        pytest.param("resnet", "def ResNet18():\n    return None\n", "error", id="signature"),
        pytest.param("resnet", "import sys\nsys.exit(0)\n", "error", id="exit_at_import"),
        pytest.param("losses", "import os\nos._exit(0)\n", "error", id="dies_at_import"),
        pytest.param("attacks", attack("return a[0].clone().numpy()"), "failed", id="numpy"),
        pytest.param("attacks", attack("return None"), "failed", id="none"),
        pytest.param("attacks", RAISES_WITH_BOM, "error", id="raises"),
    ],
)  # fmt: skip
def test_a_broken_module_costs_its_own_stubs_alone(
    grade_unit: Grade, hand_in: Make, module: str, text: str | None, status: str
) -> None:
    result = grade_unit(hand_in(**{module: text}))
    assert lost(result) == STUBS_OF[module]
    for stub in STUBS_OF[module]:
        assert status_of(result, stub) == {status}
    assert result.faults == []
    assert all(c.message.en and c.message.fa for c in result.criteria if c.points < c.max_points)


def test_one_broken_stub_costs_itself_alone(grade_unit: Grade, hand_in: Make, assignment: Assignment) -> None:
    losses = (assignment.folder / "losses.py").read_text(encoding="utf-8")
    broken = losses + "\n\nclass CircleLoss(nn.Module):\n    def __init__(self, m, gamma):\n        self.m = m\n"
    result = grade_unit(hand_in(losses=broken))
    assert lost(result) == {"CircleLoss"}


def test_an_error_says_where(grade_unit: Grade, hand_in: Make) -> None:
    result = grade_unit(hand_in(attacks=attack("raise ValueError('oh')")))
    message = next(c.message for c in result.criteria if c.id == "fgsm.step")
    assert "line 4 of attacks.py" in message.en and "oh" in message.en and "attacks.py" in message.fa


def test_a_death_is_told_from_a_mistake(grade_unit: Grade, hand_in: Make) -> None:
    text = attack("os._exit(3)", "import os")
    result = grade_unit(hand_in(attacks=text))
    assert status_of(result, "fgsm_attack") == {"error"}
    assert "(the process ended with exit code 3)" in next(
        c.message.en for c in result.criteria if c.id == "fgsm.step"
    )
    assert lost(result) == STUBS_OF["attacks"]


@pytest.mark.slow
def test_a_call_that_never_returns_is_a_timeout(grade_unit: Grade, hand_in: Make) -> None:
    deaf = "while True:\n        try:\n            while True: pass\n        except BaseException: pass"
    text = f"def fgsm_attack(*a):\n    {deaf}\n"
    result = grade_unit(hand_in(attacks=text + "def pgd_attack(*a):\n    raise NotImplementedError\n"))
    assert status_of(result, "fgsm_attack") == {"timeout"}
    assert lost(result) == STUBS_OF["attacks"]


def test_bonus_points_make_up_for_lost_ones_and_for_no_more(
    grade_unit: Grade, hand_in: Make, assignment: Assignment
) -> None:
    attacks = (assignment.folder / "attacks.py").read_text(encoding="utf-8")
    wrong = (
        attacks + "\n\ndef fgsm_attack(image, epsilon, data_grad):\n    return image + epsilon * data_grad.sign()\n"
    )
    result = grade_unit(hand_in(attacks=wrong))
    assert lost(result) == {"fgsm_attack"}
    assert result.score == UNIT_POINTS  # 3 points lost in fgsm.range, 5 of bonus
