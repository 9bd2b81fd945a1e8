"""The images behind the dots of all maps as one picture, from which a page shows a part at a time.

Experiments of one question map the same images, so each image is in the picture once.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from autograder.report.arrays import Embedding, Integers

_QUALITIES = (60, 25, 15)


@dataclass(frozen=True)
class Atlas:
    """A WebP picture of square cells, ``columns`` in a row.

    ``cells`` has an entry for each map: the number of the cell of each image, int64 (M,), counted row by row; None
    for a map whose images are not there.
    """

    webp: bytes
    columns: int
    cells: list[Integers | None]


def collect(embeddings: Sequence[Embedding | None], budget: int) -> Atlas | None:
    """The picture for all maps of a report; None where no map has its images.

    Args:
        embeddings: the maps, None for an experiment without one.
        budget: bytes that the picture may take; a coarser one is made where it would be more.
    """
    shapes = [each.images.shape[1:] for each in embeddings if each is not None and each.images is not None]
    if not shapes:
        return None
    numbers: dict[bytes, int] = {}
    unique: list[NDArray[np.uint8]] = []
    cells: list[Integers | None] = []
    for each in embeddings:
        if each is None or each.images is None or each.images.shape[1:] != shapes[0]:
            cells.append(None)
            continue
        mine = np.empty(len(each.images), np.int64)
        for place, image in enumerate(each.images):
            mine[place] = number = numbers.setdefault(image.tobytes(), len(unique))
            if number == len(unique):
                unique.append(image)
        cells.append(mine)
    columns = math.ceil(math.sqrt(len(unique)))
    return Atlas(_webp(_sheet(np.stack(unique), columns), budget), columns, cells)


def _sheet(images: NDArray[np.uint8], columns: int) -> Image.Image:
    """Images (M, 3, H, W) in rows, each in a square cell as large as its longer side."""
    side = max(images.shape[2:])
    rows = math.ceil(len(images) / columns)
    canvas = np.zeros((rows * columns, side, side, 3), np.uint8)
    canvas[: len(images), : images.shape[2], : images.shape[3]] = images.transpose(0, 2, 3, 1)
    tiles = canvas.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    return Image.fromarray(np.ascontiguousarray(tiles.reshape(rows * side, columns * side, 3)))


def _webp(sheet: Image.Image, budget: int) -> bytes:
    """The finest of some qualities that keeps to the budget; the coarsest at half the size where none does."""
    for quality in _QUALITIES:
        if len(content := _encoded(sheet, quality)) <= budget:
            return content
    return _encoded(sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.BOX), _QUALITIES[-1])


def _encoded(sheet: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    sheet.save(file, "webp", quality=quality, method=2)
    return file.getvalue()
