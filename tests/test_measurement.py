"""What is measured of trained weights: accuracies, attacks, and the arrays that figures are drawn from."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autograder.assignment import load


@pytest.fixture(scope="module")
def measurement() -> ModuleType:
    return load().module("measurement")


@pytest.fixture(scope="module")
def images() -> dict[str, Any]:
    """Train and test images whose class is their brightness: those of two classes are 22 grey levels apart."""
    datasets = load().module("datasets")
    made = {}
    for split, count, seed in (("train", 300, 0), ("test", 200, 1)):
        rng = np.random.default_rng(seed)
        labels = np.arange(count) % 10
        noise = rng.integers(-8, 9, (count, 3, 32, 32))
        pixels = (20 + 22 * labels[:, None, None, None] + noise).astype(np.uint8)
        made[split] = datasets.Images("objects10", pixels, labels)
    return made


class Brightness(nn.Module):
    """Knows the rule of `images`: a logit for each class, that falls with the distance from its brightness."""

    def __init__(self) -> None:
        super().__init__()
        self.centres = nn.Parameter((20 + 22 * torch.arange(10.0)) / 255 * 2 - 1)

    def features(self, x: Tensor) -> Tensor:
        angle = x.mean((1, 2, 3)) * 1.5  # neighbours are sought by direction
        return torch.stack([angle.cos(), angle.sin()], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return -100 * (x.mean((1, 2, 3))[:, None] - self.centres).square()


def measured(measurement: ModuleType, images: dict[str, Any], experiment: str, seed: int = 1) -> Any:
    row = measurement.EXPERIMENTS[experiment]
    tests = dict.fromkeys(row.test_roles, images["test"])
    return measurement.measure(experiment, "quick", Brightness(), images["train"], tests, seed=seed)


@pytest.mark.parametrize("experiment", ["base", "standard", "circle"])
def test_the_metrics_are_those_of_the_question(
    measurement: ModuleType, images: dict[str, Any], experiment: str
) -> None:
    wanted = load().module("experiments").METRICS[measurement.EXPERIMENTS[experiment].question]
    found = measured(measurement, images, experiment).metrics
    assert tuple(found) == wanted
    assert all(0 <= value <= 1 for value in found.values())


def test_accuracy_is_the_part_that_is_right(measurement: ModuleType, images: dict[str, Any]) -> None:
    assert measured(measurement, images, "base").metrics == {"source_test": 1.0, "target_test": 1.0}
    right = images["test"]
    wrong = type(right)(
        right.name, right.pixels, np.where(np.arange(200) < 50, (right.labels + 1) % 10, right.labels)
    )
    tests = {"source": wrong, "target": right}
    found = measurement.measure("base", "quick", Brightness(), images["train"], tests, seed=1).metrics
    assert found == {"source_test": 0.75, "target_test": 1.0}


@pytest.mark.parametrize("experiment", ["standard", "circle"])
def test_attacks_do_what_their_strength_allows(
    measurement: ModuleType, images: dict[str, Any], experiment: str
) -> None:
    found = measured(measurement, images, experiment)
    # Half the distance between two classes is 11 grey levels: out of reach of 8, well within reach of 0.1 (25.5).
    assert found.metrics["clean"] == 1.0
    assert found.metrics["fgsm_8"] > 0.9
    assert found.metrics["pgd_8"] > 0.9
    assert found.metrics["fgsm"] < 0.15
    curve = dict(zip(found.arrays["robust_eps"].tolist(), found.arrays["robust_accuracy"].tolist(), strict=True))
    assert curve[0.0] == found.metrics["clean"]
    assert list(curve) == sorted(curve)


def test_the_arrays_are_what_figures_are_drawn_from(measurement: ModuleType, images: dict[str, Any]) -> None:
    arrays = measured(measurement, images, "standard").arrays
    count = measurement.PROFILES["quick"].embedded
    sizes = [min(count, 300), 200, 200]
    assert arrays["umap_group"].tolist() == [group for group, size in enumerate(sizes) for _ in range(size)]
    assert len(arrays["features"]) == len(arrays["umap_label"]) == sum(sizes)
    # The attacked images of the third group are those of the second, one by one.
    assert np.array_equal(arrays["umap_label"][sizes[0] : -200], arrays["umap_label"][-200:])
    shown = arrays["umap_images"]
    assert (shown.dtype, shown.shape) == (np.uint8, (sum(sizes), 3, 32, 32))
    apart = np.abs(shown[sizes[0] : -200].astype(int) - shown[-200:].astype(int))
    assert 25 <= apart.max() <= 26
    assert np.array_equal(arrays["umap_pred"][:-200], arrays["umap_label"][:-200])
    assert (arrays["umap_pred"][-200:] != arrays["umap_label"][-200:]).mean() > 0.8
    for name in ("grid_clean", "grid_adversarial"):
        assert (arrays[name].dtype, arrays[name].shape) == (np.uint8, (8, 3, 32, 32))
    change = np.abs(arrays["grid_clean"].astype(int) - arrays["grid_adversarial"].astype(int))
    assert 25 <= change.max() <= 26  # 0.1 in grey levels
    assert np.array_equal(arrays["grid_clean_pred"], arrays["grid_true"])
    assert not np.array_equal(arrays["grid_adversarial_pred"], arrays["grid_true"])
    assert all(array.dtype != object for array in arrays.values())


def test_the_seed_decides_the_measurement(measurement: ModuleType, images: dict[str, Any]) -> None:
    first, again, other = (measured(measurement, images, "circle", seed) for seed in (1, 1, 2))
    assert first.metrics == again.metrics
    assert all(np.array_equal(first.arrays[name], again.arrays[name]) for name in first.arrays)
    assert not np.array_equal(first.arrays["umap_seed"], other.arrays["umap_seed"])


def test_pgd_stays_in_its_ball_and_beats_one_step(measurement: ModuleType) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 32), nn.Tanh(), nn.Linear(32, 10)).requires_grad_(False)
    images = torch.rand(64, 3, 8, 8)
    labels = model(images).argmax(1)

    def slope(x: Tensor, y: Tensor) -> Tensor:
        grad: Tensor = measurement.gradient(model, x, y)
        return grad

    one, many = measurement.fgsm(images, labels, slope, 0.05), measurement.pgd(images, labels, slope, 0.05)
    losses = []
    for attacked in (one, many):
        assert (attacked - images).abs().max() <= 0.05 + 1e-6
        assert attacked.min() >= 0
        assert attacked.max() <= 1
        losses.append(nn.functional.cross_entropy(model(attacked), labels).item())
    assert nn.functional.cross_entropy(model(images), labels).item() < losses[0] < losses[1]


def test_the_gradient_of_an_image_is_that_of_its_own_loss(measurement: ModuleType) -> None:
    torch.manual_seed(0)
    weight = torch.randn(12, 10)
    images, labels = torch.rand(5, 3, 2, 2), torch.arange(5)
    found = measurement.gradient(lambda x: x.flatten(1) @ weight, images, labels)
    logits = images.flatten(1) @ weight
    by_hand = (logits.softmax(1) - nn.functional.one_hot(labels, 10)) @ weight.T
    assert torch.allclose(found.flatten(1), by_hand, atol=1e-5)
    assert not images.requires_grad


@pytest.mark.slow
def test_the_map_keeps_neighbours_together_and_says_how_far(measurement: ModuleType) -> None:
    rng = np.random.default_rng(0)
    label = np.arange(120) % 3
    features = (np.eye(16)[label] * 5 + rng.normal(size=(120, 16)) * 0.2).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    arrays = {
        "features": features,
        "umap_label": label.astype(np.int16),
        "umap_group": np.repeat([0, 1], 60).astype(np.int8),
        "umap_seed": np.array(20261123),
    }
    made, again = measurement.embed(arrays), measurement.embed(arrays)
    assert "features" not in made
    assert (made["umap_xy"].dtype, made["umap_xy"].shape) == (np.float32, (120, 2))
    assert np.array_equal(made["umap_xy"], again["umap_xy"])
    assert 0.7 < made["umap_trustworthiness"] <= 1
    assert made["umap_knn"] == 1.0
    centres = np.stack([made["umap_xy"][label == k].mean(0) for k in range(3)])
    nearest = np.linalg.norm(made["umap_xy"][:, None] - centres, axis=2).argmin(1)
    assert np.array_equal(nearest, label)
