"""What must be true after a round, whatever broke in it. Pure: logs in, a verdict out."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from stream.output.deadletter import PREFIX
from tests.chaos.model import Event, annotation
from tests.kafka.cluster import Row

Source = tuple[int, int]
"""Partition and offset of an event in the input topic."""
Place = tuple[str, int, int]
"""Topic (``out``, ``copy`` or ``dead``), partition and offset of a record made from it."""
_EXAMPLES = 5  # kept for each promise
_STAGES = {"poison": "forward", "tombstone": "decode", "rubbish": "decode", "large": "produce", "huge": "decode"}


class Sample(NamedTuple):
    """The group's committed offsets, and the ends of the output topics, which were asked for *after* the offsets.

    ``leaders`` has the leader epoch of whoever answered about an end.
    """

    at: float
    committed: dict[int, int]
    ends: dict[tuple[str, int], int]
    leaders: Mapping[tuple[str, int], int] = {}


@dataclass
class Logs:
    """Everything known about a round.

    - ``sent``: the acknowledged inputs. ``output``, ``dead`` and, in a round with ``routes``, ``copies``: what a reader
      of committed records finds at the end.
    - ``glimpsed``: the places of the rows that such a reader saw during the round and until it had caught up; None if
      nobody was reading.
    - ``stable`` and ``high``: last stable offset and high watermark of each output partition at the end.
    - ``left_open``: transactional ids of members that left in order but had a transaction open right afterwards.
    - ``open_at_once``: the most transactions that were open at once, for a crew with members in ``slots`` slots.
    - ``strangers``: transactional ids that do not belong to a slot.
    - ``disruptions``: how often a member ended or lost partitions without finishing its work, and ``in_flight`` how
      many events it can have had in work.
    """

    sent: Mapping[Source, Event]
    output: Sequence[Row]
    dead: Sequence[Row]
    samples: Sequence[Sample] = ()
    glimpsed: Iterable[Place] | None = None
    committed: Mapping[int, int] = field(default_factory=dict)
    stable: Mapping[tuple[str, int], int] = field(default_factory=dict)
    high: Mapping[tuple[str, int], int] = field(default_factory=dict)
    left_open: Collection[str] = ()
    open_at_once: int = 0
    slots: int = 0
    strangers: Collection[str] = ()
    disruptions: int = 0
    in_flight: int = 0
    copies: Sequence[Row] = ()
    routes: bool = False

    @property
    def rows(self) -> dict[str, Sequence[Row]]:
        """The rows of each output topic."""
        return {"out": self.output, "dead": self.dead, "copy": self.copies}

    def lacks(self, event: Event, places: Iterable[Place]) -> frozenset[str]:
        """Return the topics that must have something made from ``event``, and in which no place is."""
        return event.goes_to(self.routes) - {topic for topic, _, _ in places}


@dataclass
class Verdict:
    """How often each promise was broken. ``bound`` is the number of duplicates that crashes can explain."""

    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    bound: int = 0
    wrong: int = 0
    disordered: int = 0
    ahead: int = 0
    moved_back: int = 0
    uncommitted: int = 0
    left_open: int = 0
    orphaned: int = 0
    retracted: int = 0
    unseen: int = 0
    strange_ids: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def evidence(self) -> list[str]:
        """Examples of the promises that were broken."""
        promises = {promise.split()[0] for promise in self.broken}
        return [example for example in self.examples if example.split(":")[0] in promises]

    @property
    def broken(self) -> list[str]:
        """The promises that were broken; empty if the round is green."""
        counts = {name: count for name, count in asdict(self).items() if name not in {"sent", "bound", "examples"}}
        if self.duplicated <= self.bound:
            del counts["duplicated"]
        return [f"{name} {count}" for name, count in counts.items() if count]

    def add(self, promise: str, what: str) -> None:
        setattr(self, promise, getattr(self, promise) + 1)
        if getattr(self, promise) <= _EXAMPLES:
            self.examples.append(f"{promise}: {what}")


def judge(logs: Logs, exactly_once: bool) -> Verdict:
    records = logs.disruptions * logs.in_flight * (2 if logs.routes else 1)
    verdict = Verdict(sent=len(logs.sent), bound=0 if exactly_once else records)
    places = _places(logs, verdict)
    for source, event in logs.sent.items():
        copies = places.get(source, [])
        if source[1] < logs.committed.get(source[0], 0):  # otherwise it has not been processed yet
            for topic in logs.lacks(event, copies):
                verdict.add("lost", f"{source} is not in {topic}")
        first: dict[str, Place] = {}
        for place in copies:
            # Without routes an event is in one topic only.
            topic = place[0] if logs.routes else ""
            if first.setdefault(topic, place) is not place:
                verdict.add("duplicated", f"{source} is at {first[topic]} and at {place}")
    _check_order(logs, exactly_once, verdict)
    _check_samples(logs, places, verdict)
    lengths = Counter(partition for partition, _ in logs.sent)
    for partition, length in lengths.items():
        if (end := logs.committed.get(partition, 0)) != length:
            verdict.add("uncommitted", f"partition {partition} of {length} events is committed up to {end}")
    for log, high in logs.high.items():
        if (stable := logs.stable.get(log)) != high:
            verdict.add("left_open", f"{log} is stable up to {stable} of {high}")
    for name in logs.left_open:
        verdict.add("left_open", f"{name} has left in order, and its transaction is open")
    if logs.open_at_once > logs.slots:
        verdict.add("orphaned", f"{logs.open_at_once} transactions were open at once, of {logs.slots} slots")
    for name in logs.strangers:
        verdict.add("strange_ids", f"{name} is no slot's: what it leaves open nobody settles but a timeout")
    there = places_of(logs.rows)
    glimpsed = there if logs.glimpsed is None else set(logs.glimpsed)
    for place in glimpsed - there:
        verdict.add("retracted", f"{place} was read, and is gone")
    for place in there - glimpsed:
        verdict.add("unseen", f"{place} is there, and who read meanwhile never saw it")
    return verdict


def places_of(rows: Mapping[str, Iterable[Row]]) -> set[Place]:
    return {(topic, row.partition, row.offset) for topic, entries in rows.items() for row in entries}


def origin(topic: str, row: Row) -> Source:
    """Return the input that ``row`` was made from. Raises ValueError, KeyError or TypeError if it does not say."""
    if topic != "dead":
        source = json.loads(row.value or b"")["source"]
        return source["partition"], source["offset"]
    headers = dict(row.headers)
    return int(headers[f"{PREFIX}partition"] or b""), int(headers[f"{PREFIX}offset"] or b"")


def _places(logs: Logs, verdict: Verdict) -> dict[Source, list[Place]]:
    """Return where the output of each input is. Rows that do not match their input are counted as wrong."""
    places: dict[Source, list[Place]] = defaultdict(list)
    for topic, rows in logs.rows.items():
        for row in rows:
            here = (topic, row.partition, row.offset)
            try:
                source = origin(topic, row)
                event = logs.sent[source]
                if topic not in event.goes_to(logs.routes):
                    fault: str | None = f"{event.kind} event {event.number} must not be there"
                else:
                    fault = _fault_of_letter(row, event) if topic == "dead" else _fault_of_output(topic, row, event)
            except (ValueError, KeyError, TypeError) as error:
                verdict.add("wrong", f"{here}: {type(error).__name__}, made of no input that was acknowledged")
                continue
            places[source].append(here)
            if fault:
                verdict.add("wrong", f"{here}: {fault}")
    return places


def _fault_of_output(topic: str, row: Row, event: Event) -> str | None:
    made: dict[str, Any] = json.loads(row.value or b"")
    asked: dict[str, Any] = json.loads(event.value or b"")
    if row.key != event.key:
        return "of another event than its source"
    if topic == "copy" and ("text" in made or "copy" not in made["routed"]):
        return "a copy that is not as its route wants it"
    if topic == "out" and (made["event"] != asked or made["text"] != asked["text"]):
        return "of another event than its source"
    return None if made["annotations"] == {"tone": annotation(asked["text"])} else "annotated as another event"


def _fault_of_letter(row: Row, event: Event) -> str | None:
    stage = dict(row.headers).get(f"{PREFIX}stage")
    if stage != _STAGES[event.kind].encode():
        return f"{event.kind} failed at {stage!r}"
    return None if (row.key, row.value) == (event.key, event.value) else "a letter that is not its original"


def _check_order(logs: Logs, exactly_once: bool, verdict: Verdict) -> None:
    """Check the order within each key and topic: with at least once, only the first output of each input counts.

    With at least once, dead letters are not checked: one made because the broker rejected the event may come late.
    """
    for topic, rows in logs.rows.items():
        if topic == "dead" and not exactly_once:
            continue
        newest: dict[bytes | None, tuple[int, Source]] = {}
        met: set[Source] = set()
        for row in sorted(rows, key=lambda row: row[:2]):
            try:
                source = origin(topic, row)
            except (ValueError, KeyError, TypeError):
                continue  # counted as wrong
            if source in met and not exactly_once:
                continue
            met.add(source)
            partition, last = newest.get(row.key, (row.partition, (-1, -1)))
            if last[1] >= 0 and (row.partition != partition or source <= last):
                verdict.add("disordered", f"{topic}: {source} of a key comes after {last}")
            newest[row.key] = (row.partition, max(source, last))


def _check_samples(logs: Logs, places: Mapping[Source, Sequence[Place]], verdict: Verdict) -> None:
    """Check that no committed offset was ahead of the logs at that time, or behind an earlier one.

    A broker that was frozen takes itself for the leader until it learns that there is another one, and answers with the
    end that the log had before. So what an answer lacks counts as there if a later leader has written it.
    """
    epochs = {(topic, row.partition, row.offset): row.leader_epoch for topic, rows in logs.rows.items() for row in rows}
    checked: dict[int, int] = {}
    latest: dict[int, int] = {}
    for sample in logs.samples:
        for partition, end in sample.committed.items():
            if end < latest.get(partition, 0):
                verdict.add("moved_back", f"partition {partition} from {latest[partition]} to {end}")
            latest[partition] = end
            for offset in range(checked.get(partition, 0), end):
                event, copies = logs.sent.get((partition, offset)), places.get((partition, offset), ())
                there = [
                    place for place in copies if place[2] < sample.ends.get(place[:2], 0)
                    or epochs[place] > sample.leaders.get(place[:2], epochs[place])
                ]  # fmt: skip
                if event is None or logs.lacks(event, there):
                    verdict.add("ahead", f"{end} was committed of partition {partition}, and {offset} not in the log")
            checked[partition] = max(end, checked.get(partition, 0))
