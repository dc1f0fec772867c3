"""The producer: sends in order, hears every delivery report, and says when a micro-batch is safe."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.document import Failure
from schemas.errors import AccessError, BrokerError, GlossatorError, ProduceError, TopicError
from schemas.pipeline.config import Pipeline
from schemas.record import Outbound, Record
from stream.kafka.broker import is_embedded
from stream.kafka.client import ErrorWatch, fault, largest_batch, make_producer
from stream.microbatch import MicroBatch
from stream.output.deadletter import coordinates_only

log = logging.getLogger("glossator.sink")

# Refused for what the record is: sending it again cannot help.
REFUSED = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.INVALID_MSG,
    }
)
_POLL = 0.1
_QUESTION = 3.0
"""Seconds between two questions whether the brokers are back."""

Pair: TypeAlias = tuple[Record | None, Outbound]
"""The record that something was made of (None where it was made of nothing), and what to send."""


class _Flight:
    """A micro-batch of which ``left`` delivery reports are still out."""

    __slots__ = ("batch", "left")

    def __init__(self, batch: MicroBatch, left: int) -> None:
        self.batch = batch
        self.left = left


class Sink:
    """Publishes micro-batches; used by one thread.

    ``delivered(batch)`` is called on that thread once every record of the batch has its delivery
    report: all in the log, the refused ones as dead letters made by ``refused``. A failure that
    is the cluster's, not the record's, is raised by ``send`` or ``poll``: the batch then
    never counts as delivered, and its offsets are never committed.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        delivered: Callable[[MicroBatch], None],
        refused: Callable[[Record, Failure], Outbound],
        **more: Any,
    ) -> None:
        """``more``: settings of the producer that promises rest on."""
        self._delivered = delivered
        self._refused = refused
        self._watch = ErrorWatch("producer")
        self._kafka = pipeline.kafka
        self._topic, self._dead_topic = pipeline.output.topic, pipeline.output.dead_letter_topic
        self._more = dict(more)
        if not {"transactional.id", "message.timeout.ms", "delivery.timeout.ms"} & {*more, *self._kafka}:
            # Brokers may be away for longer than the client would keep an event: that is the watchdog's to judge.
            self._more["message.timeout.ms"] = 0
        self._producer = self._new_producer()
        self._again: deque[tuple[_Flight, Pair]] = deque()
        self._failed: GlossatorError | None = None
        self._embedded = False
        self._next_question = 0.0
        self.evicted = False
        """The group no longer knows this member: nothing of what it still holds can be committed."""
        self.commits = 0
        self.aborts = 0
        self.commit_seconds = 0.0
        """Transactions, of a sink that has them."""

    @property
    def down(self) -> bool:
        """No broker can be reached."""
        return self._watch.down

    def await_topics(self, topics: Iterable[str], patience: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Returns when the cluster answers and every topic exists.

        Waits up to ``patience`` seconds for both, because brokers and topics may be on their way
        up; then raises BrokerError or TopicError. AccessError at once.
        """
        deadline = time.monotonic() + patience
        missing = list(topics)
        told = False
        while missing and not stop():
            try:
                found = self._producer.list_topics(missing[0], timeout=min(5.0, patience))
                error = found.topics[missing[0]].error
                self._embedded = is_embedded(found.cluster_id)
            except KafkaException as failure:
                error = failure.args[0]
            self._producer.poll(0)
            if error is None:
                missing.pop(0)
                self._watch.recovered()
                continue
            unknown = error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.LEADER_NOT_AVAILABLE)
            if self._watch.denied:
                raise AccessError(f"the cluster refused us: {self._watch.denied}; check the credentials in kafka:")
            if isinstance(reason := fault(error, f"looking up topic {missing[0]}"), AccessError):
                raise reason
            what = (
                f"topic {missing[0]} does not exist"
                if unknown
                else "no broker answers at bootstrap.servers"
                + (": a host name cannot be resolved" if self._watch.unresolved else "")
            )
            if time.monotonic() > deadline:
                if unknown:
                    raise TopicError(f"{what}, and the cluster does not create it; create it first")
                raise BrokerError(f"{what}; waited {patience:.0f} s")
            if not told:
                log.warning("%s; waiting up to %.0f s for it", what, patience)
                told = True
            time.sleep(0.2)
        if not stop() and not self._embedded:
            # A batch is refused whole, so none may be larger than the smallest topic takes.
            self._more["batch.size"] = largest_batch(self._kafka, (self._topic, self._dead_topic))
            self._producer = self._new_producer()

    def answers(self) -> bool:
        """Whether a broker answers, asked every few seconds: without events there are no reports that would tell."""
        if time.monotonic() < self._next_question:
            return False
        self._next_question = time.monotonic() + _QUESTION
        try:
            self._producer.list_topics(self._topic, timeout=1.0)
        except KafkaException:
            return False
        self._watch.recovered()
        return True

    def send(self, batch: MicroBatch, outbounds: list[Pair]) -> None:
        """Sends the batch's records in order: (the record it was made of, what to send).

        Raises BrokerError or AccessError for an earlier failure that came in meanwhile.
        """
        flight = _Flight(batch, len(outbounds))
        if not outbounds:
            self._delivered(batch)
        for pair in outbounds:
            self._produce(flight, pair)
        self.poll(0)

    def poll(self, timeout: float) -> None:
        """Hears delivery reports for up to ``timeout`` seconds."""
        self._hear(timeout)
        while self._again:
            self._produce(*self._again.popleft())
        if self._failed is not None:
            raise self._failed

    def __len__(self) -> int:
        """Records sent or to be sent whose delivery report is still out."""
        return len(self._producer) + len(self._again)

    def close(self) -> None:
        """Drops what is still out: it never counts as delivered, and is made again from the input."""
        self._producer.purge()
        self._producer.flush(1.0)

    def _new_producer(self) -> Producer:
        return make_producer(self._kafka, self._watch, **self._more)

    def _hear(self, timeout: float) -> None:
        try:
            self._producer.poll(timeout)
        except KafkaException as error:  # the client can send nothing any more
            self._failed = self._failed or fault(error.args[0], "publishing")

    def _put(self, outbound: Outbound, report: Callable[[KafkaError | None, Message], None]) -> None:
        """Raises BufferError when the client's queue is full, and KafkaException for what it refuses at once."""
        self._producer.produce(
            outbound.topic,
            outbound.value,
            outbound.key,
            on_delivery=report,
            timestamp=max(outbound.timestamp_ms, 0),
            headers=outbound.headers,
        )

    def _instead(self, error: KafkaError, pair: Pair) -> Pair | None:
        """What to send in place of what was refused; None when nothing is left to try."""
        record, outbound = pair
        if record is not None and outbound.topic != self._dead_topic:
            refusal = ProduceError(f"the broker refused the enriched event: {error.name()}")
            return record, self._refused(record, Failure.of(refusal, "produce"))
        if outbound.value is not None or outbound.key is not None or outbound.timestamp_ms > 0:
            return record, coordinates_only(outbound)
        return None

    def _produce(self, flight: _Flight, pair: Pair) -> None:
        report = partial(self._report, flight, pair)
        while True:
            try:
                self._put(pair[1], report)
                return
            except BufferError:
                self._hear(_POLL)
                if self._failed is not None:
                    raise self._failed from None
            except KafkaException as error:
                # The client refuses at once what it knows to be too large.
                self._judge(error.args[0], flight, pair)
                return

    def _report(self, flight: _Flight, pair: Pair, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._judge(error, flight, pair)
            return
        self._watch.recovered()
        flight.left -= 1
        if flight.left == 0:
            self._delivered(flight.batch)

    def _judge(self, error: KafkaError, flight: _Flight, pair: Pair) -> None:
        """What becomes of an undelivered record; anything to send waits until the callbacks are over."""
        if error.code() == KafkaError._INVALID_DIFFERENT_RECORD:  # a neighbour in the same request was refused
            self._again.append((flight, pair))
        elif error.code() in REFUSED and (instead := self._instead(error, pair)) is not None:
            self._again.append((flight, instead))
        else:
            self._failed = self._failed or fault(error, f"publishing to {pair[1].topic}")
