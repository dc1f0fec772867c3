"""Numbers of passports of any country, next to the word passport in the languages of many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workers.pii.boundaries import ALONE_AFTER, ALONE_BEFORE
from workers.pii.finding import Finding, Unaided

_WORD = (
    r"(?:passports?|(?:reise)?pass(?:nummer|nr\.?|[ -]nr\.?|[ -]nummer)|reisepass|passe?port|pasaportes?|passaport[eo]"
    r"|paspoort(?:nummer)?|paszportu?|pasu|pasnummer|pa[sș]aport(?:ului)?|pasaportu?|útlevél(?:száma?)?|passinumero"
    r"|паспорта?|διαβατηρίου|διαβατήριο|护照|護照|旅券|パスポート|여권)"
)
_BETWEEN = (
    r"(?:[^\w\n]|_){0,4}"
    r"(?:(?:numbers?|num|numero|número|numéro|nummer|numer|numeris|no|nr|n|id|is|was|ist|lautet|est|es|è|é|jest|er|on"
    r"|番号|号码|號碼|번호는?|номер|серия|of the holder|código|code)(?:[^\w\n]|_){1,4}){0,3}"
)
"""What may be between the word and the number: "passport (number", ``passport_no``, ``"passportNumber": "``."""
_NUMBER = (
    rf"(?P<number>(?=[A-Z0-9]{{6,9}}{ALONE_AFTER})[A-Z]{{1,3}}[0-9]{{5,8}}[A-Z]?"
    r"|(?-i:(?!N[OR])[A-Z]{1,2}) [0-9]{6,8}|[0-9]{7,9}[A-Z]?"
    rf"|(?=(?:[A-Z]*[0-9]){{4}})[A-Z0-9]{{8,9}}){ALONE_AFTER}(?![.,-][0-9])"
)
_NEARLY = (
    "pass", "Pass", "PASS", "pas ", "pasu", "pasn", "Pasn", "pasa", "Pasa", "PASA", "pasz", "Pasz", "PASZ", "paspo",
    "Paspo", "PASPO", "pașa", "Pașa", "tlev", "аспорт", "АСПОРТ", "ιαβατ", "护照", "護照", "旅券", "パスポート", "여권",
)  # fmt: skip
"""One of them is in every text with a word for a passport; a search for them is faster than one for a pattern."""
_AFTER_WORD = re.compile(rf"(?=[prúпδ护護旅パ여]){ALONE_BEFORE}{_WORD}{_BETWEEN}{_NUMBER}", re.IGNORECASE)
_BEFORE_WORD = re.compile(
    rf"{ALONE_BEFORE}(?<![0-9][.,-]){_NUMBER} (?:is|ist|est|es|è) (?:my|his|her|their|the|meine?|mon|mi|il mio|mijn)"
    rf" {_WORD}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Passports(Unaided):
    """Six to nine letters and digits that are said to be the number of a passport.

    The word must be right before it, but for words such as "number": a passport office has numbers of orders, too. The
    score is less than that of a country's own form near its word.
    """

    name: str = "passport"
    entity: str = "PASSPORT"
    digits: int = 2

    def find(self, text: str) -> Iterator[Finding]:
        """The numbers in ``text``, with offsets into it."""
        if not any(map(text.__contains__, _NEARLY)):
            return
        for pattern in (_AFTER_WORD, _BEFORE_WORD):
            for match in pattern.finditer(text):
                yield Finding(*match.span("number"), self.entity, 0.54, self.name, checked=False)
