"""The figures as small SVG drawings from stored numbers, and the images of the grids as PNG.

Titles, axis labels and legends are set by the page around a drawing, where they are real text; inside it stand only
numbers, in the digits of its language. Colours that depend on the page are the custom properties ``--ink`` and
``--paper`` of its style sheet, so that one drawing serves light and dark; `printed` fills them in for print.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray
from PIL import Image

from autograder.report.arrays import Curves, Embedding, Grid, Robustness
from autograder.report.language import Language

CLASS_COLOURS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""One colour per class, in every figure: the ten of Petroff (2021), https://arxiv.org/abs/2107.02270, chosen to be
told apart by readers with any of the colour-vision deficiencies."""

TRAIN_COLOUR, VALIDATION_COLOUR, ATTACK_COLOUR = CLASS_COLOURS[0], CLASS_COLOURS[6], CLASS_COLOURS[4]
"""The colours of curves over training data, validation data and attacked data; the second is dashed as well."""

AMPLIFICATION = 5
"""The differences in the grids are shown this many times their size, around mid-grey."""

_WIDTH, _HEIGHT = 320, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 310, 10, 158
_MAP = 1000  # side of a map, so that whole numbers are fine enough


@dataclass(frozen=True)
class _Line:
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    colour: str
    dash: str = ""


def printed(svg: str, ink: str, paper: str) -> str:
    """The drawing in these colours, as a document of its own."""
    return svg.replace("var(--ink)", ink).replace("var(--paper)", paper)


def draw_losses(curves: Curves, language: Language) -> str | None:
    """Training and validation loss over the epochs; None where neither was recorded."""
    lines = []
    if curves.train_loss is not None:
        lines.append(_Line(_epochs(curves.train_loss), curves.train_loss, TRAIN_COLOUR))
    if curves.val_loss is not None:
        lines.append(_Line(_epochs(curves.val_loss), curves.val_loss, VALIDATION_COLOUR, "6 3"))
    if not lines:
        return None
    values = np.concatenate([line.y for line in lines])
    values = values[np.isfinite(values)]
    ticks = _ticks(min(float(values.min()), 0.0), float(values.max()), 4)
    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    return _chart(lines, _epoch_ticks(lines), ticks, language, lambda value: language.decimal(value, digits))


def draw_validation_accuracy(curves: Curves, language: Language) -> str | None:
    """Validation accuracy over the epochs, from 0 to 100 %; None where it was not recorded."""
    if curves.val_accuracy is None:
        return None
    lines = [_Line(_epochs(curves.val_accuracy), curves.val_accuracy, VALIDATION_COLOUR, "6 3")]
    return _accuracies(lines, _epoch_ticks(lines), language)


def draw_robustness(robustness: Robustness, language: Language) -> str:
    """Accuracy, from 0 to 100 %, over the strength of the attack in 255ths of the range of a pixel."""
    eps = robustness.eps * 255
    lines = [_Line(eps, robustness.accuracy, ATTACK_COLOUR)]
    return _accuracies(lines, _ticks(0.0, float(eps.max()), 6), language)


def draw_histogram(bins: Sequence[int], language: Language) -> str:
    """A bar for each part of the range from 0 to 100 %, with its count above it."""
    right = _RIGHT - 10  # room for half of the last number
    width = (right - _LEFT) / len(bins)
    parts = []
    for number, count in enumerate(bins):
        height = (_BOTTOM - _TOP - 14) * count / max(1, *bins)
        x, y = _LEFT + width * number, _BOTTOM - height
        parts.append(
            f'<rect x="{x + 1.5:.1f}" y="{y:.1f}" width="{width - 3:.1f}" height="{height:.1f}" '
            f'fill="{TRAIN_COLOUR}"/>'
            f'<text x="{x + width / 2:.1f}" y="{y - 4:.1f}" text-anchor="middle">{language.integer(count)}</text>'
        )
    for number in range(len(bins) + 1):
        if number % 2 == 0:
            label = escape(language.percent(number / len(bins), 0))
            x = _LEFT + width * number
            parts.append(f'<text x="{x:.1f}" y="{_BOTTOM + 15}" text-anchor="middle">{label}</text>')
    parts.append(f'<path d="M{_LEFT} {_BOTTOM}H{right}" stroke="var(--ink)"/>')
    return _svg(_WIDTH, _HEIGHT, parts)


@dataclass(frozen=True)
class Cloud:
    """The dots of a map as SVG, and where the number of each class belongs: the same in every language."""

    dots: list[str]
    medians: dict[int, tuple[float, float]]


def cloud(embedding: Embedding, group: int) -> Cloud:
    """One group's images in the plane, coloured by class, before all others in pale grey.

    The frame is the same for every group. The dots of a class carry its number as ``data-class``, and are in the
    order of `drawn`; the number itself belongs at the median of its images.
    """
    low, high = embedding.xy.min(axis=0), embedding.xy.max(axis=0)
    place = 40 + (_MAP - 80) * (embedding.xy - low) / np.maximum(high - low, 1e-9)
    place[:, 1] = _MAP - place[:, 1]
    mine = embedding.group == group
    size = float(np.clip(700 / math.sqrt(len(place)), 11, 30))
    dots = [_dots(place[~mine], "#9aa0a8", size, 0.3)]
    medians = {}
    order = drawn(embedding, group)
    for each in np.unique(embedding.label[mine]).tolist():
        members = place[order[embedding.label[order] == each]]
        colour = CLASS_COLOURS[each % len(CLASS_COLOURS)]
        dots.append(_dots(members, colour, size, 0.85, f' data-class="{each}"'))
        x, y = np.median(members, axis=0).tolist()
        medians[each] = (x, y)
    return Cloud(dots, medians)


