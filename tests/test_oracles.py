"""The references agree with other people's code: torch, torchvision, pytorch-metric-learning and IBM's ART.

ART is the Adversarial Robustness Toolbox (Nicolae et al. 2018). Where a library computes in any precision, the
comparison is in float64, so that only rounding far below any mistake is left; ART knows float32 alone.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.losses import CircleLoss
from pytorch_metric_learning.reducers import MeanReducer
from pytorch_metric_learning.utils.loss_and_miner_utils import get_all_pairs_indices
from torch import Tensor, nn
from torch.nn import functional as F

from autograder.assignment import load
from autograder.contestant.zygote import load_torchvision

losses, attacks, resnet = (load().module(name) for name in ("losses", "attacks", "resnet"))
measurement, training, datasets = (load().module(name) for name in ("measurement", "training", "datasets"))

close = partial(torch.testing.assert_close, rtol=1e-7, atol=1e-9)
"""float64 rounds at 1e-16; sums of ten thousand terms, and norms over few values, may lose some digits of it."""


def drawn(seed: int, *shape: int) -> Tensor:
    """Standard normal numbers, float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def value_and_gradients(function: Callable[..., Tensor], *inputs: Tensor) -> list[Tensor]:
    """The scalar ``function(*inputs)``, then its gradient with respect to each input."""
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    value = function(*leaves)
    return [value.detach(), *torch.autograd.grad(value, leaves)]


# Label smoothing: torch


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_label_smoothing_is_torchs(epsilon: float, classes: int) -> None:
    target = torch.arange(16) * 7 % classes
    ours, torchs = losses.LabelSmoothingCrossEntropy(epsilon), nn.CrossEntropyLoss(label_smoothing=epsilon)
    for scale in (1.0, 30.0, 1e4):
        logits = scale * drawn(classes, 16, classes)
        close(
            value_and_gradients(lambda x: ours(x, target), logits),
            value_and_gradients(lambda x: torchs(x, target), logits),
        )


# ResNet18: torchvision


@pytest.fixture(scope="module")
def torchvision() -> ModuleType:
    """``torchvision.models.resnet``."""
    load_torchvision()
    return importlib.import_module("torchvision.models.resnet")


def redrawn(model: nn.Module) -> nn.Module:
    """The model in float64, with every weight and statistic drawn anew: no norm is left the identity."""
    model.double()
    for i, (name, value) in enumerate(model.state_dict().items()):
        if value.dim() > 1:
            value.copy_(drawn(i, *value.shape) * math.sqrt(2 / value[0].numel()))
        elif value.dim() == 1:
            value.copy_(drawn(i, *value.shape) * 0.2 + float(name.endswith(("weight", "var"))))
            if name.endswith("var"):
                value.abs_()
    return model


