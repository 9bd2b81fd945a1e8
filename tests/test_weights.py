"""Published weights: a file of torchvision's layout made on the spot, found, checked and trained on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from autograder import experiments, store
from autograder.assignment import Assignment


@pytest.fixture
def weights(assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, with torch's own cache elsewhere."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return assignment.module("weights")


@pytest.fixture
def state(assignment: Assignment) -> dict[str, Tensor]:
    """What the published file holds: 1,000 classes at width 64, and no counters of batches, as in old files."""
    torch.manual_seed(3)
    made: dict[str, Tensor] = assignment.reference.ResNet18(num_classes=1000).state_dict()
    return {name: value for name, value in made.items() if not name.endswith("num_batches_tracked")}


def put(weights: ModuleType, monkeypatch: pytest.MonkeyPatch, path: Path, content: object) -> Path:
    """Writes a file of weights and makes it the published one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    published = weights.WEIGHTS["imagenet"]._replace(sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(weights.WEIGHTS, "imagenet", published)
    return path


@pytest.mark.parametrize("place", ["store", "cache"])
def test_they_are_read_from_the_store_or_from_torchs_cache(
    weights: ModuleType,
    state: dict[str, Tensor],
    assignment: Assignment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    in_store, in_cache = weights.places("imagenet", tmp_path / "store")
    assert in_store == tmp_path / "store" / "weights" / "resnet18-f37072fd.pth"
    assert in_cache == tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    put(weights, monkeypatch, in_store if place == "store" else in_cache, state)
    read = weights.read("imagenet", tmp_path / "store", assignment.reference.ResNet18)
    assert {name for name in read if not name.endswith("num_batches_tracked")} == set(state) - {
        "fc.weight",
        "fc.bias",
    }
    assert all(torch.equal(value, state[name]) for name, value in read.items() if name in state)


def test_another_file_of_that_name_is_refused_unread(
    weights: ModuleType, state: dict[str, Tensor], assignment: Assignment, tmp_path: Path
) -> None:
    make = assignment.reference.ResNet18
    with pytest.raises(weights.WeightsMissing, match="is not on this machine"):
        weights.read("imagenet", tmp_path, make)
    path = weights.places("imagenet", tmp_path)[0]
    path.parent.mkdir()
    torch.save(state, path)
    with pytest.raises(weights.WeightsMissing, match="is not the published file") as refusal:
        weights.read("imagenet", tmp_path, make)
    assert refusal.value.damaged == path


@pytest.mark.parametrize("spoil", ["conv1.weight", "fc.bias", "bn1.running_var"])
def test_they_must_fit_strictly(
    weights: ModuleType,
    state: dict[str, Tensor],
    assignment: Assignment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: str,
) -> None:
    del state[spoil]
    put(weights, monkeypatch, weights.places("imagenet", tmp_path)[0], state)
    with pytest.raises(RuntimeError, match=spoil):
        weights.read("imagenet", tmp_path, assignment.reference.ResNet18)


@pytest.mark.slow
def test_the_full_profile_begins_with_them(
    weights: ModuleType,
    state: dict[str, Tensor],
    assignment: Assignment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(weights, monkeypatch, weights.places("imagenet", tmp_path)[0], state)
    monkeypatch.setattr(experiments, "STORE", tmp_path)
    registry, training = assignment.module("experiments"), assignment.module("training")
    small = replace(registry.PROFILES["full"], train={"Q1": 60, "Q2": 60}, test=20)
    monkeypatch.setitem(registry.PROFILES, "full", small)
    row = replace(registry.EXPERIMENTS["pretrained"], epochs={"full": 1, "quick": 1}, lr={"full": 0.0, "quick": 0.0})
    monkeypatch.setitem(registry.EXPERIMENTS, "pretrained", row)
    begun: list[dict[str, Tensor]] = []
    train = training.train

    def watched(*arguments: Any, first: dict[str, Tensor], **options: Any) -> Any:
        begun.append(first)
        return train(*arguments, first=first, **options)

    monkeypatch.setattr(training, "train", watched)
    record, _ = experiments.perform_one(experiments.Order(assignment.name, "pretrained", "full", None, 1, None))
    assert record.status == "run"
    assert record.data == "ImageNet -> synth_digits -> sklearn_digits"
    assert torch.equal(begun[0]["layer4.1.conv2.weight"], state["layer4.1.conv2.weight"])


def test_the_fetch_command_knows_the_same_file(assignment: Assignment) -> None:
    for name, known in assignment.module("experiments").WEIGHTS.items():
        assert store.WEIGHTS[name] == store.Download(known.file, known.sha256, (known.folder,))
