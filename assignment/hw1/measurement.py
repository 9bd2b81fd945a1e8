"""What is measured of trained weights: accuracies, attacks, nearest neighbours, and a map of the features.

Attacks see images in [0, 1]; `training.normalise` belongs to the model, so that epsilon is always in pixel units.
Shapes are written N (images), D (feature length), K (classes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attacks import add_random_noise, fgsm_attack, pgd_attack
from .datasets import Images
from .experiments import EIGHT, EPSILON, EXPERIMENTS, NOISE, PROFILES
from .training import CHUNK, CLASSES, embedded, logits, neighbours_vote, normed_features, reproducible, to_float

PGD_STEPS = 20
CURVE = (0.0, 1 / 255, 2 / 255, 4 / 255, 8 / 255, 16 / 255, EPSILON)
"""The strengths of the robust-accuracy curve, in pixel units."""

GRID = 8
"""Images in a grid of adversarial examples."""

NEIGHBOURS, MIN_DIST = 15, 0.1
"""Parameters of UMAP (McInnes et al. 2018), recorded beside every map."""


@dataclass(frozen=True)
class Measurement:
    """``metrics``: accuracies in [0, 1]. ``arrays``: what the figures are drawn from, by name."""

    metrics: dict[str, float]
    arrays: dict[str, np.ndarray]


def measure(
    experiment: str,
    profile: str,
    model: nn.Module,
    train: Images,
    tests: Mapping[str, Images],
    *,
    seed: int,
    device: str = "cpu",
    progress: Callable[[float], object] = lambda done: None,
) -> Measurement:
    """Measures a trained model as its experiment says.

    Args:
        experiment: a key of `EXPERIMENTS`.
        profile: a key of `PROFILES`.
        model: with the trained weights in it; put in eval mode.
        train: what it was trained on, for nearest neighbours and the map.
        tests: test images of each of the experiment's test roles.
        seed: of the noise, the subsamples and the map.
        device: where to compute.
        progress: called with the part that is done, in (0, 1].
    """
    row = EXPERIMENTS[experiment]
    with reproducible(seed):
        model.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
        if row.question == "Q1":
            return _generalisation(model, profile, train, tests, seed, device, progress)
        classify, slope = _classifier(model, train, device) if row.loss == "circle" else _by_logits(model)
        return _robustness(
            model, profile, train, tests[row.train_role], classify, slope, seed=seed, device=device, progress=progress
        )


Classify = Callable[[Tensor], Tensor]
"""Images (N, 3, H, W) in [0, 1] -> classes (N,)."""

Slope = Callable[[Tensor, Tensor], Tensor]
"""Images and their classes -> the gradient of the attacked loss with respect to the images, same shape."""


def _tensors(images: Images, device: str) -> tuple[Tensor, Tensor]:
    return (
        torch.from_numpy(np.array(images.pixels)).to(device),
        torch.from_numpy(np.array(images.labels)).to(device),
    )


def _by_logits(model: nn.Module) -> tuple[Classify, Slope]:
    """A model that classifies by its largest logit, attacked through the cross-entropy of its logits."""
    return lambda images: logits(model, images).argmax(1), lambda images, labels: gradient(
        lambda x: logits(model, x), images, labels
    )


def _classifier(model: nn.Module, train: Images, device: str) -> tuple[Classify, Slope]:
    """A model of features, classified by its nearest neighbours among the training images.

    Circle loss itself is differentiable; the vote of neighbours is not. So the attack goes through a surrogate, a
    linear layer trained on the same features with cross-entropy (Papernot et al. 2016, "Transferability in Machine
    Learning").
    """
    pixels, labels = _tensors(train, device)
    gallery = embedded(model, pixels)  # (N, D)
    head = nn.Linear(gallery.shape[1], CLASSES).to(device)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.05)
    with torch.enable_grad():
        for _ in range(100):
            optimiser.zero_grad()
            F.cross_entropy(head(gallery), labels).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    head.requires_grad_(False)
    return (
        lambda images: neighbours_vote(gallery, labels, normed_features(model, images)),
        lambda images, classes: gradient(lambda x: head(normed_features(model, x)), images, classes),
    )


def gradient(score: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """Gradient of the cross-entropy of ``score(images)`` (N, K) with respect to ``images``, same shape."""
    with torch.enable_grad():
        leaf = images.detach().requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(score(leaf), labels, reduction="sum"), leaf)
    return slope


def fgsm(images: Tensor, labels: Tensor, slope: Slope, epsilon: float) -> Tensor:
    """The fast gradient sign method, by the `fgsm_attack` of this package; images in [0, 1]."""
    return fgsm_attack(images, epsilon, slope(images, labels))


def pgd(images: Tensor, labels: Tensor, slope: Slope, epsilon: float, steps: int = PGD_STEPS) -> Tensor:
    """Projected gradient descent, by the `pgd_attack` of this package; each step is 2.5 * epsilon / steps long."""
    return pgd_attack(images, epsilon, 2.5 * epsilon / steps, steps, lambda x: slope(x, labels))


@torch.no_grad()
def accuracy(classify: Classify, pixels: Tensor, labels: Tensor, attack: Callable[[Tensor, Tensor], Tensor]) -> float:
    """Part of the stored images (N, 3, H, W) that are still classified right after ``attack``; 0 for no images."""
    right = 0
    for part, classes in _chunks(pixels, labels):
        right += int((classify(attack(to_float(part), classes)) == classes).sum())
    return right / max(1, len(labels))


@torch.no_grad()
def robust_curve(
    classify: Classify, slope: Slope, pixels: Tensor, labels: Tensor, strengths: Sequence[float]
) -> list[float]:
    """Accuracy on the stored images (N, 3, H, W) under FGSM of each of ``strengths``, in pixel units."""
    right = [0] * len(strengths)
    for part, classes in _chunks(pixels, labels):
        images = to_float(part)
        sign = slope(images, classes).sign()  # taken at the image itself, so the same for every strength
        for i, epsilon in enumerate(strengths):
            right[i] += int((classify((images + epsilon * sign).clamp(0, 1)) == classes).sum())
    return [count / max(1, len(labels)) for count in right]


def _chunks(pixels: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(torch.split(pixels, CHUNK), torch.split(labels, CHUNK), strict=True)


def _predictions(classify: Classify, pixels: Tensor) -> Tensor:
    """Stored images (N, 3, H, W) -> classes (N,)."""
    return torch.cat([classify(to_float(part)) for part in torch.split(pixels, CHUNK)])


def _stored(images: Tensor) -> Tensor:
    """Images in [0, 1] as they are stored, uint8."""
    return (images * 255).round().to(torch.uint8)


def _unchanged(images: Tensor, labels: Tensor) -> Tensor:
    return images


def _generalisation(
    model: nn.Module,
    profile: str,
    train: Images,
    tests: Mapping[str, Images],
    seed: int,
    device: str,
    progress: Callable[[float], object],
) -> Measurement:
    classify, _ = _by_logits(model)
    metrics = {
        f"{role}_test": accuracy(classify, *_tensors(images, device), _unchanged) for role, images in tests.items()
    }
    progress(0.5)
    count = PROFILES[profile].embedded
    groups = [train.take(count, seed), *(images.take(count, seed) for images in tests.values())]
    images = [_tensors(group, device)[0] for group in groups]
    labels = [torch.from_numpy(np.array(group.labels)) for group in groups]
    features = [embedded(model, each) for each in images]
    arrays = feature_map(features, labels, images, [_predictions(classify, each) for each in images], seed)
    progress(1.0)
    return Measurement(metrics, arrays)


def _robustness(
    model: nn.Module,
    profile: str,
    train: Images,
    test: Images,
    classify: Classify,
    slope: Slope,
    *,
    seed: int,
    device: str,
    progress: Callable[[float], object],
) -> Measurement:
    scale = PROFILES[profile]
    pixels, labels = _tensors(test, device)
    few = _tensors(test.take(scale.pgd or len(test), seed), device)

    def noisy(images: Tensor, classes: Tensor) -> Tensor:
        return add_random_noise(fgsm(images, classes, slope, EPSILON), NOISE)

    curve = robust_curve(classify, slope, pixels, labels, CURVE)
    progress(0.3)
    metrics = {
        "clean": curve[CURVE.index(0.0)],
        "fgsm": accuracy(classify, pixels, labels, noisy),
        "fgsm_8": curve[CURVE.index(EIGHT)],
    }
    with suppress(NotImplementedError):  # a bonus stub, which may be left unwritten
        metrics["pgd_8"] = accuracy(classify, *few, lambda x, y: pgd(x, y, slope, EIGHT))
    progress(0.8)
    with torch.no_grad():
        grid = test.take(GRID, seed)
        shown, true = _tensors(grid, device)
        clean = to_float(shown)
        attacked = fgsm(clean, true, slope, EPSILON)
        count = scale.embedded
        known, seen = _tensors(train.take(count, seed), device), _tensors(test.take(count, seed), device)
        parts = zip(*(torch.split(part, CHUNK) for part in seen), strict=True)
        hit = [fgsm(to_float(x), y, slope, EPSILON) for x, y in parts]
        features = [embedded(model, known[0]), embedded(model, seen[0])]
        features.append(torch.cat([normed_features(model, part) for part in hit]))
        images = [known[0], seen[0], _stored(torch.cat(hit))]
        predicted = [_predictions(classify, each) for each in images[:2]]
        predicted.append(torch.cat([classify(part) for part in hit]))
        arrays = feature_map(features, [known[1].cpu(), seen[1].cpu(), seen[1].cpu()], images, predicted, seed)
        arrays |= {
            "grid_clean": shown.cpu().numpy(),
            "grid_adversarial": _stored(attacked).cpu().numpy(),
            "grid_true": true.cpu().numpy().astype(np.int16),
            "grid_clean_pred": classify(clean).cpu().numpy().astype(np.int16),
            "grid_adversarial_pred": classify(attacked).cpu().numpy().astype(np.int16),
            "robust_eps": np.array(CURVE, np.float32),
            "robust_accuracy": np.array(curve, np.float32),
        }
    progress(1.0)
    return Measurement(metrics, arrays)


def feature_map(
    features: list[Tensor], labels: list[Tensor], images: list[Tensor], predicted: list[Tensor], seed: int
) -> dict[str, np.ndarray]:
    """What a map of features is drawn from, for each group g: the features (N_g, D), the classes (N_g,), the stored
    images (N_g, 3, H, W) uint8 and what they are taken for (N_g,).

    Attacked images are the third group, in the order of the second, of which they were made.

    The map itself is made later, by `embed`: it takes longer than all else here, most of it once for a process.
    """
    return {
        "features": torch.cat(features).cpu().numpy().astype(np.float32),
        "umap_label": torch.cat(labels).numpy().astype(np.int16),
        "umap_images": torch.cat(images).cpu().numpy(),
        "umap_pred": torch.cat(predicted).cpu().numpy().astype(np.int16),
        "umap_group": np.repeat(np.arange(len(features)), [len(part) for part in features]).astype(np.int8),
        "umap_seed": np.array(seed),
    }


def embed(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Replaces ``features`` (M, D) by their map in the plane, ``umap_xy`` (M, 2), and how far it can be trusted.

    ``umap_trustworthiness``: how many of a point's neighbours in the plane are its neighbours in truth, in [0, 1]
    (Venna and Kaski 2001). ``umap_knn``: accuracy of 5 nearest neighbours among the first group, the training
    images, on the second, in the original space.
    """
    from sklearn.manifold import trustworthiness
    from umap import UMAP

    made = dict(arrays)
    features, group, label = made.pop("features"), made["umap_group"], made["umap_label"]
    seed = int(made["umap_seed"]) % 2**31
    neighbours = min(NEIGHBOURS, len(features) - 1)
    mapper: Any = UMAP(n_neighbors=neighbours, min_dist=MIN_DIST, random_state=seed, n_jobs=1)
    xy = mapper.fit_transform(features).astype(np.float32)
    known, asked = torch.from_numpy(features[group == 0]), torch.from_numpy(features[group == 1])
    votes = neighbours_vote(known, torch.from_numpy(label[group == 0]).long(), asked)
    made["umap_xy"] = xy
    made["umap_trustworthiness"] = np.array(trustworthiness(features, xy, n_neighbors=min(5, neighbours)))
    made["umap_knn"] = np.array((votes.numpy() == label[group == 1]).mean())
    made["umap_neighbors"], made["umap_min_dist"] = np.array(neighbours), np.array(MIN_DIST)
    return made
