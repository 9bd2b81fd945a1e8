"""The raw data of an experiment's figures, read from the npz file beside ``results.json``.

Anything may be missing, cut short or of the wrong shape, from a file lost in a mail to a run that was stopped:
what cannot be used is None, and the page says so.

Shapes are written E (epochs), M (embedded images), G (images of the grid), K (strengths of the attack).
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.results import Experiment

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

THUMBNAIL = 64
"""The largest side of an image of a map, in pixels."""


@dataclass(frozen=True)
class Curves:
    """Losses and accuracy after each epoch, float64 (E,); a curve that was not recorded is None."""

    train_loss: Floats | None
    val_loss: Floats | None
    val_accuracy: Floats | None


@dataclass(frozen=True)
class Embedding:
    """UMAP coordinates (M, 2) with each image's class and group (M,): 0 train, 1 test, 2 the second test set.

    ``trustworthiness`` and ``knn`` (5-NN accuracy in the features' own space) lie in [0, 1]; the rest are UMAP's
    settings. ``predicted``, int64 (M,), is what each image is taken for, and ``images``, uint8 (M, 3, H, W), are the
    images themselves, at most `THUMBNAIL` pixels wide and high. ``clean``, int64 (M,), tells of an attacked image
    which of the others it was made of, -1 for all that were not attacked. None where they were not recorded.
    """

    xy: Floats
    label: Integers
    group: Integers
    trustworthiness: float | None
    knn: float | None
    seed: int | None
    neighbors: int | None
    min_dist: float | None
    predicted: Integers | None = None
    images: NDArray[np.uint8] | None = None
    clean: Integers | None = None


@dataclass(frozen=True)
class Grid:
    """Images before and after an attack, uint8 (G, 3, H, W), with their classes and predictions, int64 (G,)."""

    clean: NDArray[np.uint8]
    adversarial: NDArray[np.uint8]
    true: Integers
    clean_pred: Integers
    adversarial_pred: Integers


@dataclass(frozen=True)
class Robustness:
    """Accuracy in [0, 1] against the attack's epsilon in pixel units, float64 (K,), sorted by epsilon."""

    eps: Floats
    accuracy: Floats


@dataclass(frozen=True)
class Arrays:
    """What could be read for one experiment."""

    curves: Curves | None = None
    embedding: Embedding | None = None
    grid: Grid | None = None
    robustness: Robustness | None = None


def read(folder: Path, experiment: Experiment) -> Arrays:
    """Reads the arrays of an experiment whose ``results.json`` lies in ``folder``; never raises for bad files."""
    stored = _load(folder, experiment.arrays)
    return Arrays(
        _curves(stored),
        _embedding(stored, attacked="clean" in experiment.metrics),
        _grid(stored),
        _robustness(stored),
    )


def _load(folder: Path, name: str) -> dict[str, NDArray[Any]]:
    path = (folder / name).resolve()
    if not name or not path.is_relative_to(folder.resolve()):
        return {}
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for key in file.files:
                arrays[key] = file[key]
    # numpy lets through whatever zipfile, zlib and its own parser of headers make of a broken file
    except (OSError, ValueError, EOFError, KeyError, SyntaxError, zipfile.BadZipFile, zlib.error, AttributeError):
        pass
    return arrays


def _numbers(stored: dict[str, NDArray[Any]], key: str, ndim: int = 1) -> Floats | None:
    array = stored.get(key)
    if array is None or array.dtype.kind not in "iuf" or array.ndim != ndim or not array.size:
        return None
    return array.astype(np.float64)


def _integers(stored: dict[str, NDArray[Any]], key: str, length: int) -> Integers | None:
    array = stored.get(key)
    if array is None or array.dtype.kind not in "iu" or array.shape != (length,):
        return None
    return array.astype(np.int64)


def _scalar(stored: dict[str, NDArray[Any]], key: str) -> float | None:
    array = stored.get(key)
    if array is None or array.dtype.kind not in "iuf" or array.size != 1 or not np.isfinite(array).all():
        return None
    return float(array.reshape(-1)[0])


def _whole(stored: dict[str, NDArray[Any]], key: str) -> int | None:
    number = _scalar(stored, key)
    return None if number is None else int(number)


def _curves(stored: dict[str, NDArray[Any]]) -> Curves | None:
    curves = [_numbers(stored, f"curve_{name}") for name in ("train_loss", "val_loss", "val_accuracy")]
    usable = [curve if curve is not None and np.isfinite(curve).any() else None for curve in curves]
    return Curves(*usable) if any(curve is not None for curve in usable) else None


def _embedding(stored: dict[str, NDArray[Any]], *, attacked: bool) -> Embedding | None:
    xy = _numbers(stored, "umap_xy", ndim=2)
    if xy is None or xy.shape[1] != 2:
        return None
    label, group = _integers(stored, "umap_label", len(xy)), _integers(stored, "umap_group", len(xy))
    if label is None or group is None:
        return None
    placed = np.isfinite(xy).all(axis=1)
    if not placed.any():
        return None
    predicted, images = _integers(stored, "umap_pred", len(xy)), stored.get("umap_images")
    if images is not None and not _thumbnails(images, len(xy)):
        images = None
    return Embedding(
        xy[placed],
        label[placed],
        group[placed],
        trustworthiness=_scalar(stored, "umap_trustworthiness"),
        knn=_scalar(stored, "umap_knn"),
        seed=_whole(stored, "umap_seed"),
        neighbors=_whole(stored, "umap_neighbors"),
        min_dist=_scalar(stored, "umap_min_dist"),
        predicted=None if predicted is None else predicted[placed],
        images=None if images is None else images[placed],
        clean=_pairs(label, group, np.flatnonzero(placed)) if attacked else None,
    )


def _pairs(label: Integers, group: Integers, placed: NDArray[np.intp]) -> Integers | None:
    """`Embedding.clean` of the images that are ``placed``, where the third group is the second one, attacked.

    Measuring keeps their order (``measurement.feature_map``); classes that differ show that it did not.
    """
    before, after = np.flatnonzero(group == 1), np.flatnonzero(group == 2)
    if not len(after) or not np.array_equal(label[before], label[after]):
        return None
    now = np.full(len(group), -1)
    now[placed] = np.arange(len(placed))
    clean = np.full(len(group), -1)
    clean[after] = now[before]
    return clean[placed].astype(np.int64)


def _thumbnails(images: NDArray[Any], count: int) -> bool:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:2] != (count, 3):
        return False
    height, width = images.shape[2:]
    return bool(min(height, width) >= 1 and max(height, width) <= THUMBNAIL)


def _grid(stored: dict[str, NDArray[Any]]) -> Grid | None:
    clean, adversarial = stored.get("grid_clean"), stored.get("grid_adversarial")
    if clean is None or adversarial is None or clean.shape != adversarial.shape:
        return None
    if any(images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3 for images in (clean, adversarial)):
        return None
    names = ("grid_true", "grid_clean_pred", "grid_adversarial_pred")
    classes = [_integers(stored, name, len(clean)) for name in names]
    if not clean.size or any(each is None for each in classes):
        return None
    return Grid(clean, adversarial, *(each for each in classes if each is not None))


def _robustness(stored: dict[str, NDArray[Any]]) -> Robustness | None:
    eps, accuracy = _numbers(stored, "robust_eps"), _numbers(stored, "robust_accuracy")
    if eps is None or accuracy is None or eps.shape != accuracy.shape:
        return None
    usable = np.isfinite(eps) & np.isfinite(accuracy)
    order = np.argsort(eps[usable], kind="stable")
    return Robustness(eps[usable][order], accuracy[usable][order]) if usable.any() else None
