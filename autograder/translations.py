"""Messages and numbers in both languages, from gettext catalogues in source form: nothing compiled is committed."""

from __future__ import annotations

import gettext
import io
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_percent

LANGUAGES = ("en", "fa")

_PERSIAN = str.maketrans("0123456789%", "۰۱۲۳۴۵۶۷۸۹٪")


def N_(message: str) -> str:
    """Marks a message for the catalogues where it is not yet to be translated, and returns it as it is."""
    return message


def localised(number: str, language: str) -> str:
    """A formatted number with the digits and the per cent sign of a language; Babel gives only its separators."""
    return number.translate(_PERSIAN) if language == "fa" else number


def percent(fraction: float, language: str, digits: int = 1) -> str:
    """A fraction as a percentage with ``digits`` decimals: 0.612 is 61.2% or ۶۱٫۲٪."""
    pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
    return localised(str(format_percent(fraction, pattern, locale=language, numbering_system="default")), language)


def compiled(path: Path) -> bytes:
    """A catalogue (.po) compiled (.mo); without its dates, so that the same texts give the same bytes."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    catalogue.creation_date = catalogue.revision_date = datetime(1980, 1, 1, tzinfo=UTC)
    made = io.BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


@cache
def catalogue(folder: Path, domain: str, language: str) -> gettext.NullTranslations:
    """The catalogue ``folder/<language>/LC_MESSAGES/<domain>.po``; English may lack it."""
    path = folder / language / "LC_MESSAGES" / f"{domain}.po"
    if not path.exists():
        return gettext.NullTranslations()
    return gettext.GNUTranslations(io.BytesIO(compiled(path)))
