"""Checks of `LabelSmoothingCrossEntropy`, `convert_label_to_similarity` and `CircleLoss`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from hw1.tests.expect import (
    N_,
    Draw,
    Expected,
    Mistake,
    Sentence,
    answer,
    finite_gradients,
    gradients,
    has_shape,
    is_callable,
    mistake,
    several,
)

LOSS = N_("The loss")
SP, SN = N_("sp"), N_("sn")

SMOOTHING = N_(
    "The target is (1 - epsilon) * onehot + epsilon / K over all K classes, the true one among them, and the loss is "
    "the mean over the batch (Szegedy et al. 2016, section 7). Look at LabelSmoothingCrossEntropy in losses.py."
)
SMOOTHING_OPTIONS = N_(
    "epsilon, the number of classes and the batch size must be taken from the arguments, never assumed. Look at "
    "LabelSmoothingCrossEntropy in losses.py."
)
SMOOTHING_GRADIENT = N_(
    "The gradient must flow through every logit; its value is (softmax(logits) - target) / N. Look for detach(), "
    "data, item() or a wrong mean in LabelSmoothingCrossEntropy in losses.py."
)
SMOOTHING_STABILITY = N_(
    "exp() of a large logit overflows, and the log of a softmax that became 0 is -inf: use log_softmax. Look at "
    "LabelSmoothingCrossEntropy in losses.py."
)
PAIRS = N_(
    "Each pair i < j counts once, in row-major order (0,1), (0,2), ..., (1,2), ...: pairs of one class in sp, of two "
    "classes in sn. Look at convert_label_to_similarity in losses.py."
)
PAIRS_GRADIENT = N_(
    "sp and sn must stay connected to the features, or nothing can be trained with them. Look for detach(), data or "
    "new tensors made from numbers in convert_label_to_similarity in losses.py."
)
CIRCLE = N_(
    "The loss is log(1 + sum exp(gamma*an*(sn - m)) * sum exp(-gamma*ap*(sp - (1 - m)))) with ap = [1 + m - sp]+ and "
    "an = [sn + m]+ (Sun et al. 2020, eq. 6). Look at CircleLoss in losses.py."
)
CIRCLE_GRADIENT = N_(
    "The weights ap and an are constants to the gradient: detach them (Sun et al. 2020, section 3.2). Look at "
    "CircleLoss in losses.py."
)
CIRCLE_EMPTY = N_(
    "A batch without a pair of one class, or without a pair of two, is ordinary: the loss and its gradients must "
    "stay finite. Look at CircleLoss in losses.py."
)
CIRCLE_STABILITY = N_(
    "exp() of gamma times a similarity overflows: add up in log space with logsumexp, and end with softplus. Look at "
    "CircleLoss in losses.py."
)


def smoothing_loss(stubs: Any, *epsilon: float) -> Callable[..., Any]:
    return is_callable(stubs.LabelSmoothingCrossEntropy(*epsilon), "LabelSmoothingCrossEntropy(epsilon)")


def smoothing_case(draw: Draw, batch: int, classes: int, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    """Logits and classes: every class is there if the batch can hold them all, and the last one is not if it cannot.

    Left to chance, it would hang on the seed what a loss loses that takes K from the labels, or forgets a class.
    """
    logits, target = draw.normal(batch, classes, scale=scale), draw.labels(batch, classes)
    if batch < classes:
        return logits, target % (classes - 1)
    target[:classes] = torch.from_numpy(draw.random.permutation(classes))
    return logits, target


@pytest.mark.criterion("smoothing.value")
@pytest.mark.parametrize("batch", [8, 33])
def test_smoothing_value(submission: Any, draw: Draw, expected: Expected, batch: int) -> None:
    logits, target = smoothing_case(draw, batch, classes=10)
    expected.close(
        submission,
        lambda stubs: smoothing_loss(stubs, 0.25)(logits, target),
        LOSS,
        terms=batch + 10,  # a sum over classes, and one over the batch of what came out
        scale=float(logits.abs().max()),
        hint=SMOOTHING,
    )


@pytest.mark.criterion("smoothing.options")
@pytest.mark.parametrize(
    "epsilon, batch, classes", [(0.0, 5, 10), (0.1, 1, 3), (0.4, 16, 2), (0.6, 7, 101), (1.0, 6, 10), (None, 4, 12)]
)
def test_smoothing_options(
    submission: Any, draw: Draw, expected: Expected, epsilon: float | None, batch: int, classes: int
) -> None:
    logits, target = smoothing_case(draw, batch, classes)
    arguments = [] if epsilon is None else [epsilon]  # the default is part of the contract
    expected.close(
        submission,
        lambda stubs: smoothing_loss(stubs, *arguments)(logits, target),
        LOSS,
        terms=batch + classes,
        scale=float(logits.abs().max()),
        hint=SMOOTHING_OPTIONS,
    )


@pytest.mark.criterion("smoothing.gradient")
@pytest.mark.parametrize("epsilon, classes", [(0.25, 10), (0.1, 4)])
def test_smoothing_gradient(submission: Any, draw: Draw, expected: Expected, epsilon: float, classes: int) -> None:
    logits, target = smoothing_case(draw, 6, classes)

    def gradient(stubs: Any) -> list[Tensor]:
        return gradients(lambda x: smoothing_loss(stubs, epsilon)(x, target), logits)

    expected.close(submission, gradient, N_("The gradient of the logits"), terms=classes, hint=SMOOTHING_GRADIENT)


@pytest.mark.criterion("smoothing.stability")
@pytest.mark.parametrize("size", [200.0, 1e4])
def test_smoothing_stability(submission: Any, draw: Draw, size: float) -> None:
    logits, target = smoothing_case(draw, 8, classes=10, scale=size)
    before = logits.clone(), target.clone()
    loss = smoothing_loss(submission, 0.25)
    loss(logits, target)
    for now, then, what in zip(
        (logits, target), before, (N_("The first argument"), N_("The second argument")), strict=True
    ):
        if not torch.equal(now, then):
            raise mistake(
                N_(
                    "{what} was changed in place. Work on a new tensor: x + y makes one, x += y and x.add_(y) do not."
                ),
                what=what,
            )
    once = finite_gradients(lambda x: loss(x, target), logits, hint=SMOOTHING_STABILITY)
    twice = finite_gradients(lambda x: loss(x, target), 2 * logits, hint=SMOOTHING_STABILITY)
    # Between logits far apart the loss is proportional to them; a small number added inside the logarithm, or a
    # clamp, holds it back. Whether its value is right is another criterion's question. logsumexp(2x) falls short of
    # 2 logsumexp(x) by log K = 2.3 at most, which is a hundredth of a loss of some 300, so that a tenth is ample.
    if not 1.8 < float(twice / once) < 2.2:
        raise Mistake(
            Sentence(N_("{what} does not grow as large logits do."), {"what": LOSS}),
            Sentence(SMOOTHING_STABILITY),
            answers=[answer(twice, terms=80)],
        )


@pytest.mark.criterion("smoothing.stability")
@pytest.mark.parametrize("first, last", [(-1e3, -1e3), (1e3, 1e3), (-1e3, 1e3)])
def test_smoothing_shifted(submission: Any, draw: Draw, first: float, last: float) -> None:
    """A constant added to all logits of an image changes no probability."""
    logits, target = smoothing_case(draw, 8, classes=10)
    shifted = logits + torch.linspace(first, last, 8)[:, None]
    finite_gradients(lambda x: smoothing_loss(submission, 0.25)(x, target), shifted, hint=SMOOTHING_STABILITY)


def unit_features(draw: Draw, count: int, length: int = 16) -> Tensor:
    """Features (count, length) of length 1, with a common part so that similarities of both signs come up."""
    return F.normalize(draw.normal(count, length) + 0.3, dim=1)


@pytest.mark.criterion("similarity.values")
@pytest.mark.parametrize("count, classes", [(8, 3), (24, 5)])
def test_similarity_values(submission: Any, draw: Draw, expected: Expected, count: int, classes: int) -> None:
    features, half = unit_features(draw, count), draw.labels(count // 2, classes)
    half[:2] = torch.tensor([0, 1])  # at least two classes, and no class of one: that is an edge
    label = torch.cat([half, half])[torch.from_numpy(draw.random.permutation(count))]
    expected.close(
        submission,
        lambda stubs: stubs.convert_label_to_similarity(features, label),
        SP,
        SN,
        terms=16,
        scale=1,
        hint=PAIRS,
    )


@pytest.mark.criterion("similarity.edges")
@pytest.mark.parametrize(
    "labels, dtype",
    [
        pytest.param([3, 3, 3, 3], torch.int64, id="one_class"),
        pytest.param([4, 0, 9, 2, 7], torch.int64, id="all_different"),
        pytest.param([5], torch.int64, id="one_image"),
        pytest.param([1, 1], torch.int64, id="two_images_same"),
        pytest.param([2, 7], torch.int64, id="two_images_different"),
        pytest.param([0, 0, 1, 0, 6], torch.int64, id="a_class_of_one"),
        pytest.param([-7, 1000003, -7, 1000003, 5], torch.int64, id="any_numbers"),
        pytest.param([2, 0, 2, 1, 0], torch.int32, id="int32"),
        pytest.param([200, 0, 200, 255, 0], torch.uint8, id="uint8"),
    ],
)
def test_similarity_edges(
    submission: Any, draw: Draw, expected: Expected, labels: list[int], dtype: torch.dtype
) -> None:
    features, label = unit_features(draw, len(labels)), torch.tensor(labels, dtype=dtype)
    expected.close(
        submission,
        lambda stubs: stubs.convert_label_to_similarity(features, label),
        SP,
        SN,
        terms=16,
        scale=1,
        hint=PAIRS,
    )


@pytest.mark.criterion("similarity.edges")
def test_similarity_orthogonal(submission: Any, expected: Expected) -> None:
    features, label = torch.eye(5), torch.tensor([0, 0, 1, 1, 0])  # a similarity of 0 is a similarity
    expected.close(
        submission,
        lambda stubs: stubs.convert_label_to_similarity(features, label),
        SP,
        SN,
        terms=5,
        scale=1,
        hint=PAIRS,
    )


@pytest.mark.criterion("similarity.gradient")
def test_similarity_gradient(submission: Any, draw: Draw, expected: Expected) -> None:
    raw, label = draw.normal(8, 16) + 0.3, torch.tensor([0, 1, 2, 0, 1, 2, 0, 0])
    weight_p, weight_n = draw.normal(8), draw.normal(20)  # 8 pairs of one class, 20 of two

    def gradient(stubs: Any) -> list[Tensor]:
        # Through the normalisation: rows have length 1, and what the gradient is along a row no contract says.
        def weighted(x: Tensor) -> Tensor:
            sp, sn = several(stubs.convert_label_to_similarity(F.normalize(x, dim=1), label), 2)
            return (weight_p * has_shape(sp, (8,), SP)).sum() + (weight_n * has_shape(sn, (20,), SN)).sum()

        return gradients(weighted, raw)

    expected.close(submission, gradient, N_("The gradient of the features"), terms=64, hint=PAIRS_GRADIENT)


def circle_loss(stubs: Any, m: float, gamma: float) -> Callable[..., Any]:
    return is_callable(stubs.CircleLoss(m, gamma), "CircleLoss(m, gamma)")


def circle_case(draw: Draw, positives: int = 12, negatives: int = 30) -> tuple[Tensor, Tensor]:
    """Similarities over the whole of [-1, 1]: on both sides of every margin and of every clamp."""
    return draw.uniform(positives, low=-1, high=1), draw.uniform(negatives, low=-1, high=1)


def well_separated_case(draw: Draw) -> tuple[Tensor, Tensor]:
    """Good pairs alone: the loss is small, and it is here that a missing softplus or clamp shows."""
    return draw.uniform(4, low=0.95, high=1.0), draw.uniform(4, low=-1.0, high=-0.5)


@pytest.mark.criterion("circle.value")
@pytest.mark.parametrize(
    "m, gamma, positives, negatives",
    [(0.25, 1.0, 12, 30), (0.25, 4.0, 12, 30), (0.4, 2.0, 30, 12), (0.0, 3.0, 1, 9), (0.1, 0.5, 9, 1)],
)
def test_circle_value(
    submission: Any, draw: Draw, expected: Expected, m: float, gamma: float, positives: int, negatives: int
) -> None:
    sp, sn = circle_case(draw, positives, negatives)
    expected.close(
        submission,
        lambda stubs: circle_loss(stubs, m, gamma)(sp, sn),
        LOSS,
        terms=42,
        hint=CIRCLE,
    )


@pytest.mark.criterion("circle.value")
@pytest.mark.parametrize(
    "m, gamma",
    [
        (0.25, 4.0),
        (0.4, 8.0),
        (0.25, 128.0),  # the only ones whose exponents are so low that the loss comes near to 0
        (-0.25, 4.0),  # below 0 both weights are clamped
    ],
)
def test_circle_well_separated(submission: Any, draw: Draw, expected: Expected, m: float, gamma: float) -> None:
    sp, sn = well_separated_case(draw)
    expected.close(
        submission,
        lambda stubs: circle_loss(stubs, m, gamma)(sp, sn),
        LOSS,
        terms=8,
        scale=1,
        hint=CIRCLE,
    )


@pytest.mark.criterion("circle.gradient")
@pytest.mark.parametrize(
    "m, gamma, case",
    [
        pytest.param(0.25, 4.0, circle_case, id="0.25-4"),
        pytest.param(0.4, 2.0, circle_case, id="0.4-2"),
        pytest.param(0.1, 12.0, circle_case, id="0.1-12"),
        pytest.param(0.4, 8.0, well_separated_case, id="well_separated"),
        pytest.param(0.4, 32.0, well_separated_case, id="low_loss"),
    ],
)
def test_circle_gradient(
    submission: Any,
    draw: Draw,
    expected: Expected,
    m: float,
    gamma: float,
    case: Callable[[Draw], tuple[Tensor, Tensor]],
) -> None:
    sp, sn = case(draw)

    def gradient(stubs: Any) -> list[Tensor]:
        return gradients(circle_loss(stubs, m, gamma), sp, sn)

    # A gradient is gamma times a weight times a softmax, whose relative error is that of its exponent.
    expected.close(
        submission,
        gradient,
        N_("The gradient of sp"),
        N_("The gradient of sn"),
        terms=42,
        scale=gamma * (2 + m) * max(1.0, gamma),
        hint=CIRCLE_GRADIENT,
    )


@pytest.mark.criterion("circle.empty")
@pytest.mark.parametrize("positives, negatives", [(0, 5), (5, 0), (0, 0)])
def test_circle_empty(submission: Any, draw: Draw, positives: int, negatives: int) -> None:
    finite_gradients(circle_loss(submission, 0.25, 4.0), *circle_case(draw, positives, negatives), hint=CIRCLE_EMPTY)


@pytest.mark.criterion("circle.stability")
@pytest.mark.parametrize("gamma", [80.0, 256.0, 1024.0])
def test_circle_stability(submission: Any, draw: Draw, expected: Expected, gamma: float) -> None:
    sp, sn = circle_case(draw)
    sp[:2], sn[:2] = sp.min(), sn.max()  # the worst pairs tie: at a large gamma each of them counts, and no other

    def loss(stubs: Any) -> Any:
        return circle_loss(stubs, 0.25, gamma)(sp, sn)

    expected.close(submission, loss, LOSS, terms=42, hint=CIRCLE_STABILITY)
    finite_gradients(circle_loss(submission, 0.25, gamma), sp, sn, hint=CIRCLE_STABILITY)
