"""Dates of birth: dates behind words such as "born" in several languages, also written in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workers.pii.boundaries import ALONE_AFTER, ALONE_BEFORE
from workers.pii.dates import exists
from workers.pii.finding import Finding, Unaided

_BORN = re.compile(
    rf"(?=[bdgnfursγд*]){ALONE_BEFORE}(?:born|d\.?o\.?b|birth[ _-]?da(?:te|y)|date[ _-]?of[ _-]?birth|bday"
    r"|geb|geboren|geboortedatum|geburts(?:datum|tag)"
    r"|née?|n[ée]\(e\)|date de naissance|nat[oaie](?= (?:a|il|l|in|nel)\b)|data di nascita"
    r"|nacid[oa]s?|f(?:echa)? de nac(?:imiento)?|fecha[ _]nacimiento|nascid[oa]s?|data de nascimento"
    r"|ur(?=\.)|urodzon[yae]|data urodzenia|naroz(?:en[aá]?)?|născut[ăa]?"
    r"|född|født|fødselsdato|födelsedatum|syntynyt|γεννήθηκε|родил(?:ся|ась)|дата рождения)"
    rf"{ALONE_AFTER}|(?:(?<=[^\s*][ ,])|(?<=\())\*(?=[ ]?[0-9]{{1,2}}\.[ ]?[0-9]{{1,2}}\.[ ]?[0-9]{{4}})",
    re.IGNORECASE,
)
_REACH = 40
"""Characters between the word and the date: "nata a Torino il", "born in Cork on"."""
_LONGEST = 50
"""Characters of the longest date."""
_MONTH = (
    r"(?:jan(?:uary|uari|uar|vier|\.)?|jänner|gennaio|enero|janeiro|stycznia|feb(?:ruary|ruari|ruar|braio|rero|\.)?|février"
    r"|fevereiro|lutego|mar(?:ch|s|zo|ço|ca|\.)?|märz|maart|apr(?:il|ile|\.)?|avril|abril|kwietnia|may|mai|maj|maja"
    r"|mei|mayo|maio|maggio|jun(?:e|i|ho|io|\.)?|juin|giugno|czerwca|jul(?:y|i|ho|io|\.)?|juillet|luglio|lipca"
    r"|aug(?:ust|usti|ustus|\.)?|août|agosto|sierpnia|sept?(?:ember|embre|iembre|\.)?|settembre|setembro|września"
    r"|o[ck]t(?:ober|obre|ubre|\.)?|ottobre|outubro|października|nov(?:ember|embre|iembre|embro|\.)?|listopada"
    r"|de[cz](?:ember|\.)?|décembre|dicembre|diciembre|dezembro|grudnia)"
)
_TENS = "(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_UNIT = "(?:one|two|three|four|five|six|seven|eight|nine)"
_NTH = (
    "(?:(?:twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|tenth|eleventh|twelfth"
    "|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth"
)
_TEENS = "ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
_YEAR = "(?:1[89]|20)[0-9]{2}"
_YEAR_IN_WORDS = (
    rf"(?:(?:eighteen|nineteen|twenty)[ -](?:hundred(?: and)? )?(?:{_TENS}(?:[ -]{_UNIT})?|{_TEENS}|oh[ -]{_UNIT})"
    rf"|two thousand(?: (?:and )?(?:{_TENS}(?:[ -]{_UNIT})?|{_TEENS}|{_UNIT}))?)"
)
_DAY = "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = re.compile(
    rf"(?P<numbers>{ALONE_BEFORE}(?<![0-9][./:-])(?:{_YEAR}[./-][0-9]{{1,2}}[./-]{_DAY}"
    rf"|{_DAY}[ ]?(?P<sep>[./-])[ ]?[0-9]{{1,2}}(?P=sep)[ ]?(?:{_YEAR}|[0-9]{{2}})){ALONE_AFTER}(?![./:-][0-9]))"
    rf"|{ALONE_BEFORE}(?:{_DAY}(?:st|nd|rd|th|er|\.|º|°)?(?: of| de| d')? ?{_MONTH},?(?: de| del| do)? {_YEAR}(?: r\.)?"
    rf"|{_MONTH} {_DAY}(?:st|nd|rd|th)?,? {_YEAR}"
    rf"|(?:the )?(?:{_NTH}) (?:of |day of )?{_MONTH},? (?:{_YEAR_IN_WORDS}|{_YEAR})"
    rf"|{_MONTH} (?:the )?(?:{_NTH}),? (?:{_YEAR_IN_WORDS}|{_YEAR})){ALONE_AFTER}",
    re.IGNORECASE,
)
_NEARLY = (
    "born", "dob", "d.o.b", "birth", "bday", "geb", "né", "nata ", "nato ", "nati ", "nate ", "nasci", "nacid", "nacim",
    "de nac", "ur.", "urodz", "född", "födel", "født", "fødse", "synty", "naroz", "născut", "γεννήθηκε", "родил",
    "рожд", "*",
)  # fmt: skip
"""In small letters; one of them is in every text with a word of birth. A search for them takes a few microseconds."""
_IN_DATE = re.compile("[0-9]|[Nn]inet|[Ee]ightee|[Tt]wen|[Tt]wo|NINET|EIGHTEE|TWEN|TWO")
"""What is in every date."""
_DIGIT = re.compile("[0-9]")
_NUMERALS = "ninet", "eightee", "twen", "two"
"""What begins the year of every date without digits."""
_ANOTHER = re.compile(r"[.!?;] (?!\s*[0-9])|\n\s*\n|[†]")
"""Where a statement that somebody was born ends."""


@dataclass(frozen=True)
class Births(Unaided):
    """Whole dates, with their year, of births. Found also where other dates are not asked for: they identify people."""

    name: str = "date-of-birth"
    entity: str = "DATE_TIME"

    def find(self, text: str) -> Iterator[Finding]:
        """The dates in ``text``, with offsets into it."""
        small = text.lower()
        if not (_DIGIT.search(small) or any(map(small.__contains__, _NUMERALS))):
            return
        if not any(map(small.__contains__, _NEARLY)):
            return
        for word in _BORN.finditer(text):
            # The full stop of "geb." ends no sentence.
            first = word.end() + text.startswith(".", word.end())
            last = first + _REACH + _LONGEST
            date = _DATE.search(text, first, last) if _IN_DATE.search(text, first, last) else None
            if date is None or date.start() > first + _REACH or _ANOTHER.search(text, first, date.start() + 1):
                continue
            if date["numbers"] is None or exists(date["numbers"]):
                yield Finding(date.start(), date.end(), self.entity, 0.85, self.name, checked=True)
