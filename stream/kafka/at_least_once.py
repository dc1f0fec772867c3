"""The sink for at-least-once delivery: a micro-batch is delivered when each of its records has its delivery report."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.errors import GlossatorError
from schemas.pipeline.config import Pipeline
from schemas.record import Outbound
from stream.kafka.faults import BAD, Meaning, fault, meaning
from stream.kafka.sink import REPORT_WAIT, Delivered, Refused, Sink
from stream.microbatch import MicroBatch


class _Pending:
    """A micro-batch of which ``left`` delivery reports are still out."""

    __slots__ = ("batch", "left")

    def __init__(self, batch: MicroBatch, left: int) -> None:
        self.batch = batch
        self.left = left


class _Sent:
    """A record that was handed to the client, which calls this with what has become of it."""

    __slots__ = ("outbound", "pending", "sink")

    def __init__(self, sink: AtLeastOnceSink, pending: _Pending, outbound: Outbound) -> None:
        self.sink, self.pending, self.outbound = sink, pending, outbound

    def __call__(self, error: KafkaError | None, _: Message) -> None:
        """Note the delivery report."""
        sink, pending = self.sink, self.pending
        sink._trying = False
        if error is not None:
            sink._handle_failure(error, pending, self.outbound, certain=self.outbound.alone)
            return
        pending.left -= 1  # as ``_settle`` does, without a call for each record
        if not pending.left:
            sink._finish(pending)


class AtLeastOnceSink(Sink):
    """Sends records as they come; offsets are committed elsewhere, after ``delivered``.

    If the broker rejects a batch, its records are sent again one at a time, which tells which of them is at fault.
    Until that is done, later records wait.
    """

    def __init__(self, pipeline: Pipeline, delivered: Delivered, refused: Refused) -> None:
        """``delivered`` and ``refused``: the callbacks that the module ``sink`` describes."""
        timeouts = {"message.timeout.ms", "delivery.timeout.ms"}
        # Brokers may be away for longer than the client would keep an event; the watchdog decides how long is too long.
        overrides = {} if timeouts & {*pipeline.kafka} else {"message.timeout.ms": 0}
        super().__init__(pipeline, delivered, refused, **overrides)
        self._waiting = 0
        self._again: deque[tuple[_Pending, Outbound]] = deque()
        """Records to be sent one at a time."""
        self._trying = False
        """One of them is out."""
        self._held: deque[tuple[_Pending, Outbound]] = deque()
        """Records that came after them."""
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
            if self._again or self._trying:
                self._held.append((pending, outbound))
            else:
                self._send(pending, outbound)
        self.poll(0)

    def poll(self, timeout: float) -> None:
        """Process delivery reports, waiting up to ``timeout`` seconds for the first.

        Raises BrokerError or AccessError when the cluster failed.
        """
        self._poll_client(timeout)
        if self._again or self._trying:
            self._send_again()
        while self._held and not (self._again or self._trying):
            self._send(*self._held.popleft())
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

    def _send_again(self) -> None:
        """Send the records of ``_again`` one at a time, for up to ``REPORT_WAIT`` seconds."""
        deadline = time.monotonic() + REPORT_WAIT
        while (self._again or self._trying) and self._failed is None:
            # The client makes batches of what is in its queue.
            if self._producer.flush(max(0.0, deadline - time.monotonic())):
                return
            if self._again:
                pending, outbound = self._again.popleft()
                outbound.alone = True
                self._send(pending, outbound)

    def _send(self, pending: _Pending, outbound: Outbound) -> None:
        sent = _Sent(self, pending, outbound)
        while True:
            try:
                self._produce(outbound, sent)
                self._trying = outbound.alone
                return
            except BufferError:
                self._poll_client(REPORT_WAIT)
                if self._failed is not None:
                    raise self._failed from None
            except KafkaException as error:
                # What is known to be too large, or against the limits of its topic, is rejected before it is sent.
                self._handle_failure(error.args[0], pending, outbound, certain=True)
                return

    def _settle(self, pending: _Pending, records: int) -> None:
        """Note that ``records`` of a micro-batch need no delivery report any more; negative: that more need one."""
        pending.left -= records
        if not pending.left:
            self._finish(pending)

    def _finish(self, pending: _Pending) -> None:
        self._watch.recovered()
        self._waiting -= 1
        self._delivered(pending.batch)

    def _handle_failure(self, error: KafkaError, pending: _Pending, outbound: Outbound, *, certain: bool) -> None:
        """Decide what to do about a record that was not written; sending must wait until the callbacks are over.

        ``certain``: whether the error is that of this record, and not of another one of its batch.
        """
        kind = meaning(error)
        if kind is Meaning.NEIGHBOUR or (kind is Meaning.BAD_BATCH and not certain):
            self._again.append((pending, outbound))
        elif kind in BAD and (instead := self._refused(outbound, error.name())) is not None:
            replacements = [(pending, replacement) for replacement in instead]
            if certain:
                # In the place of a record that was sent alone, before those that wait for their turn.
                self._again.extendleft(reversed(replacements))
            else:
                self._again.extend(replacements)
            self._settle(pending, 1 - len(instead))
        else:
            self._failed = self._failed or fault(error, f"publishing to {outbound.topic}")
