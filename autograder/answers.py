"""Students' written answers, read from the notebooks of a hand-in as plain JSON.

A notebook is a stranger's: it may be no notebook, too large to be read, or have a cell twice or not at all. Nothing
here raises for that, and nothing in a notebook is run or rendered: what comes out is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

MAX_NOTEBOOK_BYTES = 16 << 20
"""Of one notebook; ``pack.py`` takes as much."""
MAX_VALUES = 1_000_000
"""Values in a notebook, about; each takes some 60 bytes of memory, however short it is written."""
MAX_LETTERS = 12_000
"""Of one answer that are kept, some five pages."""
MAX_LINES = 300
"""Of one answer that are kept."""
MAX_COPIES = 8
"""Cells of one name that are kept."""

_SURROGATES = re.compile("[\ud800-\udfff]")


class Source(NamedTuple):
    """The text of a cell, and how many letters of it were cut off at the end."""

    text: str
    left_out: int = 0


@dataclass(frozen=True)
class Notebook:
    """The cells of a notebook that were asked for, by their names (nbgrader's ``grade_id``), or why there are none.

    A name has more than one source where the notebook has its cell more than once.
    """

    cells: dict[str, list[Source]] = field(default_factory=dict)
    problem: Literal["", "too large", "unreadable"] = ""


def read(content: bytes, names: Collection[str]) -> Notebook:
    """Reads the cells of these names from the bytes of a file; never raises, whatever they are."""
    values = sum(content.count(mark) for mark in (b",", b":", b"[", b"{"))
    if len(content) > MAX_NOTEBOOK_BYTES or values > MAX_VALUES:
        return Notebook(problem="too large")
    try:
        cells = json.loads(content.decode("utf-8-sig"))["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):  # JSON's and UTF-8's errors are ValueErrors
        return Notebook(problem="unreadable")
    if not isinstance(cells, list):
        return Notebook(problem="unreadable")
    found: dict[str, list[Source]] = {}
    for cell in cells:
        name, source = _name(cell), _source(cell)
        if name in names and source is not None and len(copies := found.setdefault(name, [])) < MAX_COPIES:
            copies.append(cut(source))
    return Notebook(found)


def cut(text: str, letters: int = MAX_LETTERS, lines: int = MAX_LINES) -> Source:
    """The beginning of a text, without the blanks around it."""
    whole = text.strip()
    kept = "\n".join(whole[: letters + 1].split("\n")[:lines])[:letters].rstrip()
    return Source(kept, len(whole) - len(kept))


def _name(cell: Any) -> str:
    """A cell's name; empty where it has none."""
    for key in ("metadata", "nbgrader", "grade_id"):
        cell = cell.get(key) if isinstance(cell, dict) else None
    return cell if isinstance(cell, str) else ""


def _source(cell: Any) -> str | None:
    """A cell's text, whichever type the cell is of; None where it has none."""
    source = cell.get("source") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    # Halves of a letter are JSON, but can be written nowhere.
    return _SURROGATES.sub("\ufffd", source).replace("\r\n", "\n").replace("\r", "\n")
