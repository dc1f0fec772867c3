"""Phone numbers, by Google's libphonenumber in its Python port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from workers.pii.boundaries import JOINING, UNBROKEN_AFTER, UNBROKEN_BEFORE, touches_word
from workers.pii.finding import Finding, Pattern, Words

if TYPE_CHECKING:
    from phonenumbers import PhoneNumberMatch

_CALLING = Words.of(
    "phone, telephone, tel, cell, cellphone, mobile, mob, fax, call, called, calling, dial, text, texting, sms, "
    "whatsapp, whats app, contact, landline, hotline, office, answering, reach, fone, txt, my number, my nr, "
    # German, Dutch, Nordic
    "telefon, telefonnummer, telefonisch, handy, handynummer, handynr, mobil, mobilnummer, mobiltelefon, festnetz, "
    "rufnummer, rückruf, ruf mich, rufen sie, anrufen, erreichbar, meine nummer, durchwahl, telefoon, "
    "telefoonnummer, mobiel, bel me, mijn nummer, tlf, telefonnr, mobilnr, puhelin, puh, "
    # Romance
    "téléphone, portable, appelez, appelle, rappeler, rappelez, mon numéro, mon num, teléfono, tfno, móvil, celular, "
    "llámame, llamar, llame, mi número, telefono, cellulare, chiamami, chiamare, mio numero, telefone, telemóvel, "
    "telemovel, ligue, meu número, "
    # Slavic, Hungarian, Turkish
    "telefonu, komórka, komórkowy, kom, zadzwoń, mój numer, mobilní, telefonszám, телефон, тел, cep, "
    "电话, 電話, 手机, 手機, 전화, 휴대폰, โทร"
)
_OTHER = Words.of(
    "isbn, issn, order, invoice, version, serial, sku, part, tracking, ticket, case, reference, ref, item, article, "
    "model, id, account",
    before=3,
    after=0,
)
_MONTH, _DAY, _YEAR = "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])", "(?:19|20)[0-9]{2}"
_TIME = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]{1,9})?"
_MOMENT = re.compile(
    # 2022-12-24, also with an hour: 2022-12-24 18, 2023-05-06-17. An hour is not the beginning of a number.
    rf"(?<![0-9])(?<![0-9][./-]){_YEAR}(?P<a>[./-]){_MONTH}(?P=a){_DAY}(?![0-9])"
    rf"(?:[ T_-](?:{_TIME}|(?:[01]?[0-9]|2[0-4])(?![0-9]|[ ().\[\]/-]{{1,4}}[0-9])))?"
    rf"|(?<![0-9])(?<![0-9][./-])(?:{_DAY}(?P<b>[./-]){_MONTH}|{_MONTH}(?P<c>[./-]){_DAY})"
    rf"(?:(?P=b)|(?P=c))(?:{_YEAR}|(?<=[/-])[0-9]{{2}})(?![0-9]|[./-][0-9])"
    rf"|(?<![0-9:]){_TIME}(?![0-9])"
)
"""Dates and times of day."""
_SIGN_OF_MOMENT = re.compile("[0-9](?:[./-][0-9]{1,2}[./-]|:[0-9])")

_RUN = re.compile(r"(?<![0-9])[+]?[(\[]?[0-9](?:[ ().\[\]/-]{0,4}[0-9])*+")
_PIECE = re.compile(r"\S++")
_LETTER = re.compile(rf"(?!x[0-9]){JOINING}")
_SINGLE = re.compile("(?<![0-9])[0-9](?![0-9])")
_FIRST_GROUP = re.compile(r"[0-9]++[ ().\[\]/-]*+")
_GROUPED = re.compile(r"[0-9]++[().\[\]/-]")
_LAST_GROUP = re.compile(r"(?:[ ().\[\]/-]{1,4}[0-9]{1,2}| [0-9]{3})\Z")
_AMOUNT = re.compile(
    r"[0-9]{1,3}(?:(?:\.[0-9]{3})++(?!\.?[0-9])|(?: [0-9]{3})++(?=,[0-9]))|[0-9]++\.[0-9]++(?!\.?[0-9])"
)
"""Decimals and thousands."""
_DECIMALS = re.compile(r"[0-9][.,][0-9]{1,2} ")
"""The end of an amount before a number: 2.320,00 020 7946 0958."""
_ANOTHER = re.compile(r"\s{0,3}[+(]?[0-9]")
_LONGEST = 40
"""Characters of the longest number."""
_PIECES = 6
"""The most pieces, set apart by spaces, that a number of several pieces in a longer row is looked for in."""
_SINGLES = 2
"""The most groups of a single digit in a number: 1 2 3 4 5 6 7 8 9 10 is none."""
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15
"""Of a number that is looked for; the most are E.164's."""
_DOUBTFUL = 0.4
"""The score of what may as well be another number, so that it needs a word near it."""
_EXTENSION = 16
"""Characters after a number in which its extension may stand."""


