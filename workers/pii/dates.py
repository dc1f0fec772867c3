"""Dates and times. They are everywhere, so that a task finds them only if it names ``DATE_TIME``."""

from __future__ import annotations

import re
from datetime import date

from workers.pii.boundaries import ALONE_AFTER, ALONE_BEFORE
from workers.pii.finding import Pattern, Words

_BEFORE = rf"{ALONE_BEFORE}(?<![0-9][./:-])"
_AFTER = rf"{ALONE_AFTER}(?![./:-][0-9])"
_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:1[5-9]|20)[0-9]{2}"
_SHORT_YEAR = f"(?:{_YEAR}|[0-9]{{2}})"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
_NAME = (
    "(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
_NTH = "(?i:st|nd|rd|th)?"
_WORDS = Words.of("date, dated, day, born, birth, birthday, dob, since, until, expires, expiry, valid, issued, due, on")


def exists(written: str) -> bool:
    """Whether there is such a day in the calendar, in one of the orders in which numbers are read as a date."""
    first, second, third = (int(part) for part in re.findall("[0-9]+", written)[:3])
    orders = ((first, second, third),) if first > 31 else ((third, second, first), (third, first, second))
    return any(_is_day(*order) for order in orders)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        # 1 to 99 are years of any century: 2000 is a leap year.
        date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return False
    return True


def _date(name: str, regex: str, score: float, numbers: bool = False) -> Pattern:
    return Pattern(
        name, "DATE_TIME", re.compile(f"{_BEFORE}(?:{regex}){_AFTER}"), score, score, exists if numbers else None,
        digits=1, context=_WORDS, proves=False,
    )  # fmt: skip


DATES = (
    # ISO 8601 and RFC 3339
    _date("date-and-time", rf"{_YEAR}-{_MONTH}-{_DAY}[T ]{_CLOCK}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?", 0.8, numbers=True),
    _date(
        "date-of-numbers",
        rf"{_YEAR}([./-]){_MONTH}\1{_DAY}|(?:{_DAY}([./-]){_MONTH}\2|{_MONTH}([/-]){_DAY}\3){_SHORT_YEAR}",
        0.6,
        numbers=True,
    ),
    _date(
        "date-with-month",
        rf"{_DAY}{_NTH}(?:[ -]| of ){_NAME}\.?(?:,? ?[ -]?{_SHORT_YEAR})?|{_NAME}\.?[ -]{_DAY}{_NTH}(?:,? {_YEAR})?"
        rf"|{_NAME}[ -]{_SHORT_YEAR}",
        0.6,
    ),
    _date("month-and-year", f"{_MONTH}/{_YEAR}", 0.2),
    _date("day-and-month", f"{_DAY}/{_MONTH}|{_MONTH}/{_DAY}", 0.1),
    _date("time-of-day", rf"{_CLOCK} ?(?i:am|pm|a\.m\.|p\.m\.|uhr|h)|(?:[1-9]|1[0-2]) ?(?i:am|pm)", 0.6),
    _date("clock", _CLOCK, 0.3),
)
