"""A language of the report: its catalogue of messages, its direction, its numbers and its dates."""

from __future__ import annotations

import functools
import gettext
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup

from autograder.report.bidi import LATIN, Direction, clean, isolate, isolate_message, verbatim
from autograder.report.jalali import jalali
from autograder.results import Text
from autograder.translations import N_, catalogue, localised, percent

TEMPLATES = Path(__file__).resolve().parents[2] / "report_template"
"""Where the templates, the style sheets, the faces and the catalogues lie."""

LANGUAGES = ("fa", "en")
"""The languages there are, each with a catalogue ``report_template/locale/<code>/LC_MESSAGES/report.po``."""

_DIRECTIONS: dict[str, Direction] = {"fa": "rtl", "en": "ltr"}
_NAMES = {"fa": "فارسی", "en": "English"}
# A number that stands among Persian words, and in no run of Latin or code.
_NUMBER = re.compile(rf"(?<![{LATIN}])(?<![{LATIN}] )\d+(?:\.\d+)?%?(?![{LATIN}])(?! [{LATIN}])", re.ASCII)


_MONTHS = (
    N_("Farvardin"),
    N_("Ordibehesht"),
    N_("Khordad"),
    N_("Tir"),
    N_("Mordad"),
    N_("Shahrivar"),
    N_("Mehr"),
    N_("Aban"),
    N_("Azar"),
    N_("Dey"),
    N_("Bahman"),
    N_("Esfand"),
)


class Titled(Protocol):
    """A criterion or an experiment, or one that was left out."""

    id: str
    title: Text


class Language:
    """Says things in one language. Get one from `language`.

    Methods that say something for a page return escaped `Markup`, in which runs of the other script are isolated;
    methods that format a number or a date return plain text.
    """

    def __init__(self, code: str, catalogue: gettext.NullTranslations) -> None:
        self.code = code
        self.name = _NAMES[code]
        self.direction = _DIRECTIONS[code]
        self._catalogue = catalogue

    def say(self, message: str, /, **values: Any) -> Markup:
        """The message in this language, with its ``%(name)s`` filled in; values that are no `Markup` are escaped."""
        return isolate_message(self._catalogue.gettext(message), self.direction) % values

    def say_many(self, singular: str, plural: str, number: int, /, **values: Any) -> Markup:
        """`say` with a number: ``%(count)s`` is ``number`` in this language's digits, in the right plural form."""
        message = self._catalogue.ngettext(singular, plural, number)
        return isolate_message(message, self.direction) % {"count": self.integer(number), **values}

    def plain(self, message: str, /, **values: Any) -> str:
        """`say` without markup: for figures, and for the title of the document."""
        return str(self.say(message, **values).striptags())

    def text(self, text: Text) -> Markup:
        """A text of the Result; where it lacks this language, in the other one, marked as such.

        Numbers among Persian words get Persian digits, whoever wrote them; those in code stay as they are.
        """
        words, code = self.words(text)
        words = words.strip()
        if code == self.code:
            return isolate(_NUMBER.sub(self._prose_number, words), self.direction)
        direction = _DIRECTIONS[code]
        return Markup('<span lang="{}" dir="{}">{}</span>').format(code, direction, isolate(words, direction))

    def words(self, text: Text) -> tuple[str, str]:
        """A text as it was written, in this language or else in the other one, and the code of that language."""
        order = sorted(LANGUAGES, key=lambda code: code != self.code)
        return next(((words, code) for code in order if (words := getattr(text, code)).strip()), ("", self.code))

    def title(self, each: Titled) -> Markup:
        """What something is called; where it has no title, what it is known by."""
        return self.text(each.title) or verbatim(each.id)

    def digits(self, text: str) -> str:
        """``text`` with its digits in this language."""
        return localised(text, self.code)

    def integer(self, number: int) -> str:
        """A whole number with thousands separated."""
        return self._decimal(number, "#,##0")

    def decimal(self, number: float, digits: int = 2) -> str:
        """A number with exactly ``digits`` decimals."""
        return self._decimal(number, "#,##0." + "0" * digits if digits else "#,##0")

    def points(self, number: float) -> str:
        """Points of the score: up to two decimals, none where they would be zeros."""
        return self._decimal(number, "#,##0.##")

    def percent(self, fraction: float, digits: int = 1) -> str:
        """A fraction in [0, 1] as a percentage with ``digits`` decimals."""
        return percent(fraction, self.code, digits)

    def percentage_points(self, fraction: float) -> str:
        """A difference of two fractions in percentage points, with one decimal and without its sign."""
        return self.decimal(abs(fraction) * 100, 1)

    def duration(self, seconds: float) -> Markup:
        """Seconds, or minutes from two minutes on."""
        if seconds < 120:
            return self.say("%(seconds)s s", seconds=self.decimal(seconds, 1))
        return self.say("%(minutes)s min", minutes=self.decimal(seconds / 60, 1))

    def date(self, moment: datetime) -> Markup:
        """The day, in the Persian solar calendar in Persian."""
        if self.code != "fa":
            return Markup(format_date(moment, "long", locale=self.code))
        year, month, day = jalali(moment.date())
        date = {"day": self.digits(str(day)), "month": self.say(_MONTHS[month - 1]), "year": self.digits(str(year))}
        return self.say("%(day)s %(month)s %(year)s", **date)

    def gregorian(self, moment: datetime) -> Markup:
        """The day in the Gregorian calendar."""
        return Markup(self.digits(str(format_date(moment, "d MMMM y", locale=self.code))))

    def time(self, moment: datetime) -> Markup:
        """Hours and minutes, with the distance from UTC where it is known."""
        time = self.digits(f"{moment:%H:%M}")
        if moment.tzinfo is None:
            return Markup(time)
        zone = moment.isoformat(timespec="minutes")[16:].replace("-", "−")
        return Markup('{} <bdi dir="ltr">UTC{}</bdi>').format(time, zone)

    def _decimal(self, number: float, pattern: str) -> str:
        return localised(
            str(format_decimal(number, pattern, locale=self.code, numbering_system="default")), self.code
        )

    def _prose_number(self, match: re.Match[str]) -> str:
        return localised(match[0], self.code).replace(".", "٫") if self.code == "fa" else match[0]


def catalogue_path(code: str) -> Path:
    """The catalogue of a language."""
    return TEMPLATES / "locale" / code / "LC_MESSAGES" / "report.po"


@functools.cache
def language(code: str) -> Language:
    """The language of that code, its catalogue compiled in memory.

    Raises:
        ValueError: there is no such language.
    """
    if code not in LANGUAGES:
        raise ValueError(f"no language '{clean(code)}': there are {' and '.join(LANGUAGES)}")
    return Language(code, catalogue(TEMPLATES / "locale", "report", code))