def _without_moments(text: str) -> str:
    """The text with line breaks in place of dates and times, which have digits and separators as phone numbers have."""
    if _SIGN_OF_MOMENT.search(text):
        return _MOMENT.sub(lambda match: "\n" * len(match[0]), text)
    return text


_CALLED = Pattern(
    "phone-in-context",
    "PHONE_NUMBER",
    # Seven to fifteen digits (E.164) that are no date, two years, or millions: for countries that are not among the
    # regions.
    re.compile(
        rf"{UNBROKEN_BEFORE}(?![0-9]{{4}}[-/.][0-9]{{1,2}}[-/.]|[0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.](?:19|20)[0-9]{{2}}\b)"
        r"(?!(?:(?:19|20)[0-9]{2}[ /-](?:19|20)[0-9]{2}|[1-9](?: [0-9]{3}){2})(?!\w|[ .-]?[0-9]))"
        r"(?=(?:[^0-9\n]{0,3}[0-9]){7,15}(?![0-9]|[ .,-][0-9]))"
        r"\+?\(?[0-9]{1,5}\)?(?:(?:[ .-]|(?<=[0-9)])(?: ?/ ?| - ))?(?:\(0\))?[0-9]{2,12}+){1,5}+"
        rf"(?: ?x[0-9]{{1,6}})?{UNBROKEN_AFTER}"
    ),
    0.2,
    0.1,
)


@dataclass(frozen=True)
class Called:
    """Numbers that a word near them makes phone numbers, of any country."""

    name: str = _CALLED.name
    entity: str = _CALLED.entity
    digits: int = 7
    hint: re.Pattern[str] | None = None
    context: Words | None = _CALLING
    against: Words | None = _OTHER

    def find(self, text: str) -> Iterator[Finding]:
        """Numbers of seven to fifteen digits in ``text`` that are neither dates nor amounts, with low scores."""
        return _CALLED.find(_without_moments(text))


class _Run(NamedTuple):
    """A stretch of a text that may be a phone number; ``touches``: there are letters directly next to it."""

    start: int
    end: int
    touches: bool


