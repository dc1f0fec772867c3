"""Addresses of continental Europe: a road with its number, then a postcode before its town.

Only roads with a usual word (``straße``, ``rue``, ``Via``, ``ul.``) count, so that hardly anything else is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from workers.pii.finding import Finding

_CAPITAL = "[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŲŹŻŽȘȚ]"
_WORD = r"[^\W\d_][\w.'’-]{0,30}"
_ENDINGS = (
    "straße", "strasse", "str.", "weg", "gasse", "platz", "allee", "ring", "damm", "ufer", "markt", "stieg",
    "straat", "laan", "gracht", "plein", "kade", "singel", "dijk",
    "gatan", "vägen", "torget", "gränd", "gade", "vej", "veien", "gata", "katu", "tie", "kuja",
    " utca", " út", " tér", " u.",
)  # fmt: skip
"""What the word for a road ends in, in small letters."""
_LIMITED = {
    "ring": "(?-i:[ -]Ring)", "kade": "(?<!ar)kade", "gade": "(?<!bri)(?<!rene)gade", "katu": r"[^\W\d_]{3}katu",
    "tie": r"[^\W\d_]{7}tie",
}  # fmt: skip
"""Endings that other words have, too -> the regular expression that leaves most of these out."""
_BEGINNINGS = (
    "Via", "Viale", "Piazza", "Corso", "Largo", "Vicolo",
    "Calle", "C/", "Avenida", "Avda.", "Av.", "Plaza", "Paseo", "Camino", "Ronda", "Carrer", "Gran Vía",
    "Rua", "Travessa", "Praça",
    "ul.", "ulica", "al.", "aleja", "aleje", "Aleje", "pl.", "os.", "Třída", "třída",
    *(form for word in (
        "rue", "avenue", "boulevard", "chemin", "quai", "route", "chaussée", "allée", "cours", "impasse", "place",
    ) for form in (word, word.capitalize())),
    "Am", "An der", "An dem", "An den", "Auf der", "Auf dem", "Auf den", "Im", "In der", "In den", "Zum", "Zur",
    "Unter den",
)  # fmt: skip
"""Words for roads that come before the name, as they are written."""
_ROAD_WORDS = (*_ENDINGS, "gran vía", *sorted({f"{word.lower()} " for word in _BEGINNINGS}))
"""In small letters; one of them is in every road."""
_ENDING = "|".join(_LIMITED.get(word, re.escape(word)) for word in _ENDINGS)
_BEGINNING = f"(?:{'|'.join(map(re.escape, _BEGINNINGS))})"
_ROAD = (
    rf"(?:(?<!\w)(?:{_CAPITAL}[\w.'’-]{{0,20}}[ -]){{0,3}}(?=\w)(?<!\w){_CAPITAL}?"
    rf"(?i:[\w.'’-]{{0,30}}?(?:{_ENDING}))|(?<!\w){_BEGINNING}(?: {_WORD}){{1,5}}|(?<!\w)Gran Vía)"
)
_NUMBER = (
    r"\d{1,4}(?: ?[a-zA-Z](?!\w))?(?: ?[/-] ?\d{1,4}[a-zA-Z]?|/[A-Z](?!\w)){0,2}(?: (?:bis|ter))?"
    r"(?:,? ?\d{1,2}[º°ª]\.?(?: \w{1,4}){0,2})?"
)
_ADDRESS_LINE = rf"(?:{_ROAD},? {_NUMBER}|(?<![\w/.-]){_NUMBER},? {_BEGINNING}(?: {_WORD}){{1,5}})"
_BETWEEN = r"(?:,? |,?[ \t]{0,3}\r?\n[ \t>|]{0,6})"
_DOOR = re.compile(rf"{_ADDRESS_LINE}{_BETWEEN}\Z")
_LONGEST_DOOR = 70
_FIRST = r"(?:(?:Den|Bad|San|Santa|Sankt|St\.|Saint|Sainte|Le|La|Les|Los|Las|El|Halle) |'s-)"
_PLACE = re.compile(
    r"(?<![\w/.-])(?:[A-Z]{1,2}-)?(?:\d{5}|\d{4}(?:-\d{3}| ?[A-Z]{2}(?= ))?|\d{3} \d{2}|\d{2}-\d{3}) "
    rf"{_FIRST}?{_CAPITAL}[\w'’-]{{1,30}}"
    rf"(?: (?:am|an der|im|in|a\.d\.|ob der|sur|sous|de|del|della|da|do) {_CAPITAL}[\w'’-]{{1,30}})?"
    r"(?: \([A-Z]{2}\)| \d{1,2}(?![\w./:-])| [CKNSVØ](?!\w))?"
)
_BORDER = r"(?:\"?[;\t|]\"?|\",\"|,(?! ))"
"""What is between the cells of a row."""
_DOOR_IN_CELL = re.compile(rf"{_ADDRESS_LINE}\Z|{_ROAD}(?={_BORDER}\d{{1,4}}[a-zA-Z]?\Z)")
_CODE = r"(?:[A-Z]{1,2}-)?(?:\d{5}|\d{4}(?:-\d{3}| ?[A-Z]{2})?|\d{3} \d{2}|\d{2}-\d{3})"
_CELLS = re.compile(
    rf"{_BORDER}(?P<code>{_CODE}){_BORDER}"
    rf"(?P<town>{_FIRST}?{_CAPITAL}[\w.'’/-]{{1,30}}(?: [\w.'’/()-]{{1,30}}){{0,4}})"
)
IN_CELL = "address-in-cells"
"""The recogniser of addresses whose street, postcode and town are in cells of their own."""
_SCORE = 0.85
_NAMES = re.compile(rf"{_CAPITAL}[\w.'’-]{{0,30}}(?: {_CAPITAL}[\w.'’-]{{0,30}}){{1,3}}")
_GAP = re.compile(r"(?:,[ ]?|[ ]?\r?\n)")


def postal_addresses(text: str) -> Iterator[Finding]:
    """Yield the addresses in ``text``, from the road to the town, in order and without overlaps."""
    for door, place in _pairs(text, _DOOR, _PLACE):
        span = door.start(), place.end()
        yield Finding(*span, "STREET_ADDRESS", _SCORE, "postal-address", checked=False, learnt=True)


def addresses_in_cells(text: str) -> Iterator[list[Finding]]:
    """Yield the addresses in rows of CSV and the like, each as its street, its postcode and its town, in order.

    A number in a cell of its own between street and postcode is left out.
    """
    for door, cells in _pairs(text, _DOOR_IN_CELL, _CELLS):
        places = (
            (*door.span(), "STREET_ADDRESS"),
            (*cells.span("code"), "ZIP_CODE"),
            (*cells.span("town"), "LOCATION"),
        )
        yield [Finding(*place, _SCORE, IN_CELL, checked=False, learnt=True) for place in places]


def _pairs(text: str, doors: re.Pattern[str], places: re.Pattern[str]) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Yield each match of ``places`` that has one of ``doors`` right before it, the door first, without overlaps."""
    reach = 0
    for place in places.finditer(text):
        first, last = max(reach, place.start() - _LONGEST_DOOR), place.start()
        before = text[first:last].lower()
        # The search for words refuses nearly all, a hundred times as fast as the other.
        if any(map(before.__contains__, _ROAD_WORDS)) and (door := doors.search(text, first, last)):
            reach = place.end()
            yield door, place


