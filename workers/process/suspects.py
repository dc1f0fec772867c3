"""Who may have killed the process: spans of offsets, and at how many crashes they were in hand. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from schemas.record import Record

Verdict = Literal["clear", "alone", "guilty"]
Span: TypeAlias = tuple[str, int, int, int]
"""Topic, partition, first and last offset."""

ALONE, GUILTY = 2, 3
"""Crashes from which an event is worked on alone, and not at all."""
_FORGET = 16


class Suspect(NamedTuple):
    """A span that was in hand at ``crashes`` crashes; the last ``age`` crashes had nothing of its partition in hand."""

    topic: str
    partition: int
    first: int
    last: int
    crashes: int
    age: int = 0


def judge(record: Record, suspects: Iterable[Suspect]) -> Verdict:
    place, at = record.assignment, record.offset
    for topic, partition, first, last, crashes, _ in suspects:
        if crashes >= ALONE and first <= at <= last and partition == place.partition and topic == place.topic:
            return "guilty" if crashes >= GUILTY else "alone"
    return "clear"


def must_be_alone(suspects: Iterable[Suspect], spans: Sequence[Span]) -> bool:
    """Whether ``spans`` hold somebody who must be alone."""
    return any(_common(one, span) for one in suspects if one.crashes == ALONE for span in spans)


def raised(before: Iterable[Suspect], spans: Sequence[Span]) -> list[Suspect]:
    """The suspects after a crash with ``spans`` in hand. ``before`` are disjoint, and so are those returned.

    Guilty is only who was in hand alone. Those who were not in hand keep what stands against them, for the crash says
    nothing of them; they are forgotten after 16 crashes with nothing of their partition in hand: others own it then.
    """
    spans = _union(spans)
    highest = GUILTY if len(spans) == 1 and spans[0][2] == spans[0][3] else ALONE
    present = {span[:2] for span in spans}
    left = [one._replace(age=0 if one[:2] in present else one.age + 1) for one in sorted(before)]
    left = [one for one in left if one.age <= _FORGET]
    after: list[Suspect] = []
    for topic, partition, at, last in spans:
        outside: list[Suspect] = []
        for one in left:
            both = _common(one, (topic, partition, at, last))
            if both is None:
                outside.append(one)
                continue
            first, end = both
            if at < first:
                after.append(Suspect(topic, partition, at, first - 1, 1))
            after.append(one._replace(first=first, last=end, crashes=max(one.crashes, min(one.crashes + 1, highest))))
            outside += [one._replace(last=first - 1)] if one.first < first else []
            outside += [one._replace(first=end + 1)] if end < one.last else []
            at = end + 1
        if at <= last:
            after.append(Suspect(topic, partition, at, last, 1))
        left = outside
    return after + left


def cleared(before: Iterable[Suspect], spans: Iterable[Span]) -> list[Suspect]:
    """The suspects after ``spans`` have come through: nobody before their ends, unless guilty.

    What stands before them in the log came through, too, or was committed, or is no event. The guilty stay: that they
    are dead letters says nothing for them, and they may be read again.
    """
    ends: dict[tuple[str, int], int] = {}
    for topic, partition, _, last in spans:
        ends[topic, partition] = max(last, ends.get((topic, partition), last))
    after = []
    for one in before:
        first = max(one.first, ends.get(one[:2], -1) + 1)
        if one.crashes >= GUILTY:
            after.append(one)
        elif first <= one.last:
            after.append(one._replace(first=first))
    return after


def _union(spans: Iterable[Span]) -> list[Span]:
    """The same offsets in disjoint spans, in order: both lanes may have had the same event in hand."""
    union: list[Span] = []
    for topic, partition, first, last in sorted(spans):
        if union and union[-1][:2] == (topic, partition) and first <= union[-1][3]:
            _, _, first, end = union.pop()
            last = max(last, end)
        union.append((topic, partition, first, last))
    return union


def _common(one: Suspect, span: Span) -> tuple[int, int] | None:
    """The offsets both have."""
    first, last = max(one.first, span[2]), min(one.last, span[3])
    return (first, last) if first <= last and one[:2] == span[:2] else None
