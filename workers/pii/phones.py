"""Phone numbers, by Google's libphonenumber in its Python port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workers.pii.finding import Finding, Pattern, Words

if TYPE_CHECKING:
    from phonenumbers import PhoneNumberMatch

_NUMBER = re.compile(r"(?<!\w)[+]?[(\[]?[0-9](?:[ ().\[\]/-]{0,4}[0-9])*+")
_WORD = re.compile(r"(?!x[0-9])\w")
_CALLING = Words.of(
    "phone, telephone, tel, cell, cellphone, mobile, mob, fax, call, called, calling, dial, text, texting, sms, "
    "whatsapp, contact, landline, hotline, office, answering, reach"
)
_OTHER = Words.of(
    "isbn, issn, order, invoice, version, serial, sku, part, tracking, ticket, case, reference, ref, item, article, "
    "model, id, account",
    before=3,
    after=0,
)
_ANOTHER = re.compile(r"\s{0,3}[+(]?[0-9]")
_LONGEST = 40
_EXTENSION = 16
"""Characters after a number in which its extension may stand."""


CALLED = Pattern(
    "phone-in-context",
    "PHONE_NUMBER",
    # Seven to fifteen digits (E.164) that are no date, two years, or millions: for countries that are not among the
    # regions.
    re.compile(
        r"(?<!\w)(?<![0-9][.,-])(?![0-9]{4}[-/.][0-9]{1,2}[-/.]|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:19|20)[0-9]{2}\b)"
        r"(?!(?:(?:19|20)[0-9]{2}[ -](?:19|20)[0-9]{2}|[1-9](?: [0-9]{3}){2})(?!\w|[ .-]?[0-9]))"
        r"(?=(?:[^0-9\n]{0,3}[0-9]){7,15}(?![0-9]|[ .,-][0-9]))"
        r"\+?\(?[0-9]{1,5}\)?(?:[ .-]?(?:\(0\))?[0-9]{2,12}+){1,5}+"
        r"(?: ?x[0-9]{1,6})?(?!\w)(?![.,-][0-9])"
    ),
    0.2,
    0.1,
    digits=7,
    context=_CALLING,
    against=_OTHER,
)


class Phones:
    """Phone numbers with a country code, and those without one as they are written in ``regions``.

    The matcher of phonenumbers is asked only about stretches that may be a number, for it takes some tens of
    microseconds for each. Raises ValueError for an unknown region.
    """

    name = "phone"
    entity = "PHONE_NUMBER"
    digits = 7
    hint = None
    context = _CALLING
    against = _OTHER

    def __init__(self, regions: Sequence[str]) -> None:
        from phonenumbers import SUPPORTED_REGIONS, PhoneMetadata, PhoneNumberMatcher

        unknown = sorted(set(regions) - set(SUPPORTED_REGIONS))
        if unknown or not regions:
            raise ValueError(f"no such region of phone numbers: {', '.join(unknown) or 'none given'}")
        self._matcher = PhoneNumberMatcher
        self._shortest: dict[str, int] = {}
        """Region -> the digits of its shortest number, in the order of the regions."""
        for region in regions:
            plan = PhoneMetadata.metadata_for_region(region)
            assert plan is not None
            assert plan.general_desc is not None
            self._shortest[region] = min(plan.general_desc.possible_length)

    def find(self, text: str) -> Iterator[Finding]:
        for start, end in _candidates(text):
            written = text[start:end]
            count = sum(map(written.count, "0123456789"))
            international = written.startswith("+")
            offset = max(0, start - 1)
            stretch = text[offset : end if _ANOTHER.match(text, end) else end + _EXTENSION]
            for region, shortest in self._shortest.items():
                if count < (7 if international else shortest):
                    continue
                matches = self._matcher(stretch, region)
                found = [_finding(match, offset) for match in matches if offset + match.start < end]
                yield from found
                if international or (found and found[0].start <= start and found[-1].end >= end):
                    break


def _finding(match: PhoneNumberMatch, offset: int) -> Finding:
    # A match within a longer number can begin with the space before it.
    number = match.raw_string.strip()
    start = offset + match.start + match.raw_string.index(number)
    score = 0.85 if number[0] == "+" else 0.4 if number.isdigit() else 0.6
    return Finding(start, start + len(number), Phones.entity, score, Phones.name, checked=True)


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of at most ``_LONGEST`` characters; a longer run of numbers is taken apart at its spaces."""
    for match in _NUMBER.finditer(text):
        number, start = match[0], match.start()
        # Digits that a letter follows are none of it: 650-253-0000 2pm. An extension is: 650-253-0000x12.
        if _WORD.match(text, match.end()):
            number = number.rstrip("0123456789").rstrip(" ()[]./-")
        if len(number) <= _LONGEST:
            yield start, start + len(number)
            continue
        for piece in re.finditer(r"\S+", number):
            if len(piece[0]) <= _LONGEST:
                yield start + piece.start(), start + piece.end()
