"""What models find, in the form that users want: numbers alone, titles apart from names, each address in one piece."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from workers.pii.checks import luhn, only_digits
from workers.pii.finding import Finding
from workers.pii.postal import IN_CELL

_EDGES = " \t\r\n,;:-"
_NUMBER = re.compile(r"[+(]?\d(?:.*\d)?(?:-?[A-Z]{2,}(?![^\W_]))*\)?", re.DOTALL)
"""A number with what is around its first and last digit; it may end in letters to be dialled (1-800-FLOWERS)."""
_FORM = (
    r"(?:(?i:mr|mrs|mx|dr|prof)\b\.?|(?i:capt|lt|rev|sgt|ms)\."
    r"|(?:Miss|Ms|Professor|Frau|Herr|Madame|Mme|Mlle|Monsieur|Señora?|Signora?)\b)"
)
"""Forms of address that are nothing else before a name; "miss" and "ms" in small letters are not among them."""
_STARTS_WITH_FORM = re.compile(rf"({_FORM})\s+(?=\S)")
_ENDS_WITH_FORM = re.compile(rf"(?<![^\W_])({_FORM})\s+\Z")
_IS_FORM = re.compile(rf"{_FORM}\Z")
_LONGEST_FORM = 20
_POSTCODE_DIGITS = 5
_ADDRESS_PARTS = frozenset({"LOCATION", "ZIP_CODE"})
_SAME_LINE = re.compile(r"[ ,]*(?:(?<=[ ,])[Tt]he )?")
_ANOTHER = re.compile(r",\s+(?:and|or(?!\s\d{5}))\s+|(?<!\s)\s*;\s+", re.IGNORECASE)
"""What separates two addresses, but is not within one. A run of spaces is only read from its beginning."""
_NEXT_LINE = re.compile(r"[ ,]*(?:\r\n?|\n)[ ,]*")
_STATE = re.compile(r"[ ,]+[A-Z]{2,3}[ ,]+")
_TOWN = re.compile(r", [A-Z][\w'-]{1,20}[ ,]+")
_BRITISH = re.compile(r"[A-Z]{1,2}\d[\dA-Z]? \d[A-Z]{2}")
_POSTCODE = re.compile(r",? (?:[A-Z]{2,3},? \d{4,5}(?:-\d{4})?|[A-Z]{1,2}\d[\dA-Z]? \d[A-Z]{2})(?![\w-])(?!\.\d)")
_LOOKS = {
    "CREDIT_CARD": re.compile(r"(?:\d[ .\t/_-]{0,3}){11}\d"),
    "EMAIL_ADDRESS": re.compile(r"[^\s@]\s?@\s?[^\s@]"),
    "IBAN_CODE": re.compile(r"[A-Za-z]{2} ?\d ?\d(?:[ .-]{0,2}[A-Za-z0-9]){8}"),
    "IP_ADDRESS": re.compile(
        r"(?<![\d.])(?!255\.|0\.0\.0\.0(?!\d))\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:"
    ),
    "PHONE_NUMBER": re.compile(r"(?:\d\D{0,4}){5}\d|\d(?:[^A-Z]{0,4}[A-Z0-9]){6}"),
    "URL": re.compile(r"[^\W_]\s?[.:/]+\s?[^\W_]"),
    "US_SSN": re.compile(r"(?:\d[ .-]{0,2}){8}\d"),
    "ZIP_CODE": re.compile(r"(?=[^\d]{0,9}\d)[^\W_](?:[ .-]{0,2}[^\W_]){2}"),
    **dict.fromkeys(("NRP", "ORGANIZATION", "PERSON", "STREET_ADDRESS"), re.compile(r"[^\W\d_]")),
}
"""What a value of a label has in it at least. Checksums, but for cards, and lengths are not asked for: models also find
what a pattern misses. A phone number may be a word to be dialled."""
_MOST_DIGITS = 15
"""Of a phone number (E.164)."""
_IN_DECIMAL_BEFORE = re.compile(r"\d[.,]\Z")
_IN_DECIMAL_AFTER = re.compile(r"[.,]\d")


def trimmed(finding: Finding, text: str) -> Finding | None:
    """Return ``finding`` without commas and colons at its ends, which models often include by mistake.

    A phone number also loses the words around it ("020 7946 0958 office"). None if no letter or digit is left.
    """
    value = text[finding.start : finding.end]
    start = finding.start + len(value) - len(value.lstrip(_EDGES))
    end = finding.end - len(value) + len(value.rstrip(_EDGES))
    if finding.label == "PHONE_NUMBER" and (number := _NUMBER.search(text, start, end)):
        start, end = number.span()
    if not any(map(str.isalnum, text[start:end])):
        return None
    return replace(finding, start=start, end=end)


def looks_right(finding: Finding, text: str) -> bool:
    """Whether a value has the form of its label, at least roughly: ``ghp_abc`` is no IP address, ``12`` no person.

    A card number needs the right check digit, and a phone number has at most 15 digits and is no part of an amount.

    A single small word, such as "platform", is an address only in a text without capitals.
    """
    form = _LOOKS.get(finding.label)
    if form is not None and form.search(text, finding.start, finding.end) is None:
        return False
    value = text[finding.start : finding.end]
    if finding.label == "CREDIT_CARD" and not luhn(value):
        return False
    if finding.label == "PHONE_NUMBER" and (
        len(only_digits(value)) > _MOST_DIGITS
        or _IN_DECIMAL_BEFORE.search(text, max(0, finding.start - 2), finding.start)
        or _IN_DECIMAL_AFTER.match(text, finding.end)
    ):
        return False
    return not (finding.label == "STREET_ADDRESS" and value.isalpha() and value.islower() and not text.islower())


def with_titles(findings: Sequence[Finding], text: str) -> list[Finding]:
    """Separate forms of address ("Dr.") from the names that follow them: each becomes a TITLE.

    ``findings`` are sorted by start and do not overlap; so are the returned ones.
    """
    apart: list[Finding] = []
    starts = {finding.start for finding in findings}
    for finding in findings:
        dotted_after = text.startswith(".", finding.end) and finding.end not in starts
        if finding.label in {"PERSON", "TITLE"} and dotted_after:
            # Models disagree on whether the full stop of an abbreviation belongs to it.
            dotted = replace(finding, end=finding.end + 1, label="TITLE")
            if _IS_FORM.match(text[dotted.start : dotted.end]):
                finding = dotted
        if finding.label == "PERSON":
            reach = apart[-1].end if apart else 0
            if _IS_FORM.match(text[finding.start : finding.end]):
                finding = replace(finding, label="TITLE")
            elif form := _STARTS_WITH_FORM.match(text, finding.start, finding.end):
                apart.append(replace(finding, end=form.end(1), label="TITLE"))
                finding = replace(finding, start=form.end())
            elif form := _ENDS_WITH_FORM.search(text[max(reach, finding.start - _LONGEST_FORM) : finding.start]):
                start = finding.start - len(form[0])
                apart.append(replace(finding, start=start, end=start + len(form[1]), label="TITLE"))
        apart.append(finding)
    return apart


def with_whole_addresses(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Join a street with the town, postcode and country that follow it, on its line or on the next ones.

    Streets on different lines stay apart: they are two addresses unless the model says otherwise; "1 Elm St, and 2 Elm
    St" are two in any case. A joined finding has the mean score of its parts, weighted by their lengths, but at least
    the street's: otherwise an unsure town could put the street below its threshold. ``findings`` are sorted by start
    and do not overlap; so are the returned ones.
    """
    joined: list[Finding] = []
    for finding in findings:
        before = joined[-1] if joined else None
        if before is not None and before.label == "STREET_ADDRESS" and _goes_on(before, finding, text):
            first, second = before.end - before.start, finding.end - finding.start
            score = (before.score * first + finding.score * second) / (first + second)
            joined[-1] = replace(before, end=finding.end, score=max(before.score, score))
        else:
            joined.append(finding)
    return [part for finding in joined for part in _addresses_of(_with_postcode(finding, text), text)]


