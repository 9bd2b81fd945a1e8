"""The images of homework 1: embedded and from the store."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.assignment import SOLUTIONS, load

datasets: Any = load("hw1").module("datasets")

ROLES = ("source", "target", "objects")
DRAWN = ("source", "objects")


def rows(images: Any) -> set[bytes]:
    """The images as a set."""
    return {pixels.tobytes() for pixels in images.pixels}


def put(store: Path, name: str, counts: dict[str, int]) -> None:
    """Stores a dataset whose every image has its number in the first pixel."""
    (store / name).mkdir(parents=True)
    for split, count in counts.items():
        pixels = np.zeros((count, 3, 32, 32), np.uint8)
        pixels[:, 0, 0, 0] = np.arange(count)
        np.save(store / name / f"{split}_pixels.npy", pixels)
        np.save(store / name / f"{split}_labels.npy", np.arange(count, dtype=np.int64) % 10)
    (store / name / "manifest.json").write_text(json.dumps({"counts": counts}))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("split", ["train", "test"])
def test_embedded_images_are_well_formed_and_balanced(role: str, split: str) -> None:
    images = datasets.load(role, split, count=200)
    assert images.name == datasets.EMBEDDED[role]
    assert images.pixels.shape == (200, 3, 32, 32)
    assert images.pixels.dtype == np.uint8
    assert images.labels.dtype == np.int64
    assert np.bincount(images.labels).tolist() == [20] * 10
    assert images.pixels.min() < 30
    assert images.pixels.max() > 225


@pytest.mark.parametrize("role", DRAWN)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101])
def test_any_number_is_drawn_and_more_keep_the_first_ones(role: str, count: int) -> None:
    few, many = datasets.load(role, "train", count=count, seed=4), datasets.load(role, "train", count=205, seed=4)
    assert len(few) == count
    assert np.array_equal(few.pixels, many.pixels[:count])
    assert np.array_equal(few.labels, many.labels[:count])


@pytest.mark.parametrize("role", ROLES)
def test_train_and_test_share_no_image(role: str) -> None:
    train, test = datasets.load(role, "train", count=1000), datasets.load(role, "test", count=1000)
    assert not rows(train) & rows(test)


@pytest.mark.parametrize("role", DRAWN)
def test_no_image_is_drawn_twice(role: str) -> None:
    assert len(rows(datasets.load(role, "train", count=1000))) == 1000


@pytest.mark.parametrize("role", ROLES)
def test_the_seed_alone_decides(role: str) -> None:
    first, again, other = (datasets.load(role, "test", count=100, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)


def test_another_process_draws_the_same() -> None:
    code = "from hw1.datasets import load; print(sum(int(load(r, 'test', count=100).pixels.sum()) for r in {roles}))"
    run = subprocess.run(
        [sys.executable, "-c", code.format(roles=ROLES)], cwd=SOLUTIONS, capture_output=True, text=True, check=True
    )
    assert int(run.stdout) == sum(int(datasets.load(role, "test", count=100).pixels.sum()) for role in ROLES)


def test_all_handwritten_digits_are_there_once() -> None:
    parts = [datasets.load("target", split) for split in ("train", "test")]
    assert [len(part) for part in parts] == [1297, 500]
    for part in parts:
        assert np.array_equal(part.pixels[:, 0], part.pixels[:, 1])
        assert np.array_equal(part.pixels[:, 0], part.pixels[:, 2])


def test_colour_and_brightness_do_not_tell_the_class() -> None:
    """A classifier that sees each channel's mean and spread only does hardly better than chance."""
    from sklearn.neighbors import KNeighborsClassifier

    def statistics(images: Any) -> Any:
        return np.concatenate([images.pixels.mean(axis=(2, 3)), images.pixels.std(axis=(2, 3))], axis=1)

    for role in DRAWN:
        train, test = datasets.load(role, "train", count=1000), datasets.load(role, "test", count=1000)
        neighbours = KNeighborsClassifier(15).fit(statistics(train), train.labels)
        assert neighbours.score(statistics(test), test.labels) < 0.2


def test_every_dataset_has_ten_names() -> None:
    assert set(datasets.CLASS_NAMES) == {*datasets.EMBEDDED.values(), *datasets.REAL.values()}
    assert all(len(set(names)) == 10 for names in datasets.CLASS_NAMES.values())


