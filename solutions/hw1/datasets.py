"""The images of the homework: embedded ones that are made here, and real ones read from a store on disk.

Every role has a dataset of each kind:

==========  ==================================  =============
role        embedded (nothing to download)      real
==========  ==================================  =============
source      ``synth_digits``, street digits     ``svhn``
target      ``sklearn_digits``, handwritten     ``mnist``
objects     ``objects10``, ten shapes           ``cifar10``
==========  ==================================  =============

Of the embedded ones only ``sklearn_digits`` holds photographs of something real. ``synth_digits`` and
``objects10`` are drawn by this module; they stand in for SVHN and CIFAR-10 and are neither. Whatever shows a
figure made from them names them.

Shapes are written N (images), B (images of one block), S (``SIZE`` pixels).
"""

from __future__ import annotations

import functools
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

SIZE = 32
"""Height and width of every image in pixels."""

EMBEDDED = {"source": "synth_digits", "target": "sklearn_digits", "objects": "objects10"}
"""Role -> the dataset that needs no download."""

REAL = {"source": "svhn", "target": "mnist", "objects": "cifar10"}
"""Role -> the dataset read from a store."""

SPLITS = ("train", "test")

_DIGITS = tuple("0123456789")

CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "synth_digits": _DIGITS,
    "sklearn_digits": _DIGITS,
    "objects10": (
        "disc",
        "ring",
        "crescent",
        "square",
        "frame",
        "triangle",
        "star",
        "cross",
        "hourglass",
        "arrow",
    ),
    "svhn": _DIGITS,
    "mnist": _DIGITS,
    "cifar10": (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
}
"""Dataset -> the names of its ten classes, in the order of the labels."""

_SIZES = {"train": 6000, "test": 2000}  # how many images to draw where the caller does not say

Floats: TypeAlias = NDArray[Any]  # float32 throughout; numpy's own types lose the width in arithmetic


class DataMissing(Exception):
    """A real dataset is not in the store, or not whole. The message is one line and names the cure."""


@dataclass(frozen=True)
class Images:
    """Labelled images.

    Attributes:
        name: the dataset they are from, a key of `CLASS_NAMES`.
        pixels: (N, 3, 32, 32), uint8 in [0, 255], channels red, green, blue. May be a read-only memory map.
        labels: (N,), int64 in [0, 10).
    """

    name: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, n: int, seed: int) -> Images:
        """A subset of ``n`` images with equally many of each class, as far as the classes last.

        The same ``n`` and ``seed`` give the same images in the order they have here; a larger ``n`` gives those
        of a smaller one and more. All images, and no copy, if ``n >= len(self)``.

        Raises:
            ValueError: ``n`` is negative.
        """
        if n < 0:
            raise ValueError(f"cannot take {n} images")
        if n >= len(self):
            return self
        shuffled = np.random.default_rng(seed).permutation(len(self))
        by_class = shuffled[np.argsort(self.labels[shuffled], kind="stable")]  # (N,), grouped by label
        _, first, count = np.unique(self.labels[by_class], return_index=True, return_counts=True)
        rank = np.arange(len(self)) - np.repeat(first, count)  # (N,), the how-manieth of its class
        chosen = np.sort(by_class[np.argsort(rank, kind="stable")[:n]])
        return Images(self.name, self.pixels[chosen], self.labels[chosen])


def load(role: str, split: str, store: Path | None = None, *, count: int | None = None, seed: int = 0) -> Images:
    """The images of one role.

    Args:
        role: "source", "target" or "objects".
        split: "train" or "test"; no image is in both.
        store: None for embedded data, or the folder that holds real data, which is then memory-mapped.
        count: how many images. For drawn data as many as asked for (6,000 train and 2,000 test if None), and
            asking for more keeps the first ones as they are. For photographed data a balanced subset (see
            `Images.take`), and all of them if None or if there are fewer.
        seed: which images are drawn, or which subset is taken.

    Raises:
        ValueError: role or split is none of the above, or ``count`` or ``seed`` is negative.
        DataMissing: the store does not hold the dataset.
    """
    if role not in EMBEDDED:
        raise ValueError(f"role is {role!r}, but should be one of {', '.join(EMBEDDED)}")
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, but should be train or test")
    if seed < 0 or (count is not None and count < 0):
        raise ValueError(f"count and seed should not be negative: {count}, {seed}")
    if store is not None:
        images = read_store(store, REAL[role], split)
    elif role == "target":
        images = sklearn_digits(split)
    else:
        draw = synth_digits if role == "source" else objects10
        return draw(split, _SIZES[split] if count is None else count, seed)
    return images if count is None else images.take(count, seed)


