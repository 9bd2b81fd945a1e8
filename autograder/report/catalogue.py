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
            catalogue.add(message, locations=[(f"{folder.name}/{filename}", None)], context=context)
    return catalogue


def read(code: str) -> Catalog:
    """The catalogue of a language as it is stored; an empty one where there is none yet."""
    path = catalogue_path(code)
    return read_po(io.BytesIO(path.read_bytes() if path.exists() else b""), locale=code)


def update(code: str) -> Path:
    """Merges the messages of today into a language's catalogue; English translates itself."""
    catalogue = read(code)
    catalogue.update(extract(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    if code == "en":
        for message in catalogue:
            message.string = message.string if any(message.string) else message.id
    content = io.BytesIO()
    write_po(content, catalogue, width=118, sort_output=True, omit_header=False, ignore_obsolete=True)
    write_atomically(catalogue_path(code), content.getvalue())
    return catalogue_path(code)


if __name__ == "__main__":
    for each in LANGUAGES:
        print(update(each))
