"""Choose which of overlapping findings to report."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from workers.pii.finding import Finding

_LONGEST = 64
"""Characters of the longest number that a context word supports."""
_BETWEEN = frozenset(" \t\r\n\u00a0,;|")


def resolve(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings that do not overlap, by start, whatever the order of the input.

    Drop findings below the threshold first; otherwise a weak finding would hide a good one.

    Of findings with the same span the likeliest wins (patterns before models, then score, then checked, then the one
    whose context word is nearest, then the label's alphabetical order): a number next to the name of one country is not
    another country's because a checksum happens to hold. Of findings that overlap, checked ones win over unchecked
    ones, then longer over shorter ones (a URL over the e-mail address in its path, an IBAN over the phone number in
    it), then score, start and label decide.
    """
    spans: dict[tuple[int, int], Finding] = {}
    for finding in sorted(
        findings,
        key=lambda finding: (
            finding.learnt,
            -finding.score,
            not finding.checked,
            finding.distance,
            finding.label,
            finding.recognizer,
        ),
    ):
        spans.setdefault((finding.start, finding.end), finding)
    kept: list[Finding] = []
    for finding in sorted(spans.values(), key=_preference):
        if (at := _free_place(finding, kept)) is not None:
            kept.insert(at, finding)
    return kept


def fill(resolved: list[Finding], others: Iterable[Finding]) -> list[Finding]:
    """Return ``resolved``, which ``resolve`` has returned, with those of ``others`` that overlap none of them."""
    more = [finding for finding in others if _free_place(finding, resolved) is not None]
    return resolve([*resolved, *more]) if more else resolved


def without_crossing(findings: Iterable[Finding], patterned: Iterable[Finding]) -> list[Finding]:
    """Return ``findings`` but for those that begin or end within a finding that has a context word near it.

    ``Tel. 91 123 45 67`` in ``patterned`` is whole: a model that takes the 67 and what follows for an address is wrong.
    A finding that contains the other whole stays.
    """
    supported = sorted((each.start, each.end) for each in patterned if each.distance)
    kept: list[Finding] = []
    for finding in findings:
        crosses = False
        for place in (finding.start, finding.end):
            at = bisect(supported, (place,)) - 1
            # Supported findings may overlap each other; those that are far before cannot reach the place.
            while at >= 0 and supported[at][0] > place - _LONGEST and not crosses:
                start, end = supported[at]
                crosses = start < place < end and not (start <= finding.start and finding.end <= end)
                at -= 1
        if not crosses:
            kept.append(finding)
    return kept


def remains(resolved: Sequence[Finding], lost: Iterable[Finding], text: str) -> Iterator[Finding]:
    """Yield what ``resolved``, which are sorted and do not overlap, leave of findings that overlap some of them.

    Of the address "1 Elm St IBAN DE89 3704" this is "1 Elm St IBAN " if the whole number is in ``resolved``. Words and
    the like are not cut: white space or a comma is between a remainder and what was cut off.
    """
    for finding in lost:
        start = finding.start
        for other in resolved[bisect(resolved, start, key=_end) :]:
            if other.start >= finding.end:
                break
            if start < other.start and text[other.start - 1] in _BETWEEN and _begins(text, start, finding):
                yield replace(finding, start=start, end=other.start)
            start = other.end
        if finding.start < start < finding.end and _begins(text, start, finding):
            yield replace(finding, start=start)


def _begins(text: str, start: int, finding: Finding) -> bool:
    """Whether what begins at ``start`` is the beginning of ``finding``, or apart from what is before it."""
    return start == finding.start or text[start] in _BETWEEN


def _free_place(finding: Finding, kept: list[Finding]) -> int | None:
    """Return where in ``kept``, which is sorted, ``finding`` belongs; None if it is empty or overlaps one of them."""
    at = bisect(kept, finding.start, key=_start)
    free = (
        finding.start < finding.end
        and (at == 0 or kept[at - 1].end <= finding.start)
        and (at == len(kept) or finding.end <= kept[at].start)
    )
    return at if free else None


def _start(finding: Finding) -> int:
    return finding.start


def _end(finding: Finding) -> int:
    return finding.end


def _preference(finding: Finding) -> tuple[bool, int, float, int, str]:
    return not finding.checked, finding.start - finding.end, -finding.score, finding.start, finding.label
