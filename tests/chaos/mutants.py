"""Mistakes that a worker could make. The harness must notice each of them, or its green rounds would prove nothing."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from schemas.record import Assignment, Outbound
from stream.flight import Flight
from stream.kafka import at_least_once
from stream.kafka.at_least_once import AtLeastOnceSink
from stream.kafka.exactly_once import ExactlyOnceSink
from stream.kafka.source import Source
from stream.microbatch import MicroBatch
from stream.output.publisher import Publisher

_LEAK, _LEAKED = 8 << 20, 800 << 20


def commit_early() -> None:
    """A micro-batch counts as delivered when it is given to the client."""
    original = AtLeastOnceSink.send

    def send(self: AtLeastOnceSink, batch: MicroBatch, outbounds: list[Outbound]) -> None:
        delivered = self._delivered
        delivered(batch)
        self._delivered = lambda _: None
        try:
            original(self, batch, outbounds)
        finally:
            self._delivered = delivered

    def heard(*_: Any) -> None:
        """Ignore all delivery reports."""

    AtLeastOnceSink.send = send  # type: ignore[method-assign]
    at_least_once._Sent.__call__ = heard  # type: ignore[method-assign,assignment]


def commit_position() -> None:
    """Offsets are committed when events are polled, not when they are finished."""
    original = Source.commit

    def commit(self: Source, ends: Mapping[Assignment, int], wait: bool = False) -> None:
        assigned = {(a.topic, a.partition): a for a in self.assignments}
        places = self._consumer.position([_place(a) for a in assigned.values()])
        polled = {assigned[p.topic, p.partition]: p.offset for p in places if p.offset >= 0}
        original(self, {**ends, **polled}, wait)

    Source.commit = commit  # type: ignore[method-assign]


def skip_drain() -> None:
    """A revoked partition is given up at once, and its events in flight go on as if it were still ours."""

    def drain(*_: Any, **__: Any) -> bool:
        return True

    Flight.drain = drain  # type: ignore[method-assign]


def random_id() -> None:
    """Every producer uses a new transactional id."""
    original = ExactlyOnceSink._new_producer

    def new_producer(self: ExactlyOnceSink) -> Any:
        self._overrides["transactional.id"] = uuid.uuid4().hex
        return original(self)

    ExactlyOnceSink._new_producer = new_producer  # type: ignore[method-assign,assignment]


def offsets_outside() -> None:
    """Offsets are committed by the consumer, after the transaction."""
    begun, asked = Flight.__init__, ExactlyOnceSink._ask

    def init(self: Flight, *arguments: Any, **more: Any) -> None:
        begun(self, *arguments, **more)
        self._transactional = False

    def ask(
        self: ExactlyOnceSink, call: Callable[[], object], doing: str, deadline: float, *, local: bool = False
    ) -> None:
        if doing != "sending offsets":
            asked(self, call, doing, deadline, local=local)

    Flight.__init__ = init  # type: ignore[method-assign]
    ExactlyOnceSink._ask = ask  # type: ignore[method-assign]


def shuffled() -> None:
    """A micro-batch's outputs are sent in random order."""
    original = Publisher.outbounds

    def outbounds(self: Publisher, *arguments: Any) -> list[Outbound]:
        shuffled = original(self, *arguments)
        random.shuffle(shuffled)
        return shuffled

    Publisher.outbounds = outbounds  # type: ignore[method-assign,assignment]


def lose_copy() -> None:
    """Of every hundredth event that is copied, the copy is not sent."""
    original = Publisher.outbounds

    def outbounds(self: Publisher, *arguments: Any) -> list[Outbound]:
        sent = original(self, *arguments)
        return [record for record in sent if record.route is None or record.origin is None or record.origin.offset % 99]

    Publisher.outbounds = outbounds  # type: ignore[method-assign,assignment]


def leave_open() -> None:
    """A worker that is asked to leave does so at once, and leaves its transaction open."""
    original = Flight.drain

    def drain(self: Flight, assignments: Any, source: Source, meanwhile: Any = None) -> bool:
        return meanwhile is not None or original(self, assignments, source)

    Flight.drain = drain  # type: ignore[method-assign]
    ExactlyOnceSink.close = ExactlyOnceSink._drop  # type: ignore[method-assign]


def leak_files() -> None:
    """Every micro-batch leaves a pipe open."""
    _with_outputs(lambda kept: kept.append(os.pipe()))


def leak_memory() -> None:
    """Every micro-batch leaks memory, up to a size that no test machine minds."""
    _with_outputs(lambda kept: kept.append(b"x" * _LEAK) if len(kept) * _LEAK < _LEAKED else None)


def _with_outputs(leak: Callable[[list[Any]], None]) -> None:
    original, kept = Publisher.outbounds, list[Any]()

    def outbounds(self: Publisher, *arguments: Any) -> list[Outbound]:
        leak(kept)
        return original(self, *arguments)

    Publisher.outbounds = outbounds  # type: ignore[method-assign,assignment]


def _place(assignment: Assignment) -> Any:
    from confluent_kafka import TopicPartition

    return TopicPartition(assignment.topic, assignment.partition)


ALO, EOS = "at_least_once", "exactly_once"
MUTANTS: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "commit-early": (commit_early, (ALO,)),
    "commit-position": (commit_position, (ALO,)),
    "skip-drain": (skip_drain, (ALO, EOS)),
    "random-id": (random_id, (EOS,)),
    "offsets-outside": (offsets_outside, (EOS,)),
    "shuffled": (shuffled, (ALO, EOS)),
    "lose-copy": (lose_copy, (ALO, EOS)),
    "leave-open": (leave_open, (EOS,)),
    "leak-files": (leak_files, (ALO,)),
    "leak-memory": (leak_memory, (ALO,)),
}
"""For each name, the function that installs it in this process, and the deliveries in which it is a mistake."""


def install(name: str | None) -> None:
    if name:
        MUTANTS[name][0]()
