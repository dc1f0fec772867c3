"""Kafka's side of an event: bytes, headers, coordinates. No Kafka client is imported here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Headers = list[tuple[str, str | bytes | None]]
Kind: TypeAlias = Literal["event", "dead_letter", "coordinates"]
"""What a record to be produced is: an enriched event, a dead letter with the original record, or a dead letter with
only the original's coordinates."""


class Assignment:
    """One partition, from the moment the group gives it to us until it takes it back.

    A partition that leaves and returns gets a new ``Assignment``, so whatever still travels
    through the threads under the old one can be told apart and never be committed under the new.
    ``state`` is written by the poll thread alone:

    - ``LIVE``: ours.
    - ``CLOSING``: being revoked; what is cut into a micro-batch is finished, the rest is dropped.
    - ``GONE``: no longer ours; results are discarded, nothing is committed.
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
    """One record as it was consumed. ``value`` is None for a tombstone; ``timestamp_ms`` is
    milliseconds since the epoch, or -1 where the broker keeps none."""

    assignment: Assignment
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None
    timestamp_ms: int = -1


@dataclass(slots=True)
class Outbound:
    """One record to be produced.

    ``timestamp_ms`` is milliseconds since the epoch, or -1 for the time of sending. ``origin`` is the record it was
    made from, or None if it has no source record.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=list)
    timestamp_ms: int = -1
    origin: Record | None = None
    kind: Kind = "event"
