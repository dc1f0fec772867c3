"""What the sinks of both deliveries share: their contract, the producer, and waiting for topics."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.pipeline.config import Pipeline
from schemas.record import Outbound
from stream.kafka.broker import is_embedded
from stream.kafka.faults import ErrorWatch
from stream.kafka.limits import TopicLimits, topic_limits
from stream.kafka.settings import make_producer
from stream.kafka.topics import await_topics, largest_batch
from stream.microbatch import MicroBatch

Delivered: TypeAlias = Callable[[MicroBatch], None]
"""Called with a micro-batch once it is delivered, on the thread that uses the sink."""
Refused: TypeAlias = Callable[[Outbound, str], Sequence[Outbound] | None]
"""Called with a record that the broker rejected for what it is, and the name of the Kafka error. Returns what to send
in its place, which may be nothing, or None if it must not be left out and there is nothing left to try. Called from
within the client, so it must not use the sink."""

REPORT_WAIT = 0.1
"""Seconds for which a sink that cannot continue waits for delivery reports before it tries again."""
_QUESTION = 3.0
"""Seconds between two questions whether the brokers are back."""
_ANY_PARTITION = -1
"""The key chooses the partition."""


class Sink(ABC):
    """Publishes micro-batches, in order. One thread at a time uses it; any thread may read attributes and ``down``.

    - ``open`` blocks until the topics exist and, with exactly once, the slot is taken.
    - ``send`` blocks while the client's queue is full; ``poll`` blocks for up to its timeout. With exactly once both
      may also end a transaction, which blocks until the cluster has committed it.
    - ``waiting`` never blocks.
    - ``close`` blocks for about a second, with exactly once for about two.

    A micro-batch is delivered when all of its records are in the log and, with exactly once, its offsets are committed.
    Records that the broker rejected are replaced by what ``refused`` returns. ``delivered`` is then called on the
    thread that uses the sink. A failure of the cluster, as opposed to one of a record, is raised by ``send`` or
    ``poll``. Then the micro-batch is never delivered, and its offsets are never committed.

    Attributes:
        evicted: the group no longer knows this member, so nothing that is still waiting can be committed.
        commits: transactions committed; 0 for at least once.
        aborts: transactions aborted; 0 for at least once.
        commit_seconds: time spent ending transactions; 0 for at least once.
    """

    def __init__(self, pipeline: Pipeline, delivered: Delivered, refused: Refused, **overrides: Any) -> None:
        """``overrides``: settings of the producer that replace the user's, because the delivery depends on them."""
        self._delivered = delivered
        self._refused = refused
        self._watch = ErrorWatch("producer")
        self._kafka = pipeline.kafka
        self._outputs = tuple(pipeline.output.written)
        self._inputs = pipeline.reads
        self._topics = (*self._inputs.names, *self._outputs)
        self._overrides = overrides
        self._producer = self._new_producer()
        self._limits: dict[str, TopicLimits] = {}
        self._next_question = 0.0
        self.evicted = False
        self.commits = 0
        self.aborts = 0
        self.commit_seconds = 0.0

    @abstractmethod
    def open(self, patience: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Get ready to send: wait up to ``patience`` seconds for brokers and the pipeline's topics. Call it once.

        Returns early when ``stop`` returns true. Raises BrokerError, TopicError, AccessError or SettingError.
        """

    @abstractmethod
    def send(self, batch: MicroBatch, outbounds: list[Outbound]) -> None:
        """Send ``outbounds``, the records made from ``batch``, in order.

        Raises BrokerError, AccessError or FencedError, also for an earlier micro-batch that failed meanwhile.
        """

    @abstractmethod
    def poll(self, timeout: float) -> None:
        """Process delivery reports, waiting up to ``timeout`` seconds for the first. Raises what ``send`` raises."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Number of micro-batches that were sent and are not delivered yet."""

    @abstractmethod
    def close(self) -> None:
        """Drop what is not delivered: it is made again from the input."""

    @property
    def down(self) -> bool:
        """Whether no broker can be reached."""
        return self._watch.down

    def answers(self) -> bool:
        """Whether a broker answers now; blocks for up to a second. Asks every few seconds, and is false in between.

        Without events there are no delivery reports that would show that the brokers are back.
        """
        if time.monotonic() < self._next_question:
            return False
        self._next_question = time.monotonic() + _QUESTION
        try:
            self._producer.list_topics(self._outputs[0], timeout=1.0)
        except KafkaException:
            return False
        self._watch.recovered()
        return True

    def _await_topics(self, patience: float, stop: Callable[[], bool]) -> bool:
        """Wait for the topics and fit the batch size to them; returns whether the cluster is the embedded broker."""
        cluster = await_topics(
            self._producer, self._watch, self._kafka, self._topics, inputs=self._inputs, patience=patience, stop=stop
        )
        if stop() or is_embedded(cluster):
            return is_embedded(cluster)
        # A broker rejects a batch as a whole, so none may be larger than the smallest topic accepts.
        self._overrides["batch.size"] = largest_batch(self._kafka, self._outputs)
        self._limits = topic_limits(self._kafka, self._outputs)
        self._producer = self._new_producer()
        return False

    def _new_producer(self) -> Producer:
        return make_producer(self._kafka, self._watch, **self._overrides)

    def _produce(self, outbound: Outbound, report: Callable[[KafkaError | None, Message], None]) -> None:
        """Hand a record to the client.

        Raises BufferError if its queue is full, and KafkaException if the client rejects the record, or the broker is
        certain to.
        """
        if (limits := self._limits.get(outbound.topic)) is not None:
            limits.require(outbound)
        # By position, because names cost a fifth of the call: partition, on_delivery, its alias, timestamp, headers.
        self._producer.produce(
            outbound.topic, outbound.value, outbound.key, _ANY_PARTITION, report, None,
            max(outbound.timestamp_ms, 0), outbound.headers,
        )  # fmt: skip

    def _drop(self) -> None:
        """Forget the records whose delivery reports are out. Raises nothing."""
        with suppress(KafkaException):  # a client that has failed for good raises it from every call
            self._producer.purge()
            self._producer.flush(1.0)
