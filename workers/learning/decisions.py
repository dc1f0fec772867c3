"""Decisions of reviewers in a topic as rows: of several decisions about an event, the last one counts."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from schemas.document import Document
from schemas.event import SCHEMA
from schemas.paths import follow, parse_path
from schemas.pipeline.wording import did_you_mean
from schemas.record import Record
from stream.output.units import Unit, table
from workers.learning.examples import FIELD, SHAPE, TASKS, Task
from workers.learning.rows import Mistakes, Row

DEFAULT_PATH = "$.decision"
_FIELDS = frozenset(FIELD.values())
_MOST_NAMES = 64
"""Names of members that are remembered for a suggestion."""
_Identity: TypeAlias = tuple[str, int, int] | str
"""What tells events apart: the position of the source record, the id, or the text."""


@dataclass(frozen=True, slots=True)
class _Decision:
    """The last decision about an event so far.

    - ``time``: the record's timestamp in milliseconds and its offset: the order of decisions.
    - ``place``: topic, partition and offset, for messages.
    - ``text``: the event's text; if it has none, ``reason`` says why.
    - ``fields``: what was decided, as the fields of a row; None: the decision was withdrawn.
    - ``key``: the partition and the record's key; a tombstone with both deletes the decision.
    """

    time: tuple[int, int]
    place: str
    text: str | None
    reason: str
    fields: Mapping[str, Any] | None
    key: tuple[int, bytes] | None


class Decisions:
    """Collects the decisions in a topic, record by record. One thread uses it.

    A decision is the value at a path of an event: an object with ``label``, ``labels`` or ``spans``, or such a value
    itself; ``null`` withdraws an earlier decision. The event is an enriched event, or one that ``input`` of the
    pipeline file describes. Records of a partition must come in the order of the log. It keeps up to twice
    ``max_rows`` decisions in memory.
    """

    def __init__(
        self, topic: str, task: Task, decode: Callable[[Record], Document], *,
        path: str = DEFAULT_PATH, unit: Unit = "code_point", max_rows: int = 100_000,
    ) -> None:  # fmt: skip
        """Start without decisions.

        Args:
            topic: for messages.
            task: the task of ``glossator train``.
            decode: the codec of the pipeline file; finds the text of an event that is no enriched event.
            path: the path of the decision in the event.
            unit: what the offsets of spans count.
            max_rows: how many decisions to use at most, the latest ones.
        """
        self.topic = topic
        self._task, self._field = task, FIELD[task]
        self._decode, self._path, self._steps = decode, path, parse_path(path)
        self._unit, self._max_rows = unit, max_rows
        self._latest: dict[_Identity, _Decision] = {}
        self._by_key: defaultdict[tuple[int, bytes], set[_Identity]] = defaultdict(set)
        self._names: dict[str, None] = {}
        self._others: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def add(self, record: Record) -> None:
        """Look at one record."""
        self.counts["records"] += 1
        if record.value is None:
            self._delete(record)
            return
        try:
            event = orjson.loads(record.value)
        except orjson.JSONDecodeError:
            event = None
        if not isinstance(event, dict):
            self.counts["foreign"] += 1
            return
        self.counts["enriched"] += event.get("schema") == SCHEMA
        try:
            value = follow(self._steps, event)
        except LookupError:
            self.counts["undecided"] += 1
            for name in event if len(self._names) < _MOST_NAMES else ():
                self._names[name] = None
            return
        self._decide(record, event, value)

    def _decide(self, record: Record, event: dict[str, Any], value: Any) -> None:
        fields = self._fields(value)
        if fields is not None and self._field not in fields and (others := _FIELDS & fields.keys()):
            self._others.update(others)
            self.counts["other tasks"] += 1
            return
        self.counts["decisions"] += 1
        text, reason = self._text(record, event)
        if fields is not None and text is not None and self._field in fields:
            fields = {**fields, self._field: self._in_code_points(text, fields[self._field])}
        identity = _identity(record, event, text)
        place = f"{self.topic}[{record.assignment.partition}]@{record.offset}"
        key = None if record.key is None else (record.assignment.partition, record.key)
        decision = _Decision((record.timestamp_ms, record.offset), place, text, reason, fields, key)
        if (known := self._latest.get(identity)) is not None:
            self.counts["revised"] += 1
            if known.time > decision.time:
                return
            self._forget(identity, known)
        self._latest[identity] = decision
        if key is not None:
            self._by_key[key].add(identity)
        if len(self._latest) > 2 * self._max_rows:
            self._keep_latest()

    def _fields(self, value: Any) -> Mapping[str, Any] | None:
        """Return a decision as the fields of a row; None if it withdraws another one."""
        if isinstance(value, dict):
            return None if self._field in value and value[self._field] is None else value
        return None if value is None else {self._field: value}

    def _text(self, record: Record, event: Mapping[str, Any]) -> tuple[str | None, str]:
        """Return the text of an event, or None and why there is none."""
        if event.get("schema") == SCHEMA:
            text = event.get("text")
            without = "the enriched event has no text; send it to reviewers with text: original"
            return (text, "") if isinstance(text, str) else (None, without)
        document = self._decode(record)
        if document.failure is not None:
            return None, f"neither an enriched event nor one of this pipeline's input: {document.failure.message}"
        return document.text, ""

    def _in_code_points(self, text: str, value: Any) -> Any:
        """Return the spans of a decision with offsets in code points; anything else as it is."""
        if self._unit == "code_point" or self._field != "spans" or not isinstance(value, list):
            return value
        if (offsets := table(text, self._unit)) is None:
            return value
        numbers = {offset: number for number, offset in enumerate(offsets)}
        return [
            {name: numbers.get(item, -1) if name in {"start", "end"} and type(item) is int else item
             for name, item in span.items()} if isinstance(span, dict) else span
            for span in value
        ]  # fmt: skip

    def _delete(self, record: Record) -> None:
        """Forget the decisions that a tombstone deletes: those before it with its key."""
        if record.key is not None:
            for identity in list(self._by_key.get((record.assignment.partition, record.key), ())):
                self.counts["deleted"] += 1
                self._forget(identity, self._latest[identity])

    def _forget(self, identity: _Identity, decision: _Decision) -> None:
        del self._latest[identity]
        if decision.key is not None:
            self._by_key[decision.key].discard(identity)
            if not self._by_key[decision.key]:
                del self._by_key[decision.key]

    def _keep_latest(self) -> None:
        """Forget all but the latest ``max_rows`` decisions."""
        surplus = len(self._latest) - self._max_rows
        if surplus > 0:
            self.counts["older"] += surplus
            for identity, decision in heapq.nsmallest(surplus, self._latest.items(), key=lambda item: item[1].time):
                self._forget(identity, decision)

    def rows(self, first: int, mistakes: Mistakes) -> list[Row]:
        """Return the decisions as rows, the oldest first, numbered from ``first``; adds to ``mistakes``."""
        self._keep_latest()
        decided = [decision for decision in self._latest.values() if decision.fields is not None]
        self.counts["withdrawn"] = len(self._latest) - len(decided)
        rows = []
        for number, decision in enumerate(sorted(decided, key=lambda entry: entry.time), first):
            row = Row(number, decision.place, {**(decision.fields or {}), "text": decision.text})
            if decision.text is None:
                mistakes.add(row, decision.reason)
            else:
                rows.append(row)
        if not decided:
            mistakes.add(None, f"{self.topic}: {self._nothing()}")
        return rows

    def _nothing(self) -> str:
        """Return why there is no row."""
        counts = self.counts
        shape = f"{{{SHAPE[self._field]}}}"
        if not counts["records"]:
            return "the topic has no records"
        if counts["other tasks"]:
            there = sorted(self._others)
            fitting = ", ".join(task for task in TASKS if FIELD[task] in there)
            return (
                f'none of its {counts["other tasks"]:,} decisions has "{self._field}"; they have '
                f"{', '.join(there)}, which is for --task {fitting}; {self._task} needs {shape}"
            )
        if counts["withdrawn"] or counts["deleted"]:
            return "all its decisions have been withdrawn or deleted"
        near = did_you_mean(self._steps[-1] if self._steps else "", self._names)
        return (
            f"none of its {counts['records']:,} records has a decision at {self._path}{near}: "
            f"{counts['enriched']:,} are enriched events, {counts['foreign']:,} no JSON objects; "
            f"a program of the reviewers has to add {shape} there"
        )

    def summary(self) -> str:
        """Return how many records there were, and what became of them; after ``rows``."""
        counts = self.counts
        parts = [
            f"{counts[name]:,} {meaning}" for name, meaning in (
                ("undecided", "without a decision"), ("foreign", "not a JSON object"),
                ("other tasks", "with a decision for another task"), ("revised", "replaced by a later decision"),
                ("withdrawn", "withdrawn"), ("deleted", "deleted by a tombstone"),
                ("older", f"older than the latest {self._max_rows:,} decisions"),
            ) if counts[name]
        ]  # fmt: skip
        left_out = f"; left out: {', '.join(parts)}" if parts else ""
        return f"topic {self.topic}: {counts['records']:,} records, {counts['decisions']:,} decisions{left_out}"


def _identity(record: Record, event: Mapping[str, Any], text: str | None) -> _Identity:
    """Return what tells an event from others, also if it was enriched again with another configuration."""
    source = event.get("source") if event.get("schema") == SCHEMA else None
    if isinstance(source, dict):
        topic, partition, offset = (source.get(name) for name in ("topic", "partition", "offset"))
        if isinstance(topic, str) and isinstance(partition, int) and isinstance(offset, int):
            return topic, partition, offset
    if isinstance(event.get("id"), str | int):
        return str(event["id"])
    return f"{record.assignment.partition}@{record.offset}" if text is None else f"text {text}"