def _with_postcode(finding: Finding, text: str) -> Finding:
    """Extend an address by a state and its ZIP code (", OR 97205"), or by a British postcode."""
    if finding.label == "STREET_ADDRESS" and (code := _POSTCODE.match(text, finding.end)):
        return replace(finding, end=code.end())
    return finding


def _addresses_of(finding: Finding, text: str) -> Iterator[Finding]:
    """Yield the addresses in a finding, or the finding itself if it is something else."""
    start = finding.start
    for between in _ANOTHER.finditer(text, start, finding.end) if finding.label == "STREET_ADDRESS" else ():
        if start < between.start() and between.end() < finding.end:
            yield replace(finding, start=start, end=between.start())
            start = between.end()
    yield replace(finding, start=start)


def _goes_on(before: Finding, finding: Finding, text: str) -> bool:
    """Return whether the address ``before`` continues with ``finding``."""
    if IN_CELL in {before.recognizer, finding.recognizer}:
        return False
    gap = text[before.end : finding.start]
    if finding.label == "PHONE_NUMBER":
        # Models often take such a short number after a town for a phone number, though it is a postcode.
        digits = sum(character.isdigit() for character in text[finding.start : finding.end])
        return digits <= _POSTCODE_DIGITS and _SAME_LINE.fullmatch(gap) is not None
    if finding.label == "STREET_ADDRESS":
        # "Portland, OR 97205", "12 Elm St, London NW1 6XE": models may leave out a word.
        if _STATE.fullmatch(gap) or (_TOWN.fullmatch(gap) and _BRITISH.fullmatch(text, finding.start, finding.end)):
            return True
        return _SAME_LINE.fullmatch(gap) is not None
    return finding.label in _ADDRESS_PARTS and (_SAME_LINE.fullmatch(gap) or _NEXT_LINE.fullmatch(gap)) is not None
