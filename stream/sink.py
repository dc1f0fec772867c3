"""The producer: sends in order, hears every delivery report, and says when a micro-batch is safe."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.config import Pipeline
from schemas.document import Failure
from schemas.errors import AccessError, BrokerError, GlossatorError, ProduceError, TopicError
from schemas.record import Outbound, Record
from stream.broker import is_embedded
from stream.client import ErrorWatch, fault, largest_batch, make_producer
from stream.deadletter import coordinates_only
from stream.microbatch import MicroBatch

log = logging.getLogger("glossator.sink")

# Refused for what the record is: sending it again cannot help.
_REFUSED = frozenset(
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
    ) -> None:
        self._delivered = delivered
        self._refused = refused
        self._watch = ErrorWatch("producer")
        self._settings = pipeline.kafka
        self._outputs = (pipeline.output.topic, pipeline.output.dead_letter_topic)
        self._producer: Producer = make_producer(pipeline.kafka, self._watch)
        self._again: deque[tuple[_Flight, Record | None, Outbound]] = deque()
        self._failed: GlossatorError | None = None
        self._embedded = False

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
            size = largest_batch(self._settings, self._outputs)
            self._producer = make_producer(self._settings, self._watch, **{"batch.size": size})

    def send(self, batch: MicroBatch, outbounds: list[tuple[Record | None, Outbound]]) -> None:
        """Sends the batch's records in order: (the record it was made of, what to send).

        The first of a pair is None where the second already is a dead letter. Raises BrokerError
        or AccessError for an earlier failure that came in meanwhile.
        """
        flight = _Flight(batch, len(outbounds))
        if not outbounds:
            self._delivered(batch)
        for origin, outbound in outbounds:
            self._produce(flight, origin, outbound)
        self.poll(0)

    def poll(self, timeout: float) -> None:
        """Hears delivery reports for up to ``timeout`` seconds."""
        self._producer.poll(timeout)
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

    def _produce(self, flight: _Flight, origin: Record | None, outbound: Outbound) -> None:
        report = partial(self._report, flight, origin, outbound)
        while True:
            try:
                self._producer.produce(
                    outbound.topic,
                    outbound.value,
                    outbound.key,
                    on_delivery=report,
                    timestamp=max(outbound.timestamp_ms, 0),
                    headers=outbound.headers,
                )
                return
            except BufferError:
                self._producer.poll(_POLL)
                if self._failed is not None:
                    raise self._failed from None
            except KafkaException as error:
                # The client refuses at once what it knows to be too large.
                self._judge(error.args[0], flight, origin, outbound)
                return

    def _report(
        self, flight: _Flight, origin: Record | None, outbound: Outbound, error: KafkaError | None, _: Message
    ) -> None:
        if error is not None:
            self._judge(error, flight, origin, outbound)
            return
        flight.left -= 1
        if flight.left == 0:
            self._delivered(flight.batch)

    def _judge(self, error: KafkaError, flight: _Flight, origin: Record | None, outbound: Outbound) -> None:
        """What becomes of an undelivered record; anything to send waits until the callbacks are over."""
        if error.code() == KafkaError._INVALID_DIFFERENT_RECORD:  # a neighbour in the same request was refused
            self._again.append((flight, origin, outbound))
        elif error.code() not in _REFUSED:
            self._failed = self._failed or fault(error, f"publishing to {outbound.topic}")
        elif origin is not None:
            refusal = ProduceError(f"the broker refused the enriched event: {error.name()}")
            letter = self._refused(origin, Failure.of(refusal, "produce"))
            self._again.append((flight, None, letter))
        elif outbound.value is not None or outbound.key is not None or outbound.timestamp_ms > 0:
            self._again.append((flight, None, coordinates_only(outbound)))
        else:
            self._failed = self._failed or fault(error, f"publishing a dead letter to {outbound.topic}")
