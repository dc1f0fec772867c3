"""The sink for exactly-once delivery: events, dead letters and offsets in one transaction (KIP-98, KIP-447)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import AccessError, BrokerError, SettingError
from schemas.pipeline.config import TIMEOUT_MS, Pipeline
from schemas.record import Assignment, Outbound
from stream.kafka.deadline import returns_within
from stream.kafka.faults import BAD, Meaning, fault, fenced, meaning
from stream.kafka.groups import committed_offsets, same_slot
from stream.kafka.sink import REPORT_WAIT, Delivered, Refused, Sink
from stream.kafka.transaction import Contents, SentBatch
from stream.microbatch import MicroBatch

log = logging.getLogger("glossator.transactions")

_CALL = 2.0
"""Seconds one call of the client may take before it is repeated."""
_HANGS = 10.0
"""Seconds after which a call that should have returned never will."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
"""Seconds between two attempts to commit the same records; doubled after each."""
_SHARE = 0.75
"""A transaction ends when it holds this share of the events, or bytes, at which polling pauses. The others are computed
while it is committed, and polling continues."""


class _AbortedError(Exception):
    """The transaction cannot be committed any more, but the producer can continue."""


class _UnresolvedError(Exception):
    """It is unknown whether the transaction was committed, or the producer cannot continue."""


class _NoCoordinatorError(BrokerError):
    """The coordinator of transactions cannot be reached; it may be later."""