def draw_map(cloud: Cloud, language: Language) -> str:
    """A cloud with the numbers of its classes, which carry them as ``data-class``."""
    numbers = []
    for each, (x, y) in cloud.medians.items():
        number = language.digits(str(each))
        numbers.append(
            f'<g data-class="{each}">'
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="30" fill="var(--paper)" fill-opacity="0.75"/>'
            f'<text x="{x:.0f}" y="{y + 18:.0f}" text-anchor="middle" font-size="52" font-weight="700">'
            f"{number}</text></g>"
        )
    frame = (
        f'<rect x="3" y="3" width="{_MAP - 6}" height="{_MAP - 6}" fill="none" '
        'stroke="var(--ink)" stroke-opacity="0.3" stroke-width="4"/>'
    )
    return _svg(_MAP, _MAP, [frame, *cloud.dots, *numbers])


def drawn(embedding: Embedding, group: int) -> NDArray[np.intp]:
    """Which images a `cloud` shows in colour for a group, in the order in which it draws them: class by class."""
    mine = np.flatnonzero(embedding.group == group)
    return mine[np.argsort(embedding.label[mine], kind="stable")]


def difference(grid: Grid) -> NDArray[np.uint8]:
    """What the attack added to each image, amplified around mid-grey: uint8 (G, 3, H, W)."""
    change = grid.adversarial.astype(np.float64) - grid.clean
    return np.clip(np.round(127.5 + AMPLIFICATION * change), 0, 255).astype(np.uint8)


def png(image: NDArray[np.uint8]) -> bytes:
    """An image uint8 (3, H, W) as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(file, "png", optimize=True)
    return file.getvalue()


def _epochs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.arange(1.0, len(values) + 1)


def _epoch_ticks(lines: Sequence[_Line]) -> list[float]:
    """Whole epochs, the first and about seven more."""
    last = int(max(line.x[-1] for line in lines))
    step = max(1, math.ceil((last - 1) / 8))
    return [float(epoch) for epoch in range(1, last + 1, step)]


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart, that cover [low, high] in about ``count`` steps."""
    # A curve that is all one number needs steps that make a difference to it.
    rough = max(high - low, 1e-6, 1e-9 * abs(high)) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _accuracies(lines: Sequence[_Line], x_ticks: list[float], language: Language) -> str:
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    return _chart(lines, x_ticks, ticks, language, lambda value: language.percent(value, 0))


def _chart(
    lines: Sequence[_Line],
    x_ticks: list[float],
    y_ticks: list[float],
    language: Language,
    y_label: Callable[[float], str],
) -> str:
    """A line chart; a value that is not finite leaves a gap."""
    x_low = min(x_ticks[0], *(float(line.x.min()) for line in lines))
    x_high = max(float(line.x.max()) for line in lines)
    x_span = x_high - x_low or 1.0

    def across(x: float) -> float:
        return _LEFT + 8 + (_RIGHT - _LEFT - 16) * (x - x_low) / x_span

    def up(y: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])

    grid = "".join(f"M{_LEFT} {up(tick):.1f}H{_RIGHT}" for tick in y_ticks)
    parts = [f'<path d="{grid}" stroke="var(--ink)" stroke-opacity="0.14"/>']
    for tick in y_ticks:
        parts.append(
            f'<text x="{_LEFT - 5}" y="{up(tick) + 3.5:.1f}" text-anchor="end">{escape(y_label(tick))}</text>'
        )
    for tick in x_ticks:
        if tick <= x_high:
            x = across(tick)
            label = escape(language.points(tick))
            parts.append(f'<text x="{x:.1f}" y="{_BOTTOM + 15}" text-anchor="middle">{label}</text>')
    for line in lines:
        points = [(across(x), up(y)) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
        broken = [math.isfinite(y) for y in line.y]
        path, drawing = "", False
        for x, y, there in zip(line.x, line.y, broken, strict=True):
            if there:
                path += f"{'L' if drawing else 'M'}{across(x):.1f} {up(y):.1f}"
            drawing = there
        dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
        parts.append(f'<path d="{path}" fill="none" stroke="{line.colour}" stroke-width="2"{dash}/>')
        if len(points) <= 30:
            parts.append(_dots(np.array(points), line.colour, 5.5, 1))
    parts.append(f'<path d="M{_LEFT} {_BOTTOM}H{_RIGHT}" stroke="var(--ink)"/>')
    return _svg(_WIDTH, _HEIGHT, parts)


def _dots(places: NDArray[np.float64], colour: str, size: float, opacity: float, more: str = "") -> str:
    """Round dots as one path: a stroke of no length with round caps is a dot."""
    steps = places.round().astype(int) if size > 10 else places.round(1)
    path = "".join(f"M{x} {y}h0" for x, y in steps.tolist())
    return (
        f'<path{more} d="{path}" stroke="{colour}" stroke-width="{size:.4g}" stroke-linecap="round" '
        f'stroke-opacity="{opacity}" fill="none"/>'
    )


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Vazirmatn" font-size="10.5" fill="var(--ink)">{"".join(parts)}</svg>'
    )
