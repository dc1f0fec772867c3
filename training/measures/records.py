"""``pii`` on the project's own records: what is found, what is wholly masked, and what is found wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from training.measures.metrics import NAN, Span, f2, ratio
from training.own_records import ANY, Record


class Judged(NamedTuple):
    """How an annotation compares with a record.

    ``hits``: required spans that are found with the same ends and label; ``masked``: required spans of which each
    letter and digit is in some finding; ``wrong``: findings that are neither required nor optional. Titles (``Dr.``,
    ``courier``) do not count.
    """

    hits: int
    masked: int
    required: int
    wrong: tuple[Span, ...]

    @property
    def right(self) -> bool:
        return self.hits == self.required and not self.wrong


def judged(record: Record, found: Iterable[Span]) -> Judged:
    """Compare what is ``found`` in ``record.text`` with what should be."""
    spans = {span for span in found if span[2] != "TITLE"}
    hidden = {place for start, end, _ in spans for place in range(start, end)}
    hits = {wanted: any(_equal(span, wanted) for span in spans) for wanted in record.required}
    masked = sum(
        all(place in hidden for place in range(start, end) if record.text[place].isalnum())
        for start, end, _ in record.required
    )
    allowed = [span for span in spans if any(_equal(span, wanted) for wanted in record.required)]
    allowed += [span for span in spans if any(_within(span, free) for free in record.optional)]
    return Judged(sum(hits.values()), masked, len(hits), tuple(sorted(spans - set(allowed))))


def summary(table: Sequence[Judged]) -> dict[str, float]:
    """Return the figures of ``table``: shares, and F2 of spans; NaN if nothing was to be found."""
    hits = sum(each.hits for each in table)
    required = sum(each.required for each in table)
    wrong = sum(len(each.wrong) for each in table)
    return {
        "lines": len(table),
        "right": ratio(sum(each.right for each in table), len(table)),
        "f2": f2(hits, hits + wrong, required) if required else NAN,
        "masked": ratio(sum(each.masked for each in table), required),
        "wrong": ratio(wrong, len(table)),
    }


def _equal(span: Span, wanted: Span) -> bool:
    return span[:2] == wanted[:2] and wanted[2] in {ANY, span[2]}


def _within(span: Span, free: Span) -> bool:
    return free[0] <= span[0] and span[1] <= free[1] and free[2] in {ANY, span[2]}