class ExactlyOnceSink(Sink):
    """Sends micro-batches in transactions; each is delivered when its transaction is committed.

    A transaction begins with its first micro-batch, or with an offset to commit that no micro-batch ends with. It ends
    ``commit_interval_ms`` later, or at once while ``hurry()`` says that partitions wait to be given up, or when it
    holds so many events that polling would soon have to wait for its end. Its records are kept until it is committed:
    after an abort the same records are sent again, without those of partitions that were lost meanwhile.

    A lost partition cannot be committed by accident: the group metadata is taken first and ownership is checked
    after it. So either the loss is seen here, or the metadata is of a generation that the group rejects.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        delivered: Delivered,
        refused: Refused,
        *,
        slot: int,
        hurry: Callable[[], bool],
        membership: Callable[[], object],
        tails: Callable[[], Mapping[Assignment, int]] = dict,
    ) -> None:
        """The arguments are those of ``delivery.make_sink``."""
        self._group, self._slot = pipeline.pipeline, slot
        self._id = f"{pipeline.pipeline}-{slot}"
        timeout_ms = int(pipeline.kafka.get("transaction.timeout.ms", TIMEOUT_MS))
        # A transaction is committed as a whole, so only failures need to be known of single records.
        overrides = {
            "transactional.id": self._id, "transaction.timeout.ms": timeout_ms, "delivery.report.only.error": True,
        }  # fmt: skip
        super().__init__(pipeline, delivered, refused, **overrides)
        self._timeout = timeout_ms / 1000
        self._interval = pipeline.commit_interval_ms / 1000
        self._most_events = int(pipeline.backpressure.high_events * _SHARE)
        self._most_bytes = int(pipeline.backpressure.high_bytes * _SHARE)
        self._hurry = hurry
        self._membership = membership
        self._tails = tails
        self._contents = Contents()
        self._number = 0
        """Of the transaction: a delivery report of an earlier one is ignored."""
        self._began = 0.0
        self._spoilt: KafkaError | None = None
        """Why the open transaction must be aborted."""
        self._hopeless: BrokerError | None = None
        """Why no transaction with these records can succeed."""
        self._hung = False
        """A call of the producer has not returned."""

    def open(self, patience: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Wait for brokers and topics, then take the slot: the previous owner is fenced, its transaction aborted.

        Waits up to ``patience`` seconds for the topics, and as long again for the transaction coordinator. Raises
        BrokerError, TopicError, AccessError or SettingError.
        """
        if self._await_topics(patience, stop):
            raise BrokerError("the embedded broker has no transactions: delivery: exactly_once needs a real Kafka")
        if stop():
            return
        for host in same_slot(self._kafka, self._group, self._slot):
            log.warning(
                "the group has a worker of slot %d on %s: if it is alive, it is fenced now and stops", self._slot, host
            )
        self._take_slot(patience, stop)

    def send(self, batch: MicroBatch, outbounds: list[Outbound]) -> None:
        """Send ``outbounds`` in the open transaction, or begin one. Blocks as ``poll`` does, and raises the same."""
        sent = SentBatch(batch, outbounds)
        if not self._contents:
            self._begin()
        self._contents.add(sent)
        self._send(sent)
        self.poll(0)

    def poll(self, timeout: float) -> None:
        """Process delivery reports for up to ``timeout`` seconds, and end the transaction when it is time.

        Ending it blocks until the cluster has committed it, in this attempt or a later one. Raises FencedError when
        another worker took the slot, BrokerError or AccessError for what sending again cannot mend.
        """
        self._poll_client(timeout)
        if tails := self._tails():
            if not self._contents:
                self._begin()
            self._contents.add_tails(tails)
        if self._contents and (
            self._spoilt is not None or self._is_full() or time.monotonic() >= self._began + self._interval
            or self._hurry()
        ):  # fmt: skip
            self._end()

    @property
    def waiting(self) -> int:
        """Number of micro-batches in the open transaction."""
        return len(self._contents.batches)

    def close(self) -> None:
        """Abort the open transaction: what it held is made again from the input. Blocks for about two seconds."""
        if self._contents:
            try:
                self._producer.abort_transaction(1.0)
            except KafkaException as failure:
                log.info("the last transaction is left to the broker's timeout: %s", failure.args[0].name())
        self._drop()

    def _take_slot(self, patience: float, stop: Callable[[], bool] = lambda: False) -> None:
        deadline = time.monotonic() + patience
        while not stop():
            try:
                self._producer.init_transactions(_CALL)
                return
            except KafkaException as failure:
                error = failure.args[0]
            if error.code() == KafkaError.INVALID_TRANSACTION_TIMEOUT:
                raise SettingError("transaction.timeout.ms is above the broker's transaction.max.timeout.ms")
            reason = fault(error, f"taking the transactional id {self._id}")
            if isinstance(reason, AccessError) or not (error.retriable() or meaning(error) is Meaning.TRANSIENT):
                raise reason
            if time.monotonic() > deadline:
                raise _NoCoordinatorError(
                    f"no transaction coordinator for {self._id}; waited {patience:.0f} s (can the cluster hold its "
                    "transaction state log: transaction.state.log.replication.factor, min.isr?)"
                )

    def _poll_client(self, timeout: float) -> None:
        try:
            self._producer.poll(timeout)
        except KafkaException as failure:  # the client cannot send anything any more
            self._spoilt = failure.args[0]

    def _begin(self) -> None:
        while True:
            self._number += 1
            self._spoilt = None
            self._began = time.monotonic()
            try:
                # A call within the client: a thread for it would cost more, because it waits for busy ones.
                self._ask(self._producer.begin_transaction, "beginning", self._began + self._timeout, local=True)
                return
            except (_AbortedError, _UnresolvedError) as reason:
                log.warning("no transaction can begin (%s): starting over", reason)
                self._start_over()

    def _send(self, sent: SentBatch) -> None:
        index = 0
        while index < len(sent.outbounds) and self._spoilt is None:
            outbound = sent.outbounds[index]
            # The client makes batches of what is in its queue.
            if outbound.alone and not self._wait_for_reports():
                return
            try:
                self._produce(outbound, partial(self._report, self._number, sent, outbound))
            except BufferError:
                self._poll_client(REPORT_WAIT)
                continue
            except KafkaException as failure:
                error = failure.args[0]
                if meaning(error) in BAD:
                    self._replace(error, sent, outbound)
                else:
                    self._spoilt = error
                continue
            if outbound.alone:
                if not self._wait_for_reports():
                    return
                outbound.alone = False
            index += 1

    def _wait_for_reports(self) -> bool:
        """Wait until nothing is out; returns whether it is, and the transaction can continue."""
        while self._spoilt is None and self._flush():
            if time.monotonic() > self._began + self._timeout:
                return False
        return self._spoilt is None

    def _flush(self) -> int:
        """Wait for a moment until nothing is out, and return how much is. Nothing lingers meanwhile."""
        try:
            return self._producer.flush(REPORT_WAIT)
        except KafkaException as failure:  # as in ``_poll_client``
            self._spoilt = failure.args[0]
            return 0

    def _report(self, number: int, sent: SentBatch, outbound: Outbound, error: KafkaError | None, _: Message) -> None:
        # Successes are not reported.
        if error is None or number != self._number:  # of a transaction that was aborted
            return
        # When one record fails, all that are out fail with it, with errors that add nothing.
        self._spoilt = self._spoilt or error
        kind = meaning(error)
        if kind is Meaning.NEIGHBOUR or (kind is Meaning.BAD_BATCH and not outbound.alone):
            # Sent alone in the next transaction, it gets an error that is its own, or none.
            outbound.alone = True
        elif kind in BAD:
            self._replace(error, sent, outbound)

    def _replace(self, error: KafkaError, sent: SentBatch, outbound: Outbound) -> None:
        instead = self._refused(outbound, error.name())
        if instead is None:
            self._hopeless = fault(error, f"publishing a dead letter to {outbound.topic}")
            self._spoilt = error
        else:
            sent.replace(outbound, instead)

    def _is_full(self) -> bool:
        return self._contents.events >= self._most_events or self._contents.size >= self._most_bytes

    def _end(self) -> None:
        """End the transaction; returns when its records are committed, or lost to other owners."""
        pause = _FIRST_PAUSE
        started = time.monotonic()
        while True:
            try:
                self._commit()
                break
            except _AbortedError as reason:
                log.warning("transaction aborted (%s): what is still ours is sent again", reason)
                self.aborts += 1
                if not self._abort() and self._start_over():
                    break
            except _UnresolvedError as reason:
                log.warning("transaction unresolved (%s): asking the cluster what became of it", reason)
                if self._start_over():
                    break
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            self._begin()
            self._contents.drop_lost()
            for sent in self._contents.batches:
                self._send(sent)
        self.commits += 1
        self._watch.recovered()
        self.evicted = False
        self.commit_seconds += time.monotonic() - started
        contents, self._contents = self._contents, Contents()
        for sent in contents.batches:
            self._delivered(sent.batch)

    def _commit(self) -> None:
        """Try to commit, once. Raises _AbortedError and _UnresolvedError."""
        deadline = self._began + self._timeout
        if not self._wait_for_reports() and self._spoilt is None:
            raise _UnresolvedError("delivery reports are missing")
        if self._hopeless is not None:
            raise self._hopeless
        if self._spoilt is not None:
            self._raise_if_final(self._spoilt, "publishing")
            raise _AbortedError(self._spoilt.name())
        metadata = self._membership()
        if metadata is None:
            raise _AbortedError("the consumer has not joined the group yet")
        ends = self._contents.ends()
        if self._contents.is_lost():
            raise _AbortedError("partitions were lost")
        if ends:
            offsets = [TopicPartition(a.topic, a.partition, end) for a, end in ends.items()]
            send = partial(self._producer.send_offsets_to_transaction, offsets, metadata, _CALL)
            self._ask(send, "sending offsets", deadline)
        self._ask(lambda: self._producer.commit_transaction(_CALL), "committing", deadline)

    def _abort(self) -> bool:
        """Abort the transaction; returns whether the producer can continue."""
        try:
            self._ask(lambda: self._producer.abort_transaction(_CALL), "aborting", time.monotonic() + self._timeout)
        except (_AbortedError, _UnresolvedError) as reason:
            log.warning("abort unresolved (%s): starting over", reason)
            return False
        return True

    def _start_over(self) -> bool:
        """Replace the producer, which aborts or completes what the old one left; returns whether it was committed."""
        self._number += 1
        self._spoilt = None
        if not self._hung:  # a call that hangs would keep this one waiting too
            self._producer.purge()
        self._hung = False
        self._producer = self._new_producer()
        while True:
            try:
                self._take_slot(60.0)
                break
            except _NoCoordinatorError as reason:
                log.warning("%s; trying again", reason)
                time.sleep(1.0)
        ends = self._contents.ends()
        committed = committed_offsets(self._kafka, self._group, ends) if ends else {}
        # A transaction is committed as a whole, so one partition that is still ours is enough to tell.
        return any(committed.get(a, -1) >= end for a, end in ends.items() if a.state != Assignment.GONE)

    def _ask(self, call: Callable[[], object], doing: str, deadline: float, *, local: bool = False) -> None:
        """Repeat ``call`` until it succeeds or ``deadline`` is over. Raises _AbortedError and _UnresolvedError.

        ``local``: whether it asks no broker, so that it cannot hang.
        """
        while True:
            try:
                if local:
                    call()
                    return
                if returns_within(_HANGS, call, doing):
                    return
                self._hung = True
                raise _UnresolvedError(f"{doing}: the client does not return")
            except KafkaException as failure:
                error = failure.args[0]
            self._raise_if_final(error, doing)
            self.evicted = error.code() == KafkaError.UNKNOWN_MEMBER_ID
            if error.txn_requires_abort():
                raise _AbortedError(f"{doing}: {error.name()}")
            if not error.retriable() or time.monotonic() > deadline:
                raise _UnresolvedError(f"{doing}: {error.name()}")
            self._poll_client(0)

    def _raise_if_final(self, error: KafkaError, doing: str) -> None:
        """Raise what ends the worker, or _UnresolvedError for what ends only the producer."""
        kind = meaning(error)
        if kind is Meaning.FENCED and time.monotonic() < self._began + self._timeout:
            raise fenced(f"the transactional id {self._id}")
        if kind in {Meaning.ACCESS, Meaning.NO_TOPIC}:
            raise fault(error, doing)
        if error.fatal() or kind is Meaning.FENCED:
            raise _UnresolvedError(f"{doing}: {error.name()}")
