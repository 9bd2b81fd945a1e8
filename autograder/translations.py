"""Messages in both languages, from gettext catalogues in source form: nothing compiled is committed."""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_percent

LANGUAGES = ("en", "fa")

# Babel takes the separators of Persian from CLDR, but writes Latin digits and the Latin per cent sign.
_PERSIAN = str.maketrans("0123456789%", "۰۱۲۳۴۵۶۷۸۹٪")


def percent(fraction: float, language: str) -> str:
    """A fraction as a percentage with one decimal, in a language's own digits: 0.612 is 61.2% or ۶۱٫۲٪."""
    text = str(format_percent(fraction, "#,##0.0%", locale=language, numbering_system="default"))
    return text.translate(_PERSIAN) if language == "fa" else text


@cache
def catalogue(folder: Path, domain: str, language: str) -> gettext.NullTranslations:
    """The catalogue ``folder/<language>/LC_MESSAGES/<domain>.po``; English needs none, since messages are English."""
    path = folder / language / "LC_MESSAGES" / f"{domain}.po"
    if not path.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
