"""All recognisers together: which of them run, and on which texts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

from workers.pii import checks
from workers.pii.births import Births
from workers.pii.dates import DATES
from workers.pii.finding import Finding, Recognizer, in_context, words_of
from workers.pii.general import PATTERNS
from workers.pii.iban import Iban
from workers.pii.internet import Email, Url, divided
from workers.pii.national import ROWS
from workers.pii.normalisation import plain
from workers.pii.passports import Passports
from workers.pii.phones import Called, Phones
from workers.pii.plates import PLATES
from workers.pii.secrets import SECRETS
from workers.pii.spelled import SpelledEmail

__all__ = ["Finding", "Recognizer", "Recognizers", "known_entities"]

_NUMBER = re.compile(r"[0-9](?:[ ().\t\r\n\[\]/+_\u00b7-]{0,4}[A-Za-z]?[0-9])*+")


ONLY_IF_NAMED = frozenset(each.entity for each in (*DATES, *PLATES))
"""Entities that are found only if ``entities`` names them, because they are in so many texts; dates of birth always."""
_OTHERS: tuple[Recognizer, ...] = (Email(), SpelledEmail(), Url(), Iban(), Passports(), *SECRETS)
"""Recognisers that are no ``Pattern``, except those of phone numbers and births."""


def known_entities() -> tuple[str, ...]:
    """The names of all entities that come with the product, in alphabetical order."""
    recognizers: tuple[Recognizer, ...] = (*PATTERNS, *DATES, *_OTHERS)
    return tuple(sorted({Phones.entity, *(each.entity for each in recognizers), *(row.entity for row in ROWS)}))


class Recognizers:
    """Finds personal data that has a form. Keeps nothing of the texts: any number of threads may use one.

    ``entities``: what to look for; None means all but ``ONLY_IF_NAMED``. ``regions``: the countries (ISO 3166) whose
    phone numbers are found without a country code. ``extra``: more recognisers, which may add entities.

    Raises ModelError if the libraries of the extra ``pii`` are not installed, ValueError for an unknown entity or
    region.
    """

    def __init__(
        self,
        entities: Collection[str] | None = None,
        regions: Sequence[str] = ("US", "GB"),
        extra: Sequence[Recognizer] = (),
    ) -> None:
        checks.require_libraries()
        known = {*known_entities(), *(each.entity for each in extra)}
        common = {*known_entities()} - ONLY_IF_NAMED
        wanted = frozenset(common | {each.entity for each in extra} if entities is None else entities)
        if unknown := sorted(wanted - known):
            raise ValueError(f"no such entity: {', '.join(unknown)}")
        self.entities = wanted
        national = (row.pattern() for row in ROWS if row.entity in wanted)
        builtin: list[Recognizer] = [*PATTERNS, *DATES, *_OTHERS, *national]
        if entities is None:
            builtin = [each for each in builtin if each.entity in common]
        if Phones.entity in wanted:
            builtin += [Phones(regions), Called()]
        births = [Births()] if entities is None or Births.entity in wanted else []
        self._groups = _grouped([*(each for each in (*builtin, *extra) if each.entity in wanted), *births])
        self._extra = _grouped(each for each in extra if each.entity in wanted)

    def find(self, text: str) -> list[Finding]:
        """Find everything in the text, by start, with context applied.

        Findings may overlap and may be weak, but no two have the same span and label. Recognisers read the plain form
        of the text, ``extra`` also the text itself; offsets are those of ``text``. Takes time in proportion to the
        length of the text. Raises what an ``extra`` raises.
        """
        try:
            return self._find(text)
        finally:
            words_of.cache_clear()

    def _find(self, text: str) -> list[Finding]:
        read = plain(text)
        best: dict[tuple[int, int, str], Finding] = {}
        for finding in divided(_findings(read.text, self._groups), read.text):
            if read.places is not None:
                start, end = read.original(finding.start, finding.end)
                finding = replace(finding, start=start, end=end)
            _add(best, finding)
        if self._extra and read.text != text:
            for finding in _findings(text, self._extra):
                _add(best, finding)
        return [best[key] for key in sorted(best)]


class _Group(NamedTuple):
    """Recognisers that read the same texts."""

    digits: int
    hint: re.Pattern[str] | None
    recognizers: list[Recognizer]


def _grouped(recognizers: Iterable[Recognizer]) -> list[_Group]:
    """Group recognisers by their ``digits``, in ascending order, and their ``hint``."""
    groups: dict[tuple[int, re.Pattern[str] | None], _Group] = {}
    for recognizer in recognizers:
        digits, hint = recognizer.digits, recognizer.hint
        groups.setdefault((digits, hint), _Group(digits, hint, [])).recognizers.append(recognizer)
    return sorted(groups.values(), key=attrgetter("digits"))


def _findings(text: str, groups: list[_Group]) -> list[Finding]:
    """What the recognisers find in ``text``, with context applied."""
    findings: list[Finding] = []
    most = _longest_number(text)
    for digits, hint, recognizers in groups:
        if digits > most:
            break
        if hint is None or hint.search(text):
            for recognizer in recognizers:
                if recognizer.context is None and recognizer.against is None:
                    findings += recognizer.find(text)
                else:
                    findings += [in_context(finding, recognizer, text) for finding in recognizer.find(text)]
    return findings


def _add(best: dict[tuple[int, int, str], Finding], finding: Finding) -> None:
    key = finding.start, finding.end, finding.label
    if key not in best or (finding.score, finding.checked) > (best[key].score, best[key].checked):
        best[key] = finding


def _longest_number(text: str) -> int:
    """The number of digits in the longest number, which may have single letters and a few separators between them."""
    most = 0
    for run in _NUMBER.findall(text):
        if len(run) > most:
            most = max(most, len(run) if run.isdigit() else sum(map(run.count, "0123456789")))
    return most
