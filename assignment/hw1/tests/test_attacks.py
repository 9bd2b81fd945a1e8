"""Checks of `fgsm_attack` and of the bonus, `pgd_attack`."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hw1.tests.expect import N_, Draw, Expected, is_tensor, mistake

PERTURBED = N_("The perturbed image")
STEP = N_(
    "Each pixel must move by exactly epsilon along the sign of its gradient, in pixel units "
    "(Goodfellow et al. 2015, section 4). Look at fgsm_attack in attacks.py."
)
RANGE = N_(
    "Pixels must be clamped to [0, 1] after the step; it is the image that is clamped, not the perturbation. "
    "Look at the end of fgsm_attack in attacks.py."
)
ZERO = N_("sign(0) is 0: where the gradient is zero the pixel must not move. Look at fgsm_attack in attacks.py.")
DTYPE = N_(
    "The result has the dtype of the image: a network takes no other. Look at what is made in another dtype in "
    "attacks.py."
)
PGD = N_(
    "Each of the steps moves by alpha along the sign of the gradient at the current point, then projects back to "
    "within epsilon of the first image and into [0, 1] (Madry et al. 2018, section 2.1). Look at pgd_attack in "
    "attacks.py."
)


def untouched(now: Tensor, before: Tensor, what: str) -> None:
    """Raises a `Mistake` if a call has changed its argument in place."""
    if not torch.equal(now, before):
        raise mistake(
            N_("{what} was changed in place. Work on a new tensor: x + y makes one, x += y and x.add_(y) do not."),
            what=what,
        )


def of_dtype(attacked: Any, dtype: torch.dtype) -> Any:
    """What an attack gave, if it is a tensor of this dtype or no tensor of floats at all; otherwise a `Mistake`."""
    if isinstance(attacked, Tensor) and attacked.is_floating_point() and attacked.dtype != dtype:
        kinds = {"what": PERTURBED, "want": str(dtype), "got": str(attacked.dtype)}
        raise mistake(N_("{what} must hold {want} numbers, but holds {got}."), DTYPE, **kinds)
    return attacked


@pytest.mark.criterion("fgsm.step")
@pytest.mark.parametrize("epsilon, count", [(0.0, 2), (1 / 255, 2), (8 / 255, 1), (0.1, 3), (0.25, 2)])
def test_fgsm_step(submission: Any, draw: Draw, expected: Expected, epsilon: float, count: int) -> None:
    shape = count, 3, 8, 6
    image = draw.uniform(*shape, low=0.3, high=0.7)  # no pixel can leave [0, 1]: this is about the step alone
    # Gradients of many sizes, per image and per pixel: only the sign may count.
    grad = draw.normal(*shape) * 10 ** draw.uniform(*shape, low=-6, high=2)
    expected.close(
        submission,
        lambda stubs: of_dtype(stubs.fgsm_attack(image, epsilon, grad), image.dtype),
        PERTURBED,
        terms=1,
        scale=1,
        hint=STEP,
    )


@pytest.mark.criterion("fgsm.range")
@pytest.mark.parametrize("epsilon", [0.1, 0.5, 2.0])
def test_fgsm_range(submission: Any, draw: Draw, expected: Expected, epsilon: float) -> None:
    image = draw.uniform(2, 3, 8, 8)
    image[:, :, 0], image[:, :, 1] = 0.0, 1.0  # black and white rows: half of their pixels are pushed outside
    grad = draw.normal(2, 3, 8, 8)
    expected.close(
        submission,
        lambda stubs: stubs.fgsm_attack(image, epsilon, grad),
        PERTURBED,
        terms=1,
        scale=1,
        hint=RANGE,
    )


@pytest.mark.criterion("fgsm.zero")
def test_fgsm_zero(submission: Any, draw: Draw, expected: Expected) -> None:
    image = draw.uniform(2, 1, 8, 8, low=0.3, high=0.7)
    grad = draw.normal(2, 1, 8, 8)
    grad[:, :, ::2], grad[:, :, 1] = 0.0, -0.0
    expected.close(
        submission,
        lambda stubs: stubs.fgsm_attack(image, 0.1, grad),
        PERTURBED,
        terms=1,
        scale=1,
        hint=ZERO,
    )


@pytest.mark.criterion("fgsm.untouched")
@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_fgsm_untouched(submission: Any, draw: Draw, epsilon: float) -> None:
    image, grad = draw.uniform(2, 3, 8, 8, low=-0.0, high=1), draw.normal(2, 3, 8, 8)
    image_before, grad_before = image.clone(), grad.clone()
    is_tensor(submission.fgsm_attack(image, epsilon, grad), PERTURBED)
    untouched(image, image_before, N_("The image passed in"))
    untouched(grad, grad_before, N_("The gradient passed in"))


@pytest.mark.criterion("pgd.steps")
@pytest.mark.parametrize("steps, alpha", [(1, 8 / 256), (3, 8 / 256), (10, 5 / 256)])
def test_pgd_steps(submission: Any, draw: Draw, expected: Expected, steps: int, alpha: float) -> None:
    # Binary fractions: image, step and ball are exact, so no rounding can turn a later gradient's sign.
    image = draw.labels(2 * 3 * 6 * 6, 257).reshape(2, 3, 6, 6) / 256
    phase = draw.uniform(2, 3, 6, 6, high=6.3)
    phase[:, :, 2] = 0.0

    def waves(x: Tensor) -> Tensor:
        """A gradient that turns within the ball, with its pixel and with the neighbour: every step matters.

        In one row it is zero, and the pixels stay: sign(0) is 0.
        """
        return torch.sin(30 * x + 50 * x.roll(1, dims=3) + phase) * (phase > 0)

    def attack(stubs: Any) -> Any:
        return of_dtype(stubs.pgd_attack(image, 26 / 256, alpha, steps, waves), image.dtype)

    expected.close(submission, attack, PERTURBED, terms=steps, scale=1, hint=PGD)


@pytest.mark.criterion("pgd.ball")
@pytest.mark.parametrize("steps, alpha, epsilon", [(0, 0.05, 0.06), (5, 0.05, 0.06), (3, 0.15, 0.06), (2, 0.05, 0.0)])
def test_pgd_ball(submission: Any, draw: Draw, expected: Expected, steps: int, alpha: float, epsilon: float) -> None:
    image = draw.uniform(2, 3, 6, 6)
    image[:, :, 0], image[:, :, 1] = 0.0, 1.0
    slope, before = draw.normal(2, 3, 6, 6), image.clone()

    # A constant gradient, and steps that lead out of the ball: the projection alone decides where it ends.
    def attack(stubs: Any) -> Any:
        return stubs.pgd_attack(image, epsilon, alpha, steps, lambda x: slope)

    expected.close(submission, attack, PERTURBED, terms=max(steps, 1), scale=1, hint=PGD)
    untouched(image, before, N_("The image passed in"))
