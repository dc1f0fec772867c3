"""Kafka's side of an event: bytes, headers, coordinates. No Kafka client is imported here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Headers = list[tuple[str, str | bytes | None]]
"""(name, value) pairs in the record's order; a name may occur more than once."""
Kind: TypeAlias = Literal["event", "tombstone", "dead_letter", "coordinates", "disagreement"]
"""What a record to be produced is: an enriched event, a tombstone that is passed on, a dead letter with the original
record, a dead letter with only the original's coordinates, or an event about which a task and its shadow disagree."""


class Assignment:
    """One ownership of a partition, from when the group assigns it to us until the group takes it back.

    A partition that is revoked and assigned again gets a new ``Assignment``. So results of the earlier ownership that
    are still moving through the threads can be told apart, and are never committed under the new one.

    Only the poll thread writes ``state``; any thread may read it:

    - ``LIVE``: ours.
    - ``CLOSING``: being revoked. Events that are already in a micro-batch are finished, the others are dropped.
    - ``GONE``: no longer ours. Results are discarded and nothing is committed.
    """

    __slots__ = ("partition", "state", "topic")

    LIVE = 0
    CLOSING = 1
    GONE = 2

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.state = self.LIVE

    def __repr__(self) -> str:
        return f"{self.topic}[{self.partition}]"


@dataclass(slots=True)
class Record:
    """One record as it was consumed.

    Attributes:
        assignment: the ownership of the partition under which it was read.
        offset: its offset in the partition.
        key: its key, or None.
        value: its value, or None for a tombstone.
        headers: its headers, or None if it has none.
        timestamp_ms: milliseconds since the epoch, or -1 if the broker keeps none.
        polled_at: when it was polled, in seconds on the monotonic clock.
        original_headers: its headers as they were consumed, if the codec has put others into ``headers``; else None.
    """

    assignment: Assignment
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None
    timestamp_ms: int = -1
    polled_at: float = field(default=0.0, compare=False)
    original_headers: Headers | None = None

    @property
    def consumed_headers(self) -> Headers | None:
        """The headers as they were consumed."""
        return self.headers if self.original_headers is None else self.original_headers


@dataclass(slots=True)
class Outbound:
    """One record to be produced.

    Attributes:
        topic: the topic it goes to; its key chooses the partition.
        key: its key, or None.
        value: its value, or None for a tombstone.
        headers: its headers.
        timestamp_ms: milliseconds since the epoch, or -1 for the time of sending.
        origin: the record it was made from, or None if it has no source record.
        kind: what it is.
        route: the name of the route that sends it; None if no route does.
        alone: it must be the only record of its batch, because the broker has rejected a batch that it was in.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=list)
    timestamp_ms: int = -1
    origin: Record | None = None
    kind: Kind = "event"
    route: str | None = None
    alone: bool = False
