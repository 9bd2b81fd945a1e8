"""Published weights to begin a training with: found, checked, and read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .experiments import WEIGHTS
from .training import CLASSIFIER

FOLDER = "weights"
"""The folder of a store of real images that published weights lie in."""

PUBLISHED_CLASSES = 1000


class WeightsMissing(Exception):
    """The weights are not on this machine, or not whole.

    ``file``: its name. ``damaged``: where a file of that name lies that is not the published one; None if there is
    none at all. The message is one line.
    """

    def __init__(self, file: str, damaged: Path | None) -> None:
        super().__init__(f"{damaged} is not the published file" if damaged else f"{file} is not on this machine")
        self.file, self.damaged = file, damaged


def places(name: str, store: Path | None) -> tuple[Path, ...]:
    """Where the file of ``name``, a key of `WEIGHTS`, may lie: in a store of real images, or in torch's cache."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    return tuple(folder / WEIGHTS[name].file for folder in ([store / FOLDER] if store else []) + [cache])


def read(name: str, store: Path | None, make: Callable[..., Any]) -> dict[str, Tensor]:
    """The published weights of every layer but the classifier, whose classes are others.

    Args:
        name: a key of `WEIGHTS`.
        store: a store of real images, or None to look in torch's own cache alone.
        make: makes the model that they must fit strictly, `ResNet18`.

    Raises:
        WeightsMissing: they are nowhere, or what is there is another file.
        RuntimeError: they do not fit the model that ``make`` makes.
    """
    found = next((path for path in places(name, store) if path.is_file()), None)
    if found is None:
        raise WeightsMissing(WEIGHTS[name].file, None)
    with found.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != WEIGHTS[name].sha256:
            raise WeightsMissing(WEIGHTS[name].file, found)
    model = make(num_classes=PUBLISHED_CLASSES)
    # Files from before torch 0.4.1 lack the batch counters of the normalisation; load_state_dict adds them.
    model.load_state_dict(torch.load(found, map_location="cpu", weights_only=True), strict=True)
    return {key: value for key, value in model.state_dict().items() if not key.startswith(CLASSIFIER)}
