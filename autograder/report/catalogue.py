"""The messages of the report: collected from templates and code, and merged into the catalogues.

``python -m autograder.report.catalogue`` brings both catalogues up to date; what is new in Persian stays empty
until it is translated, and a test fails until then.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from autograder.report.language import LANGUAGES, TEMPLATES, catalogue_path
from autograder.results import write_atomically

_SOURCES = (
    (Path(__file__).parent, [("**.py", "python")]),
    (TEMPLATES, [("**.j2", "jinja2.ext:babel_extract")]),
)
_HEADER = "# The report's messages. Bring up to date with: python -m autograder.report.catalogue"
_IDLE = (
    b'"POT-Creation',
    b'"PO-Revision',
    b'"Last-Translator',
    b'"Language-Team',
    b'"Report-Msgid',
    b'"Generated-By',
)
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "say": None,
    "plain": None,
    "_n": (1, 2),
    "say_many": (1, 2),
}


def extract() -> Catalog:
    """Every message there is in the code and in the templates, each with where it is used."""
    catalogue = Catalog(project="Mizan", charset="utf-8")
    for folder, methods in _SOURCES:
        found = extract_from_dir(
            folder, method_map=methods, options_map={"**.j2": {"silent": "false"}}, keywords=_KEYWORDS
        )
        for filename, _line, message, _comments, context in found:
            catalogue.add(message, locations=[(f"{folder.name}/{filename}", 0)], context=context)
    return catalogue


def read(code: str) -> Catalog:
    """The catalogue of a language as it is stored; an empty one where there is none yet."""
    path = catalogue_path(code)
    return read_po(io.BytesIO(path.read_bytes() if path.exists() else b""), locale=code)


def update(code: str) -> Path:
    """Merges the messages of today into a language's catalogue; English translates itself."""
    stored = read(code)
    catalogue = Catalog(code, project="Mizan", version="1", charset="utf-8", fuzzy=False, header_comment=_HEADER)
    for message in extract():
        if message.id:
            known = stored.get(message.id)
            string = known.string if known else message.id if code == "en" else None
            catalogue.add(message.id, string, locations=message.locations, flags=message.flags)
    content = io.BytesIO()
    write_po(content, catalogue, width=118, sort_output=True)
    # Dates and names of a form nobody fills in would only change at every run.
    lines = [line for line in content.getvalue().splitlines(keepends=True) if not line.startswith(_IDLE)]
    write_atomically(catalogue_path(code), b"".join(lines))
    return catalogue_path(code)


if __name__ == "__main__":
    for each in LANGUAGES:
        print(update(each))
