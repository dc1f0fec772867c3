"""All recognisers together: which of them run, and on which texts."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Collection, Sequence
from dataclasses import replace

from workers.pii import checks
from workers.pii.finding import Finding, Recognizer, in_context
from workers.pii.general import PATTERNS
from workers.pii.internet import Email, Url, divided
from workers.pii.national import ROWS
from workers.pii.normalisation import plain
from workers.pii.phones import Called, Phones

__all__ = ["Finding", "Recognizer", "Recognizers", "known_entities"]

_NUMBER = re.compile(r"[0-9](?:[ ().\t\[\]/+-]{0,4}[A-Za-z]?[0-9])*+")


def known_entities() -> tuple[str, ...]:
    """The names of all entities that come with the product, in alphabetical order."""
    return tuple(sorted({Email.entity, Url.entity, Phones.entity, *(each.entity for each in (*PATTERNS, *ROWS))}))


class Recognizers:
    """Finds personal data that has a form. Keeps nothing of the texts: any number of threads may use one.

    ``entities``: what to look for; None means all. ``regions``: the countries (ISO 3166) whose phone numbers are found
    without a country code. ``extra``: more recognisers, which may add entities.

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
        wanted = frozenset(known if entities is None else entities)
        if unknown := sorted(wanted - known):
            raise ValueError(f"no such entity: {', '.join(unknown)}")
        self.entities = wanted
        builtin: list[Recognizer] = [*PATTERNS, Email(), Url(), *(row.pattern() for row in ROWS)]
        if Phones.entity in wanted:
            builtin += [Phones(regions), Called()]
        self._recognizers = sorted((each for each in (*builtin, *extra) if each.entity in wanted), key=_digits)
        self._digits = list(map(_digits, self._recognizers))
        self._extra = sorted((each for each in extra if each.entity in wanted), key=_digits)

    def find(self, text: str) -> list[Finding]:
        """Find everything in the text, by start, with context applied.

        Findings may overlap and may be weak, but no two have the same span and label. Recognisers read the plain form
        of the text, ``extra`` also the text itself; offsets are those of ``text``. Takes time in proportion to the
        length of the text. Raises what an ``extra`` raises.
        """
        read = plain(text)
        best: dict[tuple[int, int, str], Finding] = {}
        for finding in divided(self._findings(read.text, self._recognizers, self._digits), read.text):
            if read.places is not None:
                start, end = read.original(finding.start, finding.end)
                finding = replace(finding, start=start, end=end)
            _add(best, finding)
        if self._extra and read.text != text:
            for finding in self._findings(text, self._extra, list(map(_digits, self._extra))):
                _add(best, finding)
        return [best[key] for key in sorted(best)]

    @staticmethod
    def _findings(text: str, recognizers: list[Recognizer], digits: list[int]) -> list[Finding]:
        """What recognisers, sorted by their ``digits``, find in ``text``, with context applied."""
        findings = []
        for recognizer in recognizers[: bisect(digits, _longest_number(text))]:
            if recognizer.hint is None or recognizer.hint.search(text):
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


def _digits(recognizer: Recognizer) -> int:
    return recognizer.digits
