"""What all recognisers together report of a text, for the tests of boundaries, separators, URLs and phone numbers."""

from __future__ import annotations

from workers.pii.overlaps import resolve
from workers.pii.recognizers import Recognizers

RECOGNIZERS = Recognizers()


def spans(text: str) -> list[tuple[int, int, str]]:
    """(start, end, label) of what is reported at the default threshold."""
    kept = resolve(finding for finding in RECOGNIZERS.find(text) if finding.score >= 0.5)
    return [(finding.start, finding.end, finding.label) for finding in kept]


def values(text: str) -> list[tuple[str, str]]:
    """(label, text of the span) of what is reported at the default threshold."""
    return [(label, text[start:end]) for start, end, label in spans(text)]
