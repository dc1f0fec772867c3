"""The sink for at-least-once delivery: a micro-batch is delivered when each of its records has its delivery report."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.errors import GlossatorError
from schemas.pipeline.config import Pipeline
from schemas.record import Outbound
from stream.kafka.faults import Meaning, fault, meaning
from stream.kafka.sink import REPORT_WAIT, Delivered, Refused, Sink
from stream.microbatch import MicroBatch


class _Pending:
    """A micro-batch of which ``left`` delivery reports are still out."""

    __slots__ = ("batch", "left")

    def __init__(self, batch: MicroBatch, left: int) -> None:
        self.batch = batch
        self.left = left


class AtLeastOnceSink(Sink):
    """Sends records as they come; offsets are committed elsewhere, after ``delivered``."""

    def __init__(self, pipeline: Pipeline, delivered: Delivered, refused: Refused) -> None:
        """``delivered`` and ``refused``: the callbacks that the module ``sink`` describes."""
        timeouts = {"message.timeout.ms", "delivery.timeout.ms"}
        # Brokers may be away for longer than the client would keep an event; the watchdog decides how long is too long.
        overrides = {} if timeouts & {*pipeline.kafka} else {"message.timeout.ms": 0}
        super().__init__(pipeline, delivered, refused, **overrides)
        self._waiting = 0
        self._again: deque[tuple[_Pending, Outbound]] = deque()
        self._failed: GlossatorError | None = None

    def open(self, patience: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Wait up to ``patience`` seconds for brokers and the pipeline's topics, or until ``stop`` returns true.

        Raises BrokerError, TopicError or AccessError.
        """
        self._await_topics(patience, stop)

    def send(self, batch: MicroBatch, outbounds: list[Outbound]) -> None:
        """Send ``outbounds`` in order; blocks while the client's queue is full.

        Raises BrokerError or AccessError, also for an earlier micro-batch that failed meanwhile.
        """
        pending = _Pending(batch, len(outbounds))
        if outbounds:
            self._waiting += 1
        else:
            self._delivered(batch)
        for outbound in outbounds:
            self._send(pending, outbound)
        self.poll(0)

    def poll(self, timeout: float) -> None:
        """Process delivery reports, waiting up to ``timeout`` seconds for the first.

        Raises BrokerError or AccessError when the cluster failed.
        """
        self._poll_client(timeout)
        while self._again:
            self._send(*self._again.popleft())
        if self._failed is not None:
            raise self._failed

    @property
    def waiting(self) -> int:
        """Number of micro-batches of which delivery reports are still out."""
        return self._waiting

    def close(self) -> None:
        """Drop the records whose delivery reports are out; blocks for about a second."""
        self._drop()

    def _poll_client(self, timeout: float) -> None:
        try:
            self._producer.poll(timeout)
        except KafkaException as error:  # the client cannot send anything any more
            self._failed = self._failed or fault(error.args[0], "publishing")

    def _send(self, pending: _Pending, outbound: Outbound) -> None:
        report = partial(self._report, pending, outbound)
        while True:
            try:
                self._produce(outbound, report)
                return
            except BufferError:
                self._poll_client(REPORT_WAIT)
                if self._failed is not None:
                    raise self._failed from None
            except KafkaException as error:
                # The client itself rejects what it knows to be too large.
                self._handle_failure(error.args[0], pending, outbound)
                return

    def _report(self, pending: _Pending, outbound: Outbound, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._handle_failure(error, pending, outbound)
            return
        self._watch.recovered()
        self._settle(pending, 1)

    def _settle(self, pending: _Pending, records: int) -> None:
        """Note that ``records`` of a micro-batch need no delivery report any more; negative: that more need one."""
        pending.left -= records
        if pending.left == 0:
            self._waiting -= 1
            self._delivered(pending.batch)

    def _handle_failure(self, error: KafkaError, pending: _Pending, outbound: Outbound) -> None:
        """Decide what to do about a record that was not written; sending must wait until the callbacks are over."""
        kind = meaning(error)
        if kind is Meaning.NEIGHBOUR:
            self._again.append((pending, outbound))
        elif kind is Meaning.BAD_RECORD and (instead := self._refused(outbound, error.name())) is not None:
            self._again.extend((pending, replacement) for replacement in instead)
            self._settle(pending, 1 - len(instead))
        else:
            self._failed = self._failed or fault(error, f"publishing to {outbound.topic}")
