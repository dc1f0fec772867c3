"""IBANs in any grouping, also broken over lines: the country says how many characters follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from workers.pii import checks
from workers.pii.boundaries import ALONE_AFTER, JOINING
from workers.pii.finding import Finding, Unaided

_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
"""Length -> the countries with IBANs of this length, from SWIFT's IBAN Registry (ISO 13616)."""
_LENGTHS = {country: length for length, countries in _COUNTRIES.items() for country in countries.split()}
_CHECK_DIGITS = re.compile("[0-9](?:(?<=[A-Za-z][A-Za-z].)|(?<=[A-Za-z][A-Za-z] .))[0-9]")
"""Found by its digits, because letters are everywhere."""
_JOINED = re.compile(JOINING)


@cache
def _rest(length: int) -> re.Pattern[str]:
    """``length`` letters and digits, with separators or line breaks between any of them."""
    return re.compile(rf"(?:(?:[ .\t/-]{{1,2}}|[ \t]?\r?\n[ \t>]{{0,4}})?[A-Za-z0-9]){{{length}}}{ALONE_AFTER}")


@dataclass(frozen=True)
class Iban(Unaided):
    """International bank account numbers; the country's length and structure and the check digits prove them."""

    name: str = "iban"
    entity: str = "IBAN_CODE"
    digits: int = 2
    hint: re.Pattern[str] | None = _CHECK_DIGITS

    def find(self, text: str) -> Iterator[Finding]:
        """The IBANs in ``text``, in order and without overlaps."""
        free = 0
        for digits in _CHECK_DIGITS.finditer(text):
            start = digits.start() - 2 - (text[digits.start() - 1] == " ")
            length = _LENGTHS.get(text[start : start + 2].upper())
            if length is None or start < free or (start > 0 and _JOINED.match(text, start - 1)):
                continue
            rest = _rest(length - 4).match(text, digits.end())
            if rest and checks.iban("".join(filter(str.isalnum, text[start : rest.end()]))):
                free = rest.end()
                yield Finding(start, free, self.entity, 1.0, self.name, checked=True)