def with_addresses_in_cells(learnt: Sequence[Finding], text: str) -> list[Finding]:
    """Add the addresses in rows to what a model has found; of its findings, what is outside of these rows' cells stays.

    ``learnt`` are sorted and do not overlap; so are the returned ones.
    """
    rows = list(addresses_in_cells(text))
    if not rows:
        return list(learnt)
    together: list[Finding] = []
    at = 0
    for row in rows:
        start, end = row[0].start, row[-1].end
        while at < len(learnt) and learnt[at].end <= start:
            together.append(learnt[at])
            at += 1
        while at < len(learnt) and learnt[at].start < end:
            if learnt[at].start < start:
                together.append(replace(learnt[at], end=start))
            at += 1
        together += row
    return together + list(learnt[at:])


def with_postal_addresses(learnt: Sequence[Finding], text: str) -> list[Finding]:
    """Add the postal addresses in ``text`` to what a model has found, and join them with its addresses.

    A learnt address may begin with the line or the word before the road ("Ann Poe, Marktstraße 1, ..."): if that looks
    like a name, it becomes a PERSON, or the end of one. Findings of other labels give way. ``learnt`` are sorted and
    do not overlap; so are the returned ones.
    """
    postal = list(postal_addresses(text))
    if not postal:
        return list(learnt)
    joined: list[Finding] = []
    at = 0
    for address in postal:
        while at < len(learnt) and learnt[at].end <= address.start:
            joined.append(learnt[at])
            at += 1
        while at < len(learnt) and learnt[at].start < address.end:
            finding, at = learnt[at], at + 1
            if finding.label == "STREET_ADDRESS":
                start = finding.start
                if start < address.start and (name := _name_before(joined, finding, address.start, text)):
                    joined[-1:] = name
                    start = address.start
                ends = max(address.end, finding.end)
                address = replace(
                    address, start=min(address.start, start), end=ends, score=max(address.score, finding.score)
                )
            elif finding.start < address.start:
                joined.append(replace(finding, end=address.start))
        joined.append(address)
    return joined + [finding for finding in learnt[at:] if finding.start >= joined[-1].end]


def _name_before(findings: Sequence[Finding], address: Finding, start: int, text: str) -> list[Finding]:
    """Return what replaces the last of ``findings`` if the part of ``address`` before ``start`` looks like a name."""
    before, last = text[address.start : start], list(findings[-1:])
    gap = _GAP.search(before)
    if gap is None or gap.end() < len(before):
        return []
    end = address.start + gap.start()
    if last and last[0].label == "PERSON" and text[last[0].end : address.start] == " ":
        return [replace(last[0], end=end)]
    return [*last, replace(address, end=end, label="PERSON")] if _NAMES.fullmatch(text, address.start, end) else []
