"""Overlapping findings -> the ones to report."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable

from workers.pii.finding import Finding


def resolve(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that do not overlap, by start; the same for any order of the input. Drop what is under your threshold
    first: a weak finding would otherwise hide a good one.

    Of findings with the same span the likeliest stays (patterns before models, then score, then checked, then the
    label's alphabet): the checksum of one country does not make a number that another country's name stands beside.
    Then, of findings that overlap, checked before unchecked, longer before shorter (a URL before the e-mail address in
    it, an IBAN before the phone number in it), then score, start and label.
    """
    spans: dict[tuple[int, int], Finding] = {}
    for finding in sorted(
        findings, key=lambda one: (one.learnt, -one.score, not one.checked, one.label, one.recognizer)
    ):
        spans.setdefault((finding.start, finding.end), finding)
    kept: list[Finding] = []
    for finding in sorted(spans.values(), key=_preference):
        at = bisect(kept, finding.start, key=_start)
        clear_before = at == 0 or kept[at - 1].end <= finding.start
        if finding.start < finding.end and clear_before and (at == len(kept) or finding.end <= kept[at].start):
            kept.insert(at, finding)
    return kept


def _start(finding: Finding) -> int:
    return finding.start


def _preference(finding: Finding) -> tuple[bool, int, float, int, str]:
    return not finding.checked, finding.start - finding.end, -finding.score, finding.start, finding.label