@pytest.mark.parametrize("size", [(32, 32), (72, 40)])
def test_resnet_is_torchvisions(torchvision: ModuleType, size: tuple[int, int]) -> None:
    theirs = redrawn(torchvision.resnet18(num_classes=10))
    ours = resnet.ResNet18().double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    images = drawn(0, 3, 3, *size)

    with torch.no_grad():
        close(ours.eval()(images), theirs.eval()(images))

    before = {name: value.clone() for name, value in theirs.state_dict().items()}
    inputs = [images.clone().requires_grad_() for _ in range(2)]
    for model, x in zip((ours, theirs), inputs, strict=True):
        logits = model.train()(x)
        (logits * drawn(1, *logits.shape)).sum().backward()
    close(inputs[0].grad, inputs[1].grad)
    close(
        {name: p.grad for name, p in ours.named_parameters()}, {name: p.grad for name, p in theirs.named_parameters()}
    )
    close(ours.state_dict(), theirs.state_dict())
    moved = {name for name, value in theirs.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {name for name, _ in theirs.named_buffers()}  # both have counted a batch

    theirs.fc = nn.Identity()
    with torch.no_grad():
        close(ours.eval().features(images), theirs.eval()(images))


class Shift(nn.Module):
    """In place of a norm: adds a learned number to each channel, as the bias of the convolution before it would."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias[:, None, None]


def test_resnet_without_norms_is_torchvisions_with_shifts_for_norms(torchvision: ModuleType) -> None:
    """Torchvision's convolutions have no bias, so its norm layer is one that holds the bias and nothing else."""
    theirs = redrawn(torchvision.resnet18(num_classes=10, norm_layer=Shift))

    def ours_for(name: str) -> str:
        return name.replace("bn", "conv").replace("downsample.1", "downsample.0")

    ours = resnet.ResNet18(batch_norm=False).double()
    ours.load_state_dict({ours_for(name): value for name, value in theirs.state_dict().items()}, strict=True)
    images = drawn(0, 2, 3, 48, 40)
    for model in (ours, theirs):
        logits = model(images)
        (logits * drawn(1, *logits.shape)).sum().backward()
    close(ours(images), theirs(images))
    close(
        {name: p.grad for name, p in ours.named_parameters()},
        {ours_for(name): p.grad for name, p in theirs.named_parameters()},
    )


# Circle loss: pytorch-metric-learning


@pytest.mark.parametrize(("m", "gamma"), [(0.25, 1.0), (0.25, 256.0), (0.4, 80.0), (0.0, 16.0)])
@pytest.mark.parametrize(("positives", "negatives"), [(12, 30), (1, 9), (40, 3), (0, 5), (5, 0)])
def test_circle_loss_is_the_librarys_of_one_anchor(m: float, gamma: float, positives: int, negatives: int) -> None:
    """Eq. 6 is about the similarities of one anchor, and the library's loss of a batch is the mean over anchors.

    So the library gets one anchor: a unit vector in the plane, beside a gallery of unit vectors whose cosines with
    it are any similarities that we like. Compared are the loss and its gradient with respect to each similarity.
    """
    sp, sn = drawn(0, positives).tanh(), drawn(1, negatives).tanh()
    library = CircleLoss(m=m, gamma=gamma, reducer=MeanReducer())

    def theirs(sp: Tensor, sn: Tensor) -> Tensor:
        cosine = torch.cat([sp, sn])
        value: Tensor = library(
            torch.tensor([[1.0, 0.0]], dtype=torch.float64),
            torch.tensor([1]),
            ref_emb=torch.stack([cosine, (1 - cosine.square()).sqrt()], dim=1),
            ref_labels=torch.tensor([1] * positives + [0] * negatives),
        )
        return value

    close(value_and_gradients(losses.CircleLoss(m, gamma), sp, sn), value_and_gradients(theirs, sp, sn))


BATCHES = {
    "drawn": [0, 1, 0, 2, 1, 1, 0, 2, 3, 0],
    "one class": [4] * 5,
    "all different": [3, 1, 4, 2],
    "sorted": [7, 7, 7, 8, 8, 9],
}


@pytest.mark.parametrize("labels", BATCHES.values(), ids=BATCHES)
def test_pairs_and_similarities_are_the_librarys(labels: list[int]) -> None:
    """The library names every pair twice, row by row; the half with i < j is ours."""
    label = torch.tensor(labels)
    features = F.normalize(drawn(0, len(label), 6), dim=1)
    first, positive, second, negative = get_all_pairs_indices(label)
    cosine = CosineSimilarity()(features)
    sp, sn = losses.convert_label_to_similarity(features, label)
    close(sp, cosine[first, positive][first < positive])
    close(sn, cosine[second, negative][second < negative])


def test_similarity_and_circle_loss_make_the_librarys_loss_of_a_batch() -> None:
    """From raw features to the gradient with respect to them, anchor by anchor: the library takes their mean.

    With an anchor in front of the batch, its pairs come first in each of our two groups.
    """
    label = torch.tensor([0, 1, 0, 2, 1, 1, 0, 2, 2, 0])
    library, ours = CircleLoss(m=0.25, gamma=32.0, reducer=MeanReducer()), losses.CircleLoss(0.25, 32.0)

    def by_anchors(raw: Tensor) -> Tensor:
        features = F.normalize(raw, dim=1)
        values = []
        for i in range(len(label)):
            order = [i, *(j for j in range(len(label)) if j != i)]
            sp, sn = losses.convert_label_to_similarity(features[order], label[order])
            positives = int((label == label[i]).sum()) - 1
            values.append(ours(sp[:positives], sn[: len(label) - 1 - positives]))
        return torch.stack(values).mean()

    raw = drawn(0, len(label), 6)
    close(value_and_gradients(by_anchors, raw), value_and_gradients(lambda x: library(x, label), raw))


# Attacks: the Adversarial Robustness Toolbox


class Network(nn.Module):
    """Smooth, with fixed weights, and blind to the last column of pixels, whose gradient is therefore zero.

    Takes images (N, 3, 32, 32) in [-1, 1], and sees only the means of squares of 8 by 8 pixels: an attack leaves
    some of its accuracy, and not all.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.fc = nn.Linear(48, 24, bias=False), nn.Linear(24, 10, bias=False)
        with torch.no_grad():
            self.hidden.weight.copy_(drawn(0, 24, 48) * 3 / math.sqrt(48))
            self.fc.weight.copy_(drawn(1, 10, 24))

    def features(self, x: Tensor) -> Tensor:
        seen = F.avg_pool2d(x[..., :-1], 8, ceil_mode=True).flatten(1)  # (N, 48)
        features: Tensor = self.hidden(seen).tanh()
        return features

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits


@pytest.fixture(scope="module")
def network() -> Network:
    return Network().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def images(network: Network) -> Any:
    """200 stored images, many of whose pixels are black or white, labelled as the network sees them but for 40."""
    rng = np.random.default_rng(0)
    squares = np.kron(rng.integers(-64, 320, (200, 3, 4, 4)), np.ones((8, 8), int)).clip(0, 255).astype(np.uint8)
    with torch.no_grad():
        seen = training.logits(network, training.to_float(torch.from_numpy(squares))).argmax(1).numpy()
    return datasets.Images("objects10", squares, np.where(np.arange(200) % 5 == 0, (seen + 1) % 10, seen))


@pytest.fixture(scope="module")
def art(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Tensor]:
    """``art(attack, images, labels, **options)``: ART's attack of that name on `network`, untargeted, L-infinity.

    Images (N, 3, 32, 32) in [0, 1]; ART itself shifts and scales them to [-1, 1] for the network.
    """
    with pytest.MonkeyPatch.context() as patch:
        # When imported, ART writes its settings into the home folder.
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        evasion = importlib.import_module("art.attacks.evasion")
        classification = importlib.import_module("art.estimators.classification")
    classifier = classification.PyTorchClassifier(
        network,
        nn.CrossEntropyLoss(reduction="sum"),
        input_shape=(3, 32, 32),
        nb_classes=10,
        clip_values=(0.0, 1.0),
        preprocessing=(0.5, 0.5),
        device_type="cpu",
    )

    def attack(name: str, images: Tensor, labels: Tensor, **options: Any) -> Tensor:
        attack = getattr(evasion, name)(classifier, batch_size=len(images), **options)
        return torch.from_numpy(attack.generate(images.numpy(), F.one_hot(labels, 10).numpy()))

    return attack


@pytest.fixture(scope="module")
def batch(images: Any) -> tuple[Tensor, Tensor]:
    """The images (N, 3, 32, 32), float in [0, 1], and their classes (N,)."""
    return training.to_float(torch.from_numpy(images.pixels)), torch.from_numpy(images.labels)


def same_images(ours: Tensor, arts: Tensor) -> None:
    """Up to some rounding steps of float32 near 1: ART takes and adds the image where we clamp."""
    torch.testing.assert_close(ours, arts, rtol=0, atol=1e-6)


def by_hand(network: Network, x: Tensor, labels: Tensor) -> Tensor:
    """The gradient of the summed cross-entropy at images in [0, 1]."""
    leaf = x.clone().requires_grad_()
    F.cross_entropy(network(2 * leaf - 1), labels, reduction="sum").backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return leaf.grad


@pytest.mark.parametrize("epsilon", [1 / 255, 8 / 255, 0.1, 0.7])
def test_fgsm_is_arts(
    art: Callable[..., Tensor], network: Network, batch: tuple[Tensor, Tensor], epsilon: float
) -> None:
    x, labels = batch
    grad = by_hand(network, x, labels)
    assert (grad == 0).any() and ((x == 0) | (x == 1)).any()
    theirs = art("FastGradientMethod", x, labels, eps=epsilon)
    same_images(attacks.fgsm_attack(x, epsilon, grad), theirs)
    same_images(measurement.fgsm(x, labels, lambda x, y: by_hand(network, x, y), epsilon), theirs)


@pytest.mark.parametrize(("epsilon", "alpha", "steps"), [(8 / 255, 2 / 255, 10), (0.1, 0.03, 5), (0.1, 0.25, 3)])
def test_pgd_is_arts(
    art: Callable[..., Tensor],
    network: Network,
    batch: tuple[Tensor, Tensor],
    epsilon: float,
    alpha: float,
    steps: int,
) -> None:
    x, labels = batch
    ours = attacks.pgd_attack(x, epsilon, alpha, steps, lambda x: by_hand(network, x, labels))
    same_images(ours, art("ProjectedGradientDescent", x, labels, eps=epsilon, eps_step=alpha, max_iter=steps))


def test_measured_robustness_is_what_is_left_of_arts_attacks(
    art: Callable[..., Tensor], network: Network, images: Any, batch: tuple[Tensor, Tensor]
) -> None:
    """The whole way, gradient and shift of the images included, as the experiments of question 2 go it."""

    def left(attack: str, **options: float) -> float:
        attacked = art(attack, *batch, **options)
        return float((network(2 * attacked - 1).argmax(1) == batch[1]).float().mean())

    eight, steps = 8 / 255, measurement.PGD_STEPS
    pgd = left("ProjectedGradientDescent", eps=eight, eps_step=2.5 * eight / steps, max_iter=steps)
    curve = [left("FastGradientMethod", eps=strength) for strength in measurement.CURVE[1:]]
    tests = dict.fromkeys(measurement.EXPERIMENTS["standard"].test_roles, images)
    found = measurement.measure("standard", "quick", network, images, tests, seed=1)
    assert found.metrics["pgd_8"] == pytest.approx(pgd)
    assert found.metrics["fgsm_8"] == pytest.approx(curve[measurement.CURVE[1:].index(eight)])
    assert found.arrays["robust_accuracy"].tolist() == pytest.approx([0.8, *curve])
    assert 0 < pgd < found.metrics["fgsm_8"] < 0.5  # attacks of every strength leave something else
