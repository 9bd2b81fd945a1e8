"""Messages in both languages, from gettext catalogues in source form: nothing compiled is committed."""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("en", "fa")


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