def read_store(store: Path, name: str, split: str) -> Images:
    """Maps one split of a real dataset from the store into memory, read-only.

    The store holds ``<name>/manifest.json`` and ``<name>/<split>_{pixels,labels}.npy``, as written by
    ``python -m autograder data import``.

    It may be replaced by another process meanwhile: the images are then all of the old ones or all of the new ones.

    Raises:
        DataMissing: it is not there, or its files do not agree with its manifest.
    """
    folder = Path(store) / name
    cure = f"python -m autograder data import PATH --name {name} --store {store}"
    waits = [0.02, 0.04, 0.08, 0.16]  # seconds; for a moment of being replaced there may be nothing
    while True:
        try:
            return _mapped(folder, split)
        except _Replaced:
            continue
        except FileNotFoundError:
            fault = f"{name} is not in {store}. To put it there: {cure}"
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            fault = f"{name} in {store} is damaged. To replace it: {cure}"
        if not waits:
            raise DataMissing(fault)
        time.sleep(waits.pop(0))


class _Replaced(Exception):
    """Another process put a new dataset in the place of this one while it was read."""


def _mapped(folder: Path, split: str) -> Images:
    """Maps a split that lies in ``folder``; raises all manner of errors where it is not all there."""
    manifest = (folder / "manifest.json").read_bytes()
    try:
        count = json.loads(manifest)["counts"][split]
        pixels = np.load(folder / f"{split}_pixels.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / f"{split}_labels.npy", allow_pickle=False)
    finally:  # no two manifests are the same, so between the same one nothing has changed
        if (folder / "manifest.json").read_bytes() != manifest:
            raise _Replaced
    if (pixels.shape, pixels.dtype) != ((count, 3, SIZE, SIZE), np.uint8):
        raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}")
    if (labels.shape, labels.dtype) != ((count,), np.int64):
        raise ValueError(f"labels are {labels.dtype} {labels.shape}")
    return Images(folder.name, pixels, labels)


# --- handwritten digits ------------------------------------------------------------------------------------


