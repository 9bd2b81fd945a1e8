"""The faces of the report, embedded in the pages: no page depends on what a reader's system has installed."""

from __future__ import annotations

import base64
import functools
import html
import importlib.util
import io
import logging
import re
from pathlib import Path

from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from autograder.report.language import TEMPLATES

_CODE = re.compile("<pre[^>]*>(.*?)</pre>", re.DOTALL)
_ARABIC = frozenset(range(0x600, 0x780))
"""Left to Vazirmatn: letters of one width do not join."""
_FACES = ((400, "Vazirmatn-Regular.ttf"), (700, "Vazirmatn-Bold.ttf"))
_FALLBACK, _MONOSPACED = "Report Fallback", "Report Code"
_MONOSPACED_FILE = "DejaVuSansMono.ttf"


@functools.cache
def _fallback() -> Path | None:
    """DejaVu Sans, which comes with matplotlib; found without importing that, which takes longer than all this."""
    found = importlib.util.find_spec("matplotlib")
    path = Path(found.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf" if found and found.origin else None
    return path if path and path.exists() else None


def font_faces(text: str) -> str:
    """The ``@font-face`` rules for a document of that text, with the faces in them.

    Vazirmatn sets Persian and Latin. What it lacks (Greek, Cyrillic, arrows) comes from the DejaVu Sans that
    matplotlib brings along, cut down to the characters that occur; so does code (``<pre>``) from DejaVu Sans Mono.
    """
    rules = [
        _rule("Vazirmatn", weight, _embedded((TEMPLATES / "fonts" / name).read_bytes())) for weight, name in _FACES
    ]
    lacking = frozenset(map(ord, set(text))) - _characters(TEMPLATES / "fonts" / _FACES[0][1])
    if (fallback := _fallback()) and (needed := lacking & _characters(fallback)):
        rules.append(_rule(_FALLBACK, 400, _embedded(_subset(fallback, needed))))
    code = frozenset(map(ord, html.unescape("".join(_CODE.findall(text))))) - _ARABIC
    if fallback and code:
        rules.append(_rule(_MONOSPACED, 400, _embedded(_subset(fallback.with_name(_MONOSPACED_FILE), code))))
    return "\n".join(rules)


def print_faces() -> tuple[str, dict[str, bytes]]:
    """The ``@font-face`` rules for print, and the whole faces by the addresses in them: a PDF takes what it needs."""
    faces = [("Vazirmatn", weight, TEMPLATES / "fonts" / name) for weight, name in _FACES]
    if fallback := _fallback():
        faces += [(_FALLBACK, 400, fallback), (_MONOSPACED, 400, fallback.with_name(_MONOSPACED_FILE))]
    rules = [_rule(family, weight, f"face:{path.name}") for family, weight, path in faces]
    return "\n".join(rules), {f"face:{path.name}": path.read_bytes() for *_, path in faces}


def advance(text: str, weight: int) -> float:
    """How wide Vazirmatn sets a text of digits and signs, in ems; what it lacks counts as nothing."""
    advances = _advances(TEMPLATES / "fonts" / dict(_FACES)[weight])
    return sum(advances.get(ord(character), 0.0) for character in text)


def _embedded(font: bytes) -> str:
    return f"data:font/ttf;base64,{base64.b64encode(font).decode('ascii')}"


def _rule(family: str, weight: int, address: str) -> str:
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{address}") format("truetype"); }}'
    )


@functools.cache
def _characters(path: Path) -> frozenset[int]:
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.cache
def _advances(path: Path) -> dict[int, float]:
    with TTFont(path, lazy=True) as font:
        return {code: font["hmtx"][name][0] / font["head"].unitsPerEm for code, name in font.getBestCmap().items()}


@functools.lru_cache(maxsize=8)
def _subset(path: Path, characters: frozenset[int]) -> bytes:
    logging.getLogger("fontTools.subset").setLevel(logging.ERROR)
    options = Options(layout_features=[], notdef_outline=True, hinting=False)
    with TTFont(path, lazy=True, recalcTimestamp=False) as font:  # the same report is the same bytes
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=sorted({*characters, ord(" ")}))  # a run of text brings the spaces in it
        subsetter.subset(font)
        file = io.BytesIO()
        font.save(file)
    return file.getvalue()
