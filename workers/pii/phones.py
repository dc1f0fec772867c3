"""Phone numbers, by Google's libphonenumber in its Python port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workers.pii.finding import Finding, Pattern, Words

if TYPE_CHECKING:
    from phonenumbers import PhoneNumberMatch

_NUMBER = re.compile(r"(?<!\w)[+]?[(\[]?[0-9](?:[ ().\[\]/-]{0,4}[0-9])*+(?=\W|x[0-9]|$)")
_CALLING = Words.of(
    "phone, telephone, tel, cell, cellphone, mobile, mob, fax, call, called, calling, dial, ring, text, texting, sms, "
    "whatsapp, contact, landline, hotline, message, answer, answering, desk, office, reach"
)
_OTHER = Words.of(
    "isbn, issn, order, invoice, version, serial, sku, part, tracking, ticket, case, reference, ref, item, article, "
    "model, id, account",
    before=3,
    after=0,
)
_LONGEST = 40
_EXTENSION = 16
"""Characters after a number in which its extension may stand."""


CALLED = Pattern(
    "phone-in-context",
    "PHONE_NUMBER",
    # Seven to fifteen digits (E.164) that are no date: for countries that are not among the regions.
    re.compile(
        r"(?<!\w)(?<![0-9][.,-])(?![0-9]{4}[-/.][0-9]{1,2}[-/.]|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:19|20)[0-9]{2}\b)"
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
        self._regions = tuple(dict.fromkeys(regions))
        self._matcher = PhoneNumberMatcher
        plans = [PhoneMetadata.metadata_for_region(region) for region in regions]
        lengths = [plan.general_desc.possible_length for plan in plans if plan is not None and plan.general_desc]
        self._shortest = min(map(min, lengths))

    def find(self, text: str) -> Iterator[Finding]:
        for start, end in _candidates(text):
            written = text[start:end]
            count = sum(map(written.count, "0123456789"))
            international = written[0] == "+"
            if not (7 if international else self._shortest) <= count:
                continue
            offset = max(0, start - 1)
            for region in self._regions[:1] if international else self._regions:
                found = [
                    Finding(
                        offset + match.start, offset + match.end, self.entity, _score(match), self.name, checked=True
                    )
                    for match in self._matcher(text[offset : end + _EXTENSION], region)
                    if offset + match.start < end
                ]
                yield from found
                if found and found[0].start <= start and found[-1].end >= end:
                    break


def _score(match: PhoneNumberMatch) -> float:
    if match.raw_string[0] == "+":
        return 0.85
    return 0.4 if match.raw_string.isdigit() else 0.6


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of at most ``_LONGEST`` characters; a longer run of numbers is taken apart at its spaces."""
    for match in _NUMBER.finditer(text):
        if match.end() - match.start() <= _LONGEST:
            yield match.span()
        else:
            for piece in re.finditer(r"\S+", match[0]):
                if piece.end() - piece.start() <= _LONGEST:
                    yield match.start() + piece.start(), match.start() + piece.end()
