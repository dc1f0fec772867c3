"""All recognisers over a text: what runs, and on which texts."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Collection, Sequence

from workers.pii import checks
from workers.pii.finding import Check, Finding, Pattern, Recognizer, Words, in_context
from workers.pii.general import PATTERNS, Url
from workers.pii.national import ROWS, STRUCTURE, Row
from workers.pii.phones import CALLED, Phones

__all__ = ["Finding", "Recognizer", "Recognizers", "known_entities"]

_NUMBER = re.compile(r"[0-9](?:[ ().\[\]/+-]{0,4}[A-Za-z]?[0-9])*+")
_PLAIN = str.maketrans(
    "\u00a0\u2007\u202f\u2010\u2011\u2012\u2013\u2212０１２３４５６７８９＋＠．", "   -----0123456789+@."
)
"""Spaces that do not break, dashes and wide forms, each by the plain one that patterns know: offsets stay."""


def known_entities() -> tuple[str, ...]:
    """The names of all entities that come with the product, in alphabetical order."""
    return tuple(sorted({Url.entity, Phones.entity, *(one.entity for one in PATTERNS), *(row.entity for row in ROWS)}))


class Recognizers:
    """Finds personal data that has a form. Holds no state of texts: any number of threads may use one.

    ``entities``: which to look for; None means all. ``regions``: the countries (ISO 3166) whose phone numbers are found
    without a country code. ``extra``: more recognisers, which may bring entities of their own.

    Raises ModelError where the libraries of the extra ``pii`` are not installed, ValueError for an unknown entity or
    region.
    """

    def __init__(
        self,
        entities: Collection[str] | None = None,
        regions: Sequence[str] = ("US", "GB"),
        extra: Sequence[Recognizer] = (),
    ) -> None:
        checks.require_libraries()
        known = {*known_entities(), *(one.entity for one in extra)}
        wanted = frozenset(known if entities is None else entities)
        if unknown := sorted(wanted - known):
            raise ValueError(f"no such entity: {', '.join(unknown)}")
        self.entities = wanted
        ours: list[Recognizer] = [*PATTERNS, Url(), *map(_national, ROWS)]
        if Phones.entity in wanted:
            ours += [Phones(regions), CALLED]
        self._recognizers = sorted((one for one in (*ours, *extra) if one.entity in wanted), key=_digits)
        self._digits = list(map(_digits, self._recognizers))

    def find(self, text: str) -> list[Finding]:
        """What is in the text, by start, with context applied; findings may overlap and may be weak, but no two have
        the same span and label. Spaces that do not break, dashes and full-width digits are read as plain ones.

        Takes time in proportion to the length of the text. Raises what an ``extra`` raises.
        """
        if not text.isascii():
            text = text.translate(_PLAIN)
        best: dict[tuple[int, int, str], Finding] = {}
        for recognizer in self._recognizers[: bisect(self._digits, _longest_number(text))]:
            if recognizer.hint is None or recognizer.hint.search(text):
                for finding in recognizer.find(text):
                    finding = in_context(finding, recognizer, text)
                    key = finding.start, finding.end, finding.label
                    if key not in best or (finding.score, finding.checked) > (best[key].score, best[key].checked):
                        best[key] = finding
        return [best[key] for key in sorted(best)]


def _longest_number(text: str) -> int:
    """The digits of the number with most of them, which may have single letters and a few separators between."""
    most = 0
    for run in _NUMBER.findall(text):
        if len(run) > most:
            most = max(most, len(run) if run.isdigit() else sum(map(run.count, "0123456789")))
    return most


def _digits(recognizer: Recognizer) -> int:
    return recognizer.digits


def _national(row: Row) -> Pattern:
    check = None if row.check is None else getattr(checks, row.check, None) or checks.stdnum(row.check)
    proves = check is not None and row.check not in STRUCTURE
    # A number does not begin or end inside a longer one: 0.123456789, 1-123456789-0.
    written = rf"(?<!\w)(?<![0-9][.,-])(?:{row.regex})(?!\w)(?![.,-][0-9])"
    if proves and re.search("[A-Z]", row.regex):
        # In small letters too, which only a checksum makes safe.
        regex, check = re.compile(written, re.IGNORECASE), _in_capitals(check)
    else:
        regex = re.compile(written)
    return Pattern(
        row.entity.lower(), row.entity, regex, row.score, row.bare, check, row.digits,
        context=Words.of(row.context), proves=proves,
    )  # fmt: skip


def _in_capitals(check: Check | None) -> Check:
    assert check is not None
    # Of other alphabets some letters are small forms of ours: the long s.
    return lambda number: number.isascii() and check(number.upper())
