"""Which events may have killed the process: spans of offsets, and at how many crashes they were in progress.

Pure arithmetic, without files or a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from schemas.record import Record

Verdict = Literal["clear", "alone", "guilty"]
"""How to process an event: as usual, with nothing else in progress, or not at all."""
Span: TypeAlias = tuple[str, int, int, int]
"""Topic, partition, first and last offset."""

ALONE, GUILTY = 2, 3
"""Numbers of crashes from which an event is processed alone, and not at all."""
_FORGET = 16
"""Crashes without its partition in progress after which a suspect is forgotten."""


class Suspect(NamedTuple):
    """A span of events that were in progress at ``crashes`` crashes.

    Attributes:
        topic: The topic.
        partition: The partition.
        first: The first offset.
        last: The last offset.
        crashes: At how many crashes it was in progress.
        age: For how many crashes since then no event of its partition was in progress.
    """

    topic: str
    partition: int
    first: int
    last: int
    crashes: int
    age: int = 0


def judge(record: Record, suspects: Iterable[Suspect]) -> Verdict:
    """Return how to process ``record``, given the suspects."""
    place, at = record.assignment, record.offset
    for topic, partition, first, last, crashes, _ in suspects:
        if crashes >= ALONE and first <= at <= last and partition == place.partition and topic == place.topic:
            return "guilty" if crashes >= GUILTY else "alone"
    return "clear"


def must_be_alone(suspects: Iterable[Suspect], spans: Sequence[Span]) -> bool:
    """Whether ``spans`` contain an event that must be alone."""
    return any(_in_any(suspect, spans) for suspect in suspects if suspect.crashes == ALONE)


def may_begin(suspects: Iterable[Suspect], spans: Sequence[Span]) -> bool:
    """Whether ``spans`` may begin before their turn: no suspect is among them, and none must be alone any more.

    The guilty are no suspects here, because they are not processed.
    """
    suspects = [suspect for suspect in suspects if suspect.crashes < GUILTY]
    return not any(suspect.crashes == ALONE or _in_any(suspect, spans) for suspect in suspects)


def raised(before: Iterable[Suspect], spans: Sequence[Span]) -> list[Suspect]:
    """Return the suspects after a crash with ``spans`` in progress.

    The spans of ``before`` are disjoint, and so are those returned. Only an event that was in progress alone becomes
    guilty. Events that were not in progress keep their count, because the crash is no evidence about them. They are
    forgotten after 16 crashes with nothing of their partition in progress: other workers own it then.
    """
    spans = _union(spans)
    highest = GUILTY if len(spans) == 1 and spans[0][2] == spans[0][3] else ALONE
    present = {span[:2] for span in spans}
    left = [suspect._replace(age=0 if suspect[:2] in present else suspect.age + 1) for suspect in sorted(before)]
    left = [suspect for suspect in left if suspect.age <= _FORGET]
    after: list[Suspect] = []
    for topic, partition, at, last in spans:
        outside: list[Suspect] = []
        for suspect in left:
            overlap = _common(suspect, (topic, partition, at, last))
            if overlap is None:
                outside.append(suspect)
                continue
            first, end = overlap
            if at < first:
                after.append(Suspect(topic, partition, at, first - 1, 1))
            crashes = max(suspect.crashes, min(suspect.crashes + 1, highest))
            after.append(suspect._replace(first=first, last=end, crashes=crashes))
            outside += [suspect._replace(last=first - 1)] if suspect.first < first else []
            outside += [suspect._replace(first=end + 1)] if end < suspect.last else []
            at = end + 1
        if at <= last:
            after.append(Suspect(topic, partition, at, last, 1))
        left = outside
    return after + left


def cleared(before: Iterable[Suspect], spans: Iterable[Span]) -> list[Suspect]:
    """Return the suspects after ``spans`` have passed all threads: none before the ends of the spans, unless guilty.

    Whatever precedes them in the log passed too, was committed, or is not an event. The guilty remain suspects: that
    they became dead letters does not clear them, and they may be read again.
    """
    ends: dict[tuple[str, int], int] = {}
    for topic, partition, _, last in spans:
        ends[topic, partition] = max(last, ends.get((topic, partition), last))
    after = []
    for suspect in before:
        first = max(suspect.first, ends.get(suspect[:2], -1) + 1)
        if suspect.crashes >= GUILTY:
            after.append(suspect)
        elif first <= suspect.last:
            after.append(suspect._replace(first=first))
    return after


def _union(spans: Iterable[Span]) -> list[Span]:
    """Return the same offsets as disjoint spans, in order: two lanes may have had the same event in progress."""
    union: list[Span] = []
    for topic, partition, first, last in sorted(spans):
        if union and union[-1][:2] == (topic, partition) and first <= union[-1][3]:
            _, _, first, end = union.pop()
            last = max(last, end)
        union.append((topic, partition, first, last))
    return union


def _in_any(suspect: Suspect, spans: Sequence[Span]) -> bool:
    return any(_common(suspect, span) for span in spans)


def _common(suspect: Suspect, span: Span) -> tuple[int, int] | None:
    """Return the first and last offset that are in both, or None."""
    first, last = max(suspect.first, span[2]), min(suspect.last, span[3])
    return (first, last) if first <= last and suspect[:2] == span[:2] else None
