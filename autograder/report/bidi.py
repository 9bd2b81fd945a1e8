"""Text of two directions on one page: isolating runs of the other script, and disarming control characters.

A Latin term inside a Persian sentence, such as ``(N, 8*width)``, is neutral brackets and digits to the Unicode
bidirectional algorithm (UAX #9), which lays them out from right to left. Each such run therefore gets a ``<bdi>``
of its own. Everything here takes plain text and returns escaped `Markup`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Literal

from markupsafe import Markup, escape

Direction = Literal["ltr", "rtl"]

# Terminal colours; C0 and C1 controls but tab and newline; embeddings, overrides and isolates (a name must not turn
# its neighbours around, also where no element can hold it: page titles, PDF metadata); lone surrogates.
_CONTROLS = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
LATIN = "!-~¡-ª¬-º¼-ɏͰ-Ͽ‖′″⁰-₟←-⋿"
"""What Latin words and formulas are made of, as the inside of a regular expression's brackets: printable ASCII,
Latin-1 and Latin Extended letters, Greek, raised and lowered digits, arrows and operators of mathematics, without the
guillemets, which are Persian's quotation marks."""
_LATIN = re.compile(f"[{LATIN}]+(?: [{LATIN}]+)*")
_PERSIAN = re.compile(r"[؀-ۿݐ-ݿﭐ-﷿ﹰ-﻿\u200c]+(?:[ .]+[؀-ۿݐ-ݿﭐ-﷿ﹰ-﻿\u200c]+)*")
_PLACEHOLDER = re.compile(r"(%\(\w+\)s|%%)")
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_DOTTED = re.compile(r"\.\w")  # a name such as .npz begins with its dot
MOST_TOGETHER = 50
"""Runs without a space between them that are isolated. WeasyPrint takes the square of their number: minutes for a
page of letters of two scripts by turns."""
_SPACE = re.compile("[ \t\n]")
_STOPS = ".,;:!? "
_QUOTES = "\"'"


def clean(text: str) -> str:
    """``text`` without control characters, terminal colours and bidirectional overrides."""
    return _CONTROLS.sub("", text)


def direction_of(text: str, default: Direction = "ltr") -> Direction:
    """The direction of the first strong character (UAX #9, rules P2 and P3), else ``default``."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            return "ltr"
        if kind in ("R", "AL"):
            return "rtl"
    return default


def verbatim(text: str) -> Markup:
    """Text of a user's own (a name, a path, a number): cleaned, escaped, and isolated with its own direction.

    The direction is written out, because not every renderer knows ``dir="auto"``.
    """
    text = clean(text)
    return Markup('<bdi dir="{}">{}</bdi>').format(direction_of(text), text)


def isolate(text: str, direction: Direction) -> Markup:
    """A sentence of the given direction, escaped, with each run of the other script in a ``<bdi>`` of its own.

    Of more than `MOST_TOGETHER` without a space between them, which are no words, the others stay as they are.
    """
    text = clean(text)
    pattern, other = (_LATIN, "ltr") if direction == "rtl" else (_PERSIAN, "rtl")
    pieces, end, together = Markup(), 0, 0
    for match in pattern.finditer(text):
        start, stop = _trimmed(text, *match.span())
        together = 0 if _SPACE.search(text, end, stop) else together + 1
        if together < MOST_TOGETHER and any(character.isalnum() for character in text[start:stop]):
            pieces += escape(text[end:start]) + Markup('<bdi dir="{}">{}</bdi>').format(other, text[start:stop])
            end = stop
    return pieces + escape(text[end:])


def isolate_message(message: str, direction: Direction) -> Markup:
    """`isolate` for a message of the catalogues: placeholders such as ``%(name)s`` stay as they are."""
    pieces = _PLACEHOLDER.split(message)
    return Markup("").join(
        Markup(piece) if index % 2 else isolate(piece, direction) for index, piece in enumerate(pieces)
    )


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    """Leaves out what belongs to the sentence around the run: its stops, and brackets without a partner."""
    there = Counter(text[start:stop])
    while start < stop:
        first, last = text[start], text[stop - 1]
        if last in _STOPS or _odd(last, there):
            stop -= 1
            there[last] -= 1
        elif (first in _STOPS and not _DOTTED.match(text, start, stop)) or _odd(first, there):
            start += 1
            there[first] -= 1
        else:
            break
    return start, stop


def _odd(mark: str, there: Counter[str]) -> bool:
    """Whether a bracket or quotation mark lacks its partner in a run that has so many of each character."""
    if mark in _QUOTES:
        return there[mark] % 2 == 1
    for opening, closing in _BRACKETS:
        if mark == opening:
            return there[opening] > there[closing]
        if mark == closing:
            return there[closing] > there[opening]
    return False
