"""Exactly once: enriched events, dead letters and offsets in one transaction (KIP-98, KIP-447)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from schemas.document import Failure
from schemas.errors import AccessError, BrokerError, FencedError, SettingError
from schemas.pipeline.config import TIMEOUT_MS, Pipeline
from schemas.record import Assignment, Outbound, Record
from stream.kafka.client import committed_offsets, fault, same_slot
from stream.kafka.sink import REFUSED, Pair, Sink
from stream.microbatch import MicroBatch

log = logging.getLogger("glossator.transactions")

_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})
# What sending the same again cannot mend.
_HOPELESS = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
    }
)
_CALL = 2.0
"""Seconds one call of the client may take before it is asked again."""
_HANGS = 10.0
"""Seconds after which a call that should have returned never will."""
_LONGEST_PAUSE = 2.0


class _AbortedError(Exception):
    """The transaction cannot be committed any more, but the producer can go on."""


class _UnresolvedError(Exception):
    """Whether the transaction was committed is not known, or the producer cannot go on."""


class _Part:
    """A micro-batch in the transaction, and what was made of it."""

    __slots__ = ("batch", "pairs")

    def __init__(self, batch: MicroBatch, pairs: list[Pair]) -> None:
        self.batch = batch
        self.pairs = pairs


class TransactionalSink(Sink):
    """A sink whose micro-batches count as delivered when their transaction is committed; used by one thread.

    A transaction begins with its first micro-batch and ends ``commit_interval_ms`` later, or at once while
    ``hurry()`` says that partitions wait to be let go. What it holds is kept until it is committed: after an abort
    it is sent again as it is, without what belongs to partitions that were lost meanwhile.

    A lost partition cannot be committed by accident: the group metadata is taken first and ownership is looked at
    after it, so either the loss is seen here, or the metadata is of a generation that the group refuses.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        delivered: Callable[[MicroBatch], None],
        refused: Callable[[Record, Failure], Outbound],
        *,
        slot: int,
        hurry: Callable[[], bool],
        membership: Callable[[], object],
    ) -> None:
        """``membership``: the consumer's group metadata, see ``Source.metadata``."""
        self._group, self._slot = pipeline.pipeline, slot
        self._id = f"{pipeline.pipeline}-{slot}"
        timeout = int(pipeline.kafka.get("transaction.timeout.ms", TIMEOUT_MS))
        more = {"transactional.id": self._id, "transaction.timeout.ms": timeout}
        super().__init__(pipeline, delivered, refused, **more)
        self._timeout = timeout / 1000
        self._every = pipeline.commit_interval_ms / 1000
        self._hurry = hurry
        self._membership = membership
        self._parts: list[_Part] = []
        self._number = 0
        self._out = 0
        self._began = 0.0
        self._spoilt: KafkaError | None = None
        self._hopeless: BrokerError | None = None
        self._abandoned = False

    def open(self, patience: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Takes the slot: whoever held it before is fenced, and what it left open is aborted.

        Waits up to ``patience`` seconds for the coordinator. Raises BrokerError, AccessError or SettingError.
        """
        if self._embedded:
            raise BrokerError("the embedded broker has no transactions: delivery: exactly_once needs a real Kafka")
        if not self._number:
            for host in same_slot(self._kafka, self._group, self._slot):
                log.warning(
                    "the group has a worker of slot %d on %s: if it lives, it is fenced now and stops", self._slot, host
                )
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
            if isinstance(reason, AccessError) or not error.retriable():
                raise reason
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"no transaction coordinator for {self._id}; waited {patience:.0f} s (can the cluster hold its "
                    "transaction state log: transaction.state.log.replication.factor, min.isr?)"
                )

    def send(self, batch: MicroBatch, outbounds: list[Pair]) -> None:
        part = _Part(batch, outbounds)
        if not self._parts:
            self._begin()
        self._parts.append(part)
        self._send(part)
        self.poll(0)

    def poll(self, timeout: float) -> None:
        """Hears delivery reports, and ends the transaction when it is time.

        Raises FencedError when the slot was taken, BrokerError and AccessError for what sending again cannot mend.
        """
        self._hear(timeout)
        due = self._spoilt is not None or time.monotonic() >= self._began + self._every or self._hurry()
        if self._parts and due:
            self._end()

    def __len__(self) -> int:
        """Micro-batches in the open transaction."""
        return len(self._parts)

    def close(self) -> None:
        """Aborts what is open: it never counts as delivered, and is made again from the input."""
        if self._parts:
            try:
                self._producer.abort_transaction(1.0)
            except KafkaException as failure:
                log.info("the last transaction is left to the broker's timeout: %s", failure.args[0].name())
        super().close()

    def _hear(self, timeout: float) -> None:
        try:
            self._producer.poll(timeout)
        except KafkaException as failure:  # the client can send nothing any more
            self._spoilt = failure.args[0]

    def _begin(self) -> None:
        while True:
            self._number += 1
            self._out = 0
            self._spoilt = None
            self._began = time.monotonic()
            try:
                self._ask(self._producer.begin_transaction, "beginning", self._began + self._timeout)
                return
            except (_AbortedError, _UnresolvedError) as reason:
                log.warning("no transaction can begin (%s): starting over", reason)
                self._start_over()

    def _send(self, part: _Part) -> None:
        place = 0
        while place < len(part.pairs) and self._spoilt is None:
            try:
                self._put(part.pairs[place][1], partial(self._heard, self._number, part, place))
            except BufferError:
                self._hear(0.1)
                continue
            except KafkaException as failure:
                error = failure.args[0]
                if error.code() not in REFUSED:
                    self._spoilt = error
                else:
                    self._replace(error, part, place)
                continue
            self._out += 1
            place += 1

    def _heard(self, number: int, part: _Part, place: int, error: KafkaError | None, _: Message) -> None:
        if number != self._number:  # of a transaction that was aborted
            return
        self._out -= 1
        if error is None:
            self._watch.recovered()
            return
        # One record that fails takes all that are out with it, under names that say nothing more.
        self._spoilt = self._spoilt or error
        if error.code() in REFUSED:
            self._replace(error, part, place)

    def _replace(self, error: KafkaError, part: _Part, place: int) -> None:
        instead = self._instead(error, part.pairs[place])
        if instead is None:
            self._hopeless = fault(error, f"publishing a dead letter to {part.pairs[place][1].topic}")
            self._spoilt = error
        else:
            part.pairs[place] = instead

    def _end(self) -> None:
        """Ends the transaction; returns when what it held is committed, or lost to other owners."""
        pause = 0.05
        asked = time.monotonic()
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
            for part in self._parts:
                part.pairs = [pair for pair in part.pairs if not _is_lost(pair)]
                self._send(part)
        self.commits += 1
        self.evicted = False
        self.commit_seconds += time.monotonic() - asked
        parts, self._parts = self._parts, []
        for part in parts:
            self._delivered(part.batch)

    def _commit(self) -> None:
        """One attempt. Raises _AbortedError and _UnresolvedError."""
        deadline = self._began + self._timeout
        while self._out and self._spoilt is None:
            self._hear(0.1)
            if time.monotonic() > deadline:
                raise _UnresolvedError("delivery reports are missing")
        if self._hopeless is not None:
            raise self._hopeless
        if self._spoilt is not None:
            self._require_hope(self._spoilt, "publishing")
            raise _AbortedError(self._spoilt.name())
        metadata = self._membership()
        if metadata is None:
            raise _AbortedError("the group has not taken us in yet")
        ends = self._ends()
        if any(_is_lost(pair) for part in self._parts for pair in part.pairs):
            raise _AbortedError("partitions were lost")
        if ends:
            read = [TopicPartition(a.topic, a.partition, end) for a, end in ends.items()]
            self._ask(
                lambda: self._producer.send_offsets_to_transaction(read, metadata, _CALL), "sending offsets", deadline
            )
        self._ask(lambda: self._producer.commit_transaction(_CALL), "committing", deadline)

    def _abort(self) -> bool:
        """Whether the producer can go on after it."""
        try:
            self._ask(lambda: self._producer.abort_transaction(_CALL), "aborting", time.monotonic() + self._timeout)
        except (_AbortedError, _UnresolvedError) as reason:
            log.warning("abort unresolved (%s): starting over", reason)
            return False
        return True

    def _start_over(self) -> bool:
        """With a new producer, which settles what the old one left; returns whether that was committed."""
        self._number += 1
        self._spoilt = None
        if not self._abandoned:  # a call that hangs would keep this one waiting too
            self._producer.purge()
        self._abandoned = False
        self._producer = self._new_producer()
        while True:
            try:
                self.open(60.0)
                break
            except (AccessError, SettingError):
                raise
            except BrokerError as reason:
                log.warning("%s; trying on", reason)
                time.sleep(1.0)
        ends = self._ends()
        committed = committed_offsets(self._kafka, self._group, ends) if ends else {}
        # A transaction is committed as a whole, so one partition that is still ours speaks for all.
        return any(committed.get(a, -1) >= end for a, end in ends.items() if a.state != Assignment.GONE)

    def _ask(self, call: Callable[[], object], doing: str, deadline: float) -> None:
        """Calls until it succeeds, or ``deadline`` is over. Raises _AbortedError and _UnresolvedError."""
        while True:
            try:
                self._bounded(call, doing)
                return
            except KafkaException as failure:
                error = failure.args[0]
            self._require_hope(error, doing)
            self.evicted = error.code() == KafkaError.UNKNOWN_MEMBER_ID
            if error.txn_requires_abort():
                raise _AbortedError(f"{doing}: {error.name()}")
            if not error.retriable() or time.monotonic() > deadline:
                raise _UnresolvedError(f"{doing}: {error.name()}")
            self._hear(0)

    def _bounded(self, call: Callable[[], object], doing: str) -> None:
        """Calls on a thread of its own: the client can hang for good (librdkafka issues 5456 and 5511)."""
        failures: list[BaseException] = []

        def run() -> None:
            try:
                call()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run, name=doing, daemon=True)
        thread.start()
        thread.join(_HANGS)
        if thread.is_alive():
            self._abandoned = True
            raise _UnresolvedError(f"{doing}: the client does not return")
        if failures:
            raise failures[0]

    def _require_hope(self, error: KafkaError, doing: str) -> None:
        """Raises what ends the worker, or _UnresolvedError for what ends only the producer."""
        if error.code() in _FENCED and time.monotonic() < self._began + self._timeout:
            raise FencedError(
                f"another worker has taken the transactional id {self._id}: start each worker with a --slot of its own"
            )
        reason = fault(error, doing)
        if isinstance(reason, AccessError) or error.code() in _HOPELESS:
            raise reason
        if error.fatal() or error.code() in _FENCED:
            raise _UnresolvedError(f"{doing}: {error.name()}")

    def _ends(self) -> dict[Assignment, int]:
        """The offsets after what the transaction holds, of partitions that are still ours."""
        ends: dict[Assignment, int] = {}
        for part in self._parts:
            ends |= {a: end for a, (end, _) in part.batch.ends.items() if a.state != Assignment.GONE}
        return ends


def _is_lost(pair: Pair) -> bool:
    record = pair[0]
    return record is not None and record.assignment.state == Assignment.GONE