@pytest.mark.parametrize(
    ("role", "split", "count", "told"),
    [("goal", "train", 1, "goal"), ("source", "validation", 1, "validation"), ("source", "train", -1, "negative")],
)
def test_wrong_arguments_are_told(role: str, split: str, count: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        datasets.load(role, split, count=count)


def unbalanced() -> Any:
    """60 images: three of class 0, one of class 1, 28 each of classes 2 and 3."""
    labels = np.repeat([0, 1, 2, 3], [3, 1, 28, 28])
    pixels = np.zeros((60, 3, 32, 32), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(60)
    return datasets.Images("svhn", pixels, labels)


@pytest.mark.parametrize(("n", "counts"), [(4, [1, 1, 1, 1]), (10, [3, 1, 3, 3]), (40, [3, 1, 18, 18])])
def test_a_subset_is_as_balanced_as_it_can_be(n: int, counts: list[int]) -> None:
    part = unbalanced().take(n, seed=0)
    assert np.bincount(part.labels).tolist() == counts
    assert np.array_equal(part.labels, unbalanced().labels[part.pixels[:, 0, 0, 0]])


def test_a_larger_subset_holds_the_smaller_one() -> None:
    images = unbalanced()
    parts = [rows(images.take(n, seed=3)) for n in range(61)]
    assert [len(part) for part in parts] == list(range(61))
    assert all(few < many for few, many in pairwise(parts))
    assert rows(images.take(20, seed=3)) != rows(images.take(20, seed=4))


def test_a_subset_of_more_than_there_are_is_all() -> None:
    images = unbalanced()
    assert images.take(60, seed=0) is images
    assert images.take(1000, seed=0) is images
    with pytest.raises(ValueError, match="-1"):
        images.take(-1, seed=0)


def test_real_data_are_mapped_read_only(tmp_path: Path) -> None:
    put(tmp_path, "mnist", {"train": 60, "test": 20})
    images = datasets.load("target", "train", tmp_path)
    assert (images.name, len(images)) == ("mnist", 60)
    assert isinstance(images.pixels, np.memmap)
    assert not images.pixels.flags.writeable
    some = datasets.load("target", "train", tmp_path, count=30, seed=1)
    assert np.bincount(some.labels).tolist() == [3] * 10
    assert np.array_equal(some.pixels[:, 0, 0, 0] % 10, some.labels)


def test_missing_data_are_told_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(datasets.DataMissing) as caught:
        datasets.load("source", "train", tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("svhn ")
    assert "python -m autograder data import" in message


@pytest.mark.parametrize(
    "damage", ["no pixels", "short pixels", "other shape", "no json", "no counts", "other labels"]
)
def test_damaged_data_are_told_with_the_cure(tmp_path: Path, damage: str) -> None:
    put(tmp_path, "cifar10", {"train": 20, "test": 20})
    folder = tmp_path / "cifar10"
    pixels = folder / "train_pixels.npy"
    match damage:
        case "no pixels":
            pixels.unlink()
        case "short pixels":
            pixels.write_bytes(pixels.read_bytes()[:-1])
        case "other shape":
            np.save(pixels, np.zeros((19, 3, 32, 32), np.uint8))
        case "no json":
            (folder / "manifest.json").write_text("{")
        case "no counts":
            (folder / "manifest.json").write_text("[]")
        case _:
            np.save(folder / "train_labels.npy", np.zeros(20, np.int32))
    with pytest.raises(datasets.DataMissing, match=r"^cifar10 .* data import"):
        datasets.load("objects", "train", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("role", "least"), [("source", 0.75), ("objects", 0.65)])
def test_a_small_resnet_learns_them_but_not_by_heart(role: str, least: float) -> None:
    """What the homework needs of drawn data: learnable, not trivial, and the source of some use on the target."""
    import torch
    from torch.nn import functional as F

    def tensors(images: Any) -> tuple[Any, Any]:
        pixels = torch.tensor(images.pixels).contiguous(memory_format=torch.channels_last)
        return (pixels / 255 - 0.5) * 4, torch.tensor(images.labels)

    torch.manual_seed(0)
    x, y = tensors(datasets.load(role, "train", count=3000))
    model = load("hw1").reference.ResNet18(width=16).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=6 * 47)
    for _ in range(6):
        for batch in torch.randperm(3000).split(64):  # type: ignore[no-untyped-call]
            optimiser.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    model.eval()

    def accuracy(role: str) -> float:
        x, y = tensors(datasets.load(role, "test", count=500))
        with torch.no_grad():
            return float((model(x).argmax(1) == y).float().mean())

    assert least < accuracy(role) < 0.97
    if role == "source":
        assert 0.4 < accuracy("target") < 0.85
