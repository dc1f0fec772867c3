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
    r"straße|strasse|str\.|weg|gasse|platz|allee|(?-i:[ -]Ring)|damm|ufer|markt|stieg|straat|laan|gracht|plein"
    r"|(?<!ar)kade|singel|dijk|gatan|vägen|torget|gränd|(?<!bri)(?<!rene)gade|vej|veien|gata|[^\W\d_]{3}katu"
    r"|[^\W\d_]{7}tie|kuja| utca| út| tér| u\."
)
_BEGINNINGS = (
    r"(?:Via|Viale|Piazza|Corso|Largo|Vicolo|Calle|C/|Avenida|Avda\.|Av\.|Plaza|Paseo|Camino|Ronda|Carrer|Gran Vía"
    r"|Rua|Travessa|Praça|ul\.|ulica|al\.|aleja|aleje|Aleje|pl\.|os\.|[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin"
    r"|[Qq]uai|[Rr]oute|[Cc]haussée|[Aa]llée|[Cc]ours|[Ii]mpasse|[Pp]lace|[Tt]řída|Am|An de[rmn]|Auf de[rmn]|Im"
    r"|In de[rn]|Zum|Zur|Unter den)"
)
_ROAD = (
    rf"(?:(?<!\w)(?:{_CAPITAL}[\w.'’-]{{0,20}}[ -]){{0,3}}(?=\w)(?<!\w){_CAPITAL}?"
    rf"(?i:[\w.'’-]{{0,30}}?(?:{_ENDINGS}))|(?<!\w){_BEGINNINGS}(?: {_WORD}){{1,5}}|(?<!\w)Gran Vía)"
)
_NUMBER = (
    r"\d{1,4}(?: ?[a-zA-Z](?!\w))?(?: ?[/-] ?\d{1,4}[a-zA-Z]?|/[A-Z](?!\w)){0,2}(?: (?:bis|ter))?"
    r"(?:,? ?\d{1,2}[º°ª]\.?(?: \w{1,4}){0,2})?"
)
_BETWEEN = r"(?:,? |,?[ \t]{0,3}\r?\n[ \t>|]{0,6})"
_DOOR = re.compile(rf"(?:{_ROAD},? {_NUMBER}|(?<![\w/.-]){_NUMBER},? {_BEGINNINGS}(?: {_WORD}){{1,5}}){_BETWEEN}\Z")
_LONGEST_DOOR = 70
_ROAD_WORDS = (
    "straße", "strasse", "str.", "weg", "gasse", "platz", "allee", "ring", "damm", "ufer", "markt", "stieg", "straat",
    "laan",
    "gracht", "plein", "kade", "singel", "dijk", "gatan", "vägen", "torget", "gränd", "gade", "vej", "veien", "gata",
    "katu",
    "tie", "kuja", " utca", " út", " tér", " u.", "via", "viale", "piazza", "corso", "largo", "vicolo", "calle", "c/",
    "avenida",
    "avda.", "av.", "plaza", "paseo", "camino", "ronda", "carrer", "rua", "travessa", "praça", "ul.", "ulica", "al.",
    "alej",
    "pl.", "os.", "rue", "avenue", "boulevard", "chemin", "quai", "route", "chaussée", "allée", "cours", "impasse",
    "place",
    "třída", "am ", "an de", "auf de", "im ", "in de", "zum", "zur", "unter den",
)  # fmt: skip
"""In small letters; one of them is in every road."""
_FIRST = r"(?:(?:Den|Bad|San|Santa|Sankt|St\.|Saint|Sainte|Le|La|Les|Los|Las|El|Halle) |'s-)"
_PLACE = re.compile(
    r"(?<![\w/.-])(?:[A-Z]{1,2}-)?(?:\d{5}|\d{4}(?:-\d{3}| ?[A-Z]{2}(?= ))?|\d{3} \d{2}|\d{2}-\d{3}) "
    rf"{_FIRST}?{_CAPITAL}[\w'’-]{{1,30}}"
    rf"(?: (?:am|an der|im|in|a\.d\.|ob der|sur|sous|de|del|della|da|do) {_CAPITAL}[\w'’-]{{1,30}})?"
    r"(?: \([A-Z]{2}\)| \d{1,2}(?![\w./:-])| [CKNSVØ](?!\w))?"
)
_SCORE = 0.85
_NAMES = re.compile(rf"{_CAPITAL}[\w.'’-]{{0,30}}(?: {_CAPITAL}[\w.'’-]{{0,30}}){{1,3}}")
_GAP = re.compile(r"(?:,[ ]?|[ ]?\r?\n)")


def postal_addresses(text: str) -> Iterator[Finding]:
    """Yield the addresses in ``text``, from the road to the town, in order and without overlaps."""
    reach = 0
    for place in _PLACE.finditer(text):
        first, last = max(reach, place.start() - _LONGEST_DOOR), place.start()
        before = text[first:last].lower()
        # The search for words refuses nearly all, a hundred times as fast as the other.
        if any(map(before.__contains__, _ROAD_WORDS)) and (door := _DOOR.search(text, first, last)):
            reach = place.end()
            yield Finding(door.start(), reach, "STREET_ADDRESS", _SCORE, "postal-address", checked=False, learnt=True)


def with_postal_addresses(learnt: Sequence[Finding], text: str) -> list[Finding]:
    """Add the postal addresses in ``text`` to what a model has found, and join them with its addresses.

    A learnt address may begin with the line or the word before the road ("Ann Poe, Marktstraße 1, ..."): if that looks
    like a name, it becomes a PERSON, or the end of one. Findings of other labels give way. ``learnt`` are sorted and
    do not overlap; so are the returned ones.
    """
    postal = list(postal_addresses(text))
    if not postal:
        return list(learnt)
    found: list[Finding] = []
    at = 0
    for address in postal:
        while at < len(learnt) and learnt[at].end <= address.start:
            found.append(learnt[at])
            at += 1
        while at < len(learnt) and learnt[at].start < address.end:
            finding, at = learnt[at], at + 1
            if finding.label == "STREET_ADDRESS":
                start = finding.start
                if start < address.start and (name := _name_before(found, finding, address.start, text)):
                    found[-1:] = name
                    start = address.start
                ends = max(address.end, finding.end)
                address = replace(
                    address, start=min(address.start, start), end=ends, score=max(address.score, finding.score)
                )
            elif finding.start < address.start:
                found.append(replace(finding, end=address.start))
        found.append(address)
    return found + [finding for finding in learnt[at:] if finding.start >= found[-1].end]


def _name_before(found: Sequence[Finding], address: Finding, start: int, text: str) -> list[Finding]:
    """Return what replaces the last of ``found`` if the part of ``address`` before ``start`` looks like a name."""
    before, last = text[address.start : start], list(found[-1:])
    gap = _GAP.search(before)
    if gap is None or gap.end() < len(before):
        return []
    end = address.start + gap.start()
    if last and last[0].label == "PERSON" and text[last[0].end : address.start] == " ":
        return [replace(last[0], end=end)]
    return [*last, replace(address, end=end, label="PERSON")] if _NAMES.fullmatch(text, address.start, end) else []