def sklearn_digits(split: str) -> Images:
    """scikit-learn's 1,797 real handwritten digits, smoothly enlarged from 8x8 to 32x32, white on black.

    They are the test part of Alpaydin and Kaynak's "Optical Recognition of Handwritten Digits" (UCI, 1998), and
    take MNIST's place, but are not MNIST. The first 1,297 are train and the last 500 test: the file goes from
    writer to writer, so a cut keeps most writers out of the other part, where a shuffle would not.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    part = slice(None, 1297) if split == "train" else slice(1297, None)
    # Stored as 0 to 16, and touching the edges; MNIST's digits have a margin.
    small = np.pad(digits.images[part].astype(np.float32) / 16, ((0, 0), (1, 1), (1, 1)))  # (N, 10, 10)
    grey = np.stack([np.asarray(Image.fromarray(s).resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for s in small])
    pixels = np.repeat(_to_bytes(grey)[:, None], 3, axis=1)
    return Images("sklearn_digits", pixels, digits.target[part].astype(np.int64))


# --- drawing ------------------------------------------------------------------------------------------------
# Images are drawn in blocks of B, whole arrays at a time. Each block has a random generator of its own, so that
# the images depend on (seed, split, index) alone, however many are asked for.

_BLOCK = 100  # ten of each class


def _draw(name: str, split: str, count: int, seed: int) -> Images:
    """The first ``count`` images of a drawn dataset."""
    painter = {"synth_digits": _paint_digits, "objects10": _paint_objects}[name]
    pixels = np.empty((count, 3, SIZE, SIZE), np.uint8)
    labels = np.empty(count, np.int64)
    for start in range(0, count, _BLOCK):
        rng = np.random.default_rng([seed, SPLITS.index(split), start // _BLOCK])
        label = rng.permutation(np.arange(_BLOCK) % 10)
        part = slice(start, min(start + _BLOCK, count))
        pixels[part] = _to_bytes(painter(rng, label))[: part.stop - start]
        labels[part] = label[: part.stop - start]
    return Images(name, pixels, labels)


def _to_bytes(image: Floats) -> NDArray[np.uint8]:
    """Values in [0, 1], clipped to it, -> uint8 in [0, 255]."""
    levels: Floats = np.rint(np.clip(image, 0, 1) * 255)
    return levels.astype(np.uint8)


def _uniform(rng: np.random.Generator, low: float, high: float, *shape: int) -> Floats:
    """Uniform values in [low, high), float32."""
    return (low + (high - low) * rng.random(shape, dtype=np.float32)).astype(np.float32)


def _per_image(values: Floats) -> Floats:
    """(B,) -> (B, 1, 1), to go with (B, S, S)."""
    return values[:, None, None]


def _grid() -> tuple[Floats, Floats]:
    """Coordinates of the pixels from the centre, in pixels: x to the right and y downwards, (1, S, S) each."""
    axis = np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return x[None], y[None]


def _turned(x: Floats, y: Floats, angle: Floats) -> tuple[Floats, Floats]:
    """Coordinates in a frame turned by ``angle`` (B,), radians."""
    cos, sin = _per_image(np.cos(angle)), _per_image(np.sin(angle))
    return cos * x + sin * y, cos * y - sin * x


def _blotches(rng: np.random.Generator, n: int, cells: int) -> Floats:
    """Smooth random fields (n, S, S) in [-1, 1]: a grid of ``cells`` x ``cells`` values, bilinearly enlarged."""
    axis = np.linspace(0, cells - 1, SIZE, dtype=np.float32)
    weight = np.maximum(0, 1 - np.abs(axis[:, None] - np.arange(cells, dtype=np.float32)))  # (S, cells)
    coarse = _uniform(rng, -1, 1, n, cells, cells)
    fine: Floats = weight @ coarse @ weight.T
    return fine


def _colours(rng: np.random.Generator, n: int, low: float, high: float) -> tuple[Floats, Floats]:
    """Two colours for each image, (n, 3) each, in [0, 1], whose brightness differs by ``low`` to ``high``.

    Which of the two is the brighter is a coin's toss.
    """
    gap = _uniform(rng, low, high, n, 1)
    dark = _uniform(rng, 0, 1, n, 1) * (1 - gap)
    pair = np.stack([dark, dark + gap]) + _uniform(rng, -0.15, 0.15, 2, n, 3)
    swap = rng.random(n) < 0.5
    pair[:, swap] = pair[::-1, swap]
    return pair[0].clip(0, 1), pair[1].clip(0, 1)


def _blurred(image: Floats, strength: Floats) -> Floats:
    """Images (B, 3, S, S), each blurred by ``strength`` (B,) in [0, 1/3], the weight of a neighbouring pixel."""
    side = strength[:, None, None, None]
    for axis in (2, 3):
        for _ in range(2):
            width = [(1, 1) if a == axis else (0, 0) for a in range(4)]
            padded = np.pad(image, width, mode="edge")
            before, after = (padded.take(range(s, s + SIZE), axis=axis) for s in (0, 2))
            image = image + side * (before + after - 2 * image)
    return image


def _mixed(below: Floats, above: Floats, mask: Floats) -> Floats:
    """``above`` laid over ``below`` (B, 3, S, S) where ``mask`` (B, S, S) is 1, and blended where it is between."""
    blend: Floats = below + mask[:, None] * (above - below)
    return blend


def _photographed(rng: np.random.Generator, image: Floats) -> Floats:
    """Images (B, 3, S, S) as a camera sees them: more or less blurred, more or less noisy."""
    n = len(image)
    image = _blurred(image, _uniform(rng, 0, 0.3, n))
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    return image + _uniform(rng, 0, 0.06, n)[:, None, None, None] * noise


# --- street digits ------------------------------------------------------------------------------------------

_FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSans-BoldOblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "STIXGeneralBolIta",
    "cmb10",
    "cmr10",
    "cmss10",
    "cmtt10",
)
_TALL = 30  # height of a glyph in the atlas, pixels
_TILE = 48  # height and width of a tile of the atlas, with an empty border


def synth_digits(split: str, count: int, seed: int = 0) -> Images:
    """Drawn street digits: any font, colour, contrast, angle and blur, on clutter, with neighbours at the sides.

    The idea of the Synth Digits of Ganin and Lempitsky 2015, "Unsupervised Domain Adaptation by Backpropagation",
    section 4.1. They take SVHN's place, but are not SVHN, nor the images of that paper.
    """
    return _draw("synth_digits", split, count, seed)


@functools.cache
def _atlas() -> tuple[Floats, Floats]:
    """Every digit in every font that matplotlib brings along.

    Returns:
        Tiles (fonts * 10, _TILE, _TILE) in [0, 1], the glyph in the middle, the digit d of font f at 10 f + d; and
        the glyphs' widths (fonts * 10,) in pixels.
    """
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    tiles, widths = [], []
    for name in _FONTS:
        file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
        font = ImageFont.truetype(str(file), 100)
        _, top, _, bottom = font.getbbox("8")
        font = ImageFont.truetype(str(file), round(100 * _TALL / (bottom - top)))
        for digit in _DIGITS:
            left, top, right, bottom = font.getbbox(digit)
            tile = Image.new("L", (_TILE, _TILE))
            corner = ((_TILE - left - right) // 2, (_TILE - top - bottom) // 2)
            ImageDraw.Draw(tile).text(corner, digit, fill=255, font=font)
            tiles.append(np.asarray(tile, np.float32) / 255)
            widths.append(right - left)
    return np.stack(tiles), np.array(widths, np.float32)


def _stamp(glyph: NDArray[np.int64], x: Floats, y: Floats) -> Floats:
    """Masks (B, S, S) in [0, 1] of glyphs (B,), at coordinates (B, S, S) from the glyph's middle in atlas pixels."""
    tiles, _ = _atlas()
    x = (x + (_TILE - 1) / 2).clip(0, _TILE - 1.001)
    y = (y + (_TILE - 1) / 2).clip(0, _TILE - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    at = (glyph[:, None, None] * _TILE + top) * _TILE + left
    flat = tiles.ravel()
    x, y = x % 1, y % 1
    upper = flat[at] * (1 - x) + flat[at + 1] * x
    lower = flat[at + _TILE] * (1 - x) + flat[at + _TILE + 1] * x
    mask: Floats = upper * (1 - y) + lower * y
    return mask


def _paint_digits(rng: np.random.Generator, label: NDArray[np.int64]) -> Floats:
    """Images (B, 3, S, S), about [0, 1], of the digits (B,)."""
    n = len(label)
    _, widths = _atlas()
    font = rng.integers(len(_FONTS), size=n)
    glyph = 10 * font + label

    # From the image's pixels to the upright glyph: shift, turn, scale, slant.
    x, y = _grid()
    x = x - _per_image(_uniform(rng, -2.5, 2.5, n))
    y = y - _per_image(_uniform(rng, -2.5, 2.5, n))
    x, y = _turned(x, y, _uniform(rng, -0.25, 0.25, n))
    scale = _TALL / _uniform(rng, 16, 29, n)
    x = x * _per_image(scale * _uniform(rng, 0.8, 1.3, n)) + y * _per_image(scale * _uniform(rng, -0.2, 0.2, n))
    y = y * _per_image(scale)

    mask = _stamp(glyph, x, y)
    gap = _uniform(rng, 2, 8, n)
    for side in (-1, 1):  # the rest of the house number, cut by the image's edge
        other = 10 * font + rng.integers(10, size=n)
        away = side * ((widths[glyph] + widths[other]) / 2 + gap)
        there = rng.random(n) < 0.6
        mask = np.maximum(mask, _stamp(other, x - _per_image(away), y) * _per_image(there.astype(np.float32)))

    back, ink = (c[:, :, None, None] for c in _colours(rng, n, 0.12, 0.7))
    shade = _clutter(rng, n)[:, None]
    return _photographed(rng, _mixed(back + shade, ink + 0.5 * shade, mask))


def _clutter(rng: np.random.Generator, n: int) -> Floats:
    """What light and a wall do to brightness, (n, S, S): blotches, and a soft edge across the image."""
    x, _ = _turned(*_grid(), _uniform(rng, -np.pi, np.pi, n))
    edge = np.tanh((x - _per_image(_uniform(rng, -16, 16, n))) / _per_image(_uniform(rng, 0.5, 12, n)))
    strength = _uniform(rng, 0, 0.15, 2, n)
    shade: Floats = _per_image(strength[0]) * edge + _per_image(strength[1]) * _blotches(rng, n, 5)
    return shade


# --- objects ------------------------------------------------------------------------------------------------


def objects10(split: str, count: int, seed: int = 0) -> Images:
    """Drawn objects of ten shapes, of any colour, texture, size and angle, on clutter that covers parts of them.

    Colour and texture say nothing of the class. They take CIFAR-10's place, but are not CIFAR-10.
    """
    return _draw("objects10", split, count, seed)


def _shape(label: int, u: Floats, v: Floats) -> Floats:
    """How far points are outside a shape of radius about 1, negative inside; exact near the outline at least.

    Args:
        label: the class, an index into ``CLASS_NAMES["objects10"]``.
        u, v: coordinates to the right and upwards, any shape.
    """
    r: Floats = np.hypot(u, v)
    au, av = np.abs(u), np.abs(v)
    box = np.maximum(au, av)
    match CLASS_NAMES["objects10"][label]:
        case "disc":
            return r - 0.85
        case "ring":
            return np.abs(r - 0.7) - 0.22
        case "crescent":
            return np.maximum(r - 0.95, 0.75 - np.hypot(u - 0.4, v))
        case "square":
            return box - 0.75
        case "frame":
            return np.abs(box - 0.62) - 0.2
        case "triangle":
            return np.maximum(-v - 0.5, 0.866 * au + 0.5 * v - 0.5)
        case "star":  # folded onto one half of one of five rays, whose edge goes from the tip to the notch
            folded = np.abs((np.arctan2(u, v) + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
            return 0.53 * r * np.cos(folded) + 0.85 * r * np.sin(folded) - 0.53
        case "cross":
            return np.minimum(np.maximum(au - 0.95, av - 0.27), np.maximum(au - 0.27, av - 0.95))
        case "hourglass":
            return np.maximum(av - 0.85, 0.8 * au - 0.6 * av - 0.1)
        case _:  # an arrow: a shaft and a head
            head = np.maximum(-v, 0.75 * au + 0.66 * v - 0.63)
            return np.minimum(np.maximum(au - 0.22, np.abs(v + 0.4) - 0.55), head)


def _paint_objects(rng: np.random.Generator, label: NDArray[np.int64]) -> Floats:
    """Images (B, 3, S, S), about [0, 1], of the objects (B,)."""
    n = len(label)
    x, y = _grid()
    u = x - _per_image(_uniform(rng, -3, 3, n))
    v = _per_image(_uniform(rng, -3, 3, n)) - y
    u, v = _turned(u, v, _uniform(rng, -0.4, 0.4, n))
    radius = _per_image(_uniform(rng, 9, 14, n))
    u, v = u / radius, v / (radius * _per_image(_uniform(rng, 0.8, 1.25, n)))
    outside = np.empty((n, SIZE, SIZE), np.float32)
    for k in range(10):
        outside[label == k] = _shape(k, u[label == k], v[label == k])
    mask = (0.5 - outside * radius).clip(0, 1)

    back, paint = (c[:, :, None, None] for c in _colours(rng, n, 0.2, 0.6))
    image = back + _pattern(rng, n)
    image = _mixed(image, paint + _pattern(rng, n), mask)
    for _ in range(2):  # bars across the image, some before the object
        x, y = _turned(*_grid(), _uniform(rng, -np.pi, np.pi, n))
        away = np.abs(x - _per_image(_uniform(rng, -14, 14, n))) - _per_image(_uniform(rng, 0.2, 1.5, n))
        image = _mixed(image, _uniform(rng, 0, 1, n, 3, 1, 1), (0.5 - away).clip(0, 1) * (y > 0))
    return _photographed(rng, image)


def _pattern(rng: np.random.Generator, n: int) -> Floats:
    """Textures (n, 3, S, S) about zero: stripes of any direction and width, and blotches of any colour."""
    x, _ = _turned(*_grid(), _uniform(rng, -np.pi, np.pi, n))
    wave = np.sin(x * _per_image(_uniform(rng, 0.3, 1.6, n)) + _per_image(_uniform(rng, 0, 2 * np.pi, n)))
    tint = _uniform(rng, -0.2, 0.2, n, 3)[:, :, None, None]
    texture: Floats = tint * wave[:, None] + 0.1 * _blotches(rng, 3 * n, 6).reshape(n, 3, SIZE, SIZE)
    return texture