class Phones:
    """Phone numbers with a country code, and those without one as they are written in ``regions``.

    The matcher of phonenumbers is asked only about stretches that may be a number, because each call takes some tens of
    microseconds. Raises ValueError for an unknown region.
    """

    name = "phone"
    entity = "PHONE_NUMBER"
    digits = 7
    hint = None
    context = _CALLING
    against = _OTHER

    def __init__(self, regions: Sequence[str]) -> None:
        """Look up how long the numbers of ``regions`` (ISO 3166) are. Raises ValueError for an unknown region."""
        from phonenumbers import SUPPORTED_REGIONS, PhoneMetadata, PhoneNumberMatcher

        unknown = sorted(set(regions) - set(SUPPORTED_REGIONS))
        if unknown or not regions:
            raise ValueError(f"no such region of phone numbers: {', '.join(unknown) or 'none given'}")
        self._matcher = PhoneNumberMatcher
        self._lengths: dict[str, set[int]] = {}
        """Region -> how many digits its numbers have, with and without the national prefix, in the order of regions."""
        for region in regions:
            plan = PhoneMetadata.metadata_for_region(region)
            assert plan is not None
            assert plan.general_desc is not None
            lengths = set(plan.general_desc.possible_length)
            self._lengths[region] = lengths | {length + len(plan.national_prefix or "") for length in lengths}

    def find(self, text: str) -> Iterator[Finding]:
        """The phone numbers in ``text``, with offsets into it; findings of several regions may overlap."""
        text = _without_moments(text)
        for run in _runs(text):
            whole = list(self._numbers(text, run)) if run.end - run.start <= _LONGEST else []
            yield from whole
            if not whole or whole[0].start > run.start or whole[-1].end < run.end:
                yield from self._several(text, run, [(finding.start, finding.end) for finding in whole])

    def _several(self, text: str, run: _Run, taken: list[tuple[int, int]]) -> Iterator[Finding]:
        """The numbers in a run that is not one number as a whole, outside the spans ``taken``."""
        pieces = [piece.span() for piece in _PIECE.finditer(text, run.start, run.end)]
        pieces = [piece for piece in pieces if all(end <= piece[0] or piece[1] <= start for start, end in taken)]
        findings: list[Finding] = []
        left = at = 0
        fresh = True
        while at < len(pieces):
            # A number of several pieces begins where the run does, or behind another number.
            start, last = pieces[at][0], at
            if fresh or text[start] in "+(":
                while last + 1 < min(len(pieces), at + _PIECES) and pieces[last + 1][0] == pieces[last][1] + 1:
                    last += 1
            for to in range(last, at - 1, -1):
                part = _Run(start, pieces[to][1], run.touches)
                if part != run and (numbers := list(self._numbers(text, part, exact=True))):
                    findings += numbers
                    at, fresh = to + 1, True
                    break
            else:
                left += pieces[at][1] - start
                at, fresh = at + 1, False
        for finding in findings:
            # Among more digits than those of a room or a number of minutes it may be any row of numbers.
            sure = left <= 2 or text[finding.start] == "+" or " " not in text[finding.start : finding.end]
            yield finding if sure else replace(finding, score=min(finding.score, _DOUBTFUL))

    def _numbers(self, text: str, run: _Run, exact: bool = False) -> Iterator[Finding]:
        """What the matcher finds in a run; with ``exact`` only if it is all of it and as long as a region's numbers."""
        written = text[run.start : run.end]
        count = sum(map(written.count, "0123456789"))
        if count > _MOST_DIGITS and (exact or written.isdigit()):
            return
        if exact and len(written) > _LONGEST:
            return
        if count < _FEWEST_DIGITS or len(_SINGLE.findall(written)) > _SINGLES:
            return
        international = written.startswith("+")
        # The matcher refuses a number that touches a letter.
        offset = run.start if run.touches else max(0, run.start - 1)
        last = run.end if exact or run.touches or _ANOTHER.match(text, run.end) else run.end + _EXTENSION
        stretch = text[offset:last]
        for region, lengths in self._lengths.items():
            if not international and (count not in lengths if exact else count < min(lengths)):
                continue
            matches = self._matcher(stretch, region)
            findings = [
                _finding(match, text, offset, run.touches) for match in matches if offset + match.start < run.end
            ]
            if exact and (not findings or findings[0].start > run.start or findings[-1].end < run.end):
                continue
            yield from findings
            if international or (findings and findings[0].start <= run.start and findings[-1].end >= run.end):
                break


def _finding(match: PhoneNumberMatch, text: str, offset: int, touches: bool) -> Finding:
    # A match within a longer number can begin with the space before it.
    number = match.raw_string.strip()
    start = offset + match.start + match.raw_string.index(number)
    end = start + len(number)
    amount = _AMOUNT.match(text, start)
    doubtful = number.isdigit() or touches or (amount is not None and amount.end() == end)
    score = 0.85 if number[0] == "+" else _DOUBTFUL if doubtful else 0.6
    return Finding(start, end, Phones.entity, score, Phones.name, checked=True)


def _runs(text: str) -> Iterator[_Run]:
    """Runs of digits and their separators, without digits that belong to a word next to them."""
    for match in _RUN.finditer(text):
        start, end = match.span()
        number = match[0]
        if len(number) < _FEWEST_DIGITS:
            continue
        touches = False
        if _LETTER.match(text, end):
            # 650-253-0000 2pm: not a part of it. An extension is: 650-253-0000x12.
            if group := _LAST_GROUP.search(number):
                end = start + group.start()
            else:
                touches = True
        if start and number[0] not in "([" and _LETTER.match(text, start - 1):
            if number[0] == "+":
                start += 1
            elif _GROUPED.match(number) and touches_word(text, start, end):
                touches = True
            elif first := _FIRST_GROUP.match(text, start, end):
                start = first.end()
        elif decimals := _DECIMALS.match(text, max(0, start - 2), end):
            start = decimals.end()
        if start < end and not (touches and text[start:end].isdigit()):
            yield _Run(start, end, touches)
