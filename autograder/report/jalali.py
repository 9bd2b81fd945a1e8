"""The Persian solar (Jalali) calendar, which Babel does not format."""

from __future__ import annotations

from datetime import date

_EPOCH = date(622, 3, 21).toordinal()  # 1 Farvardin 1 by the rule below, proleptic Gregorian
_FIRST_OF_MONTH = (0, 31, 62, 93, 124, 155, 186, 216, 246, 276, 306, 336)  # days of the year before each month


def _new_year(year: int) -> int:
    """The ordinal of 1 Farvardin. Eight leap years in 33, the rule of ICU's Persian calendar: right for 1178-1501."""
    return _EPOCH + 365 * (year - 1) + (8 * year + 21) // 33


def jalali(day: date) -> tuple[int, int, int]:
    """The Jalali (year, month 1..12, day 1..31) of a Gregorian date, exact from 1799 to 2122."""
    ordinal = day.toordinal()
    year = day.year - 621
    if ordinal < _new_year(year):
        year -= 1
    day_of_year = ordinal - _new_year(year)
    month = max(index for index, first in enumerate(_FIRST_OF_MONTH) if first <= day_of_year)
    return year, month + 1, day_of_year - _FIRST_OF_MONTH[month] + 1
