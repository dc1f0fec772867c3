"""The consumer: poll, pause and resume, rebalance, commit."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.errors import AccessError
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.kafka.consumer_errors import raise_if_final
from stream.kafka.discovery import Discovery
from stream.kafka.faults import ErrorWatch, Meaning, fault, meaning
from stream.kafka.membership import names_member
from stream.kafka.offsets import commit_and_wait, first_offsets, starting_offsets
from stream.kafka.owned import OwnedPartitions, Place
from stream.kafka.settings import is_cooperative, make_consumer, with_slot
from stream.telemetry.logs import fields

log = logging.getLogger("glossator.source")

_BATCH = 1000
"""The most records that one poll returns."""
_METADATA = 0.1
"""Seconds between two looks at the group metadata without a rebalance: each waits for a thread of the client."""


class Source:
    """The worker's membership in the consumer group, and the records of its partitions.

    One thread, the poll thread, owns it: all methods are for it alone unless they say otherwise. Rebalances are served
    within ``poll``, on that thread, so its caller's ``on_revoke`` and ``on_lost`` run there too.

    A partition starts at its committed offset or, if the group has none, at ``input.start``. That is decided when it is
    assigned; any other change of position is an OffsetError.

    Attributes:
        commits: number of offset commits that the cluster has acknowledged.
        rebalances: how often the group has "assigned", "revoked" or "lost" partitions.
        member: the id that the group had given us at the last assignment of partitions; empty before.
        outside: whether the group does not count this worker as a member, or not yet.
        metadata: the group metadata that a transaction commits with, or None before the worker has joined. It is of the
            generation in which the partitions are ours, or of an earlier one. Any thread may read it. (Another thread
            must not ask the client for it: the client serialises calls, so it could wait behind a poll for good.)
    """

    def __init__(
        self,
        pipeline: Pipeline,
        on_revoke: Callable[[list[Assignment]], object],
        on_lost: Callable[[list[Assignment]], object],
        slot: int = 0,
    ) -> None:
        """Subscribe to the input topics, with patterns as soon as ``poll`` knows them; connects in the background.

        Args:
            pipeline: its input, group name and client settings are used.
            on_revoke: called with partitions that the group takes back, while the group waits. It must finish and
                commit what is in flight; the partitions are given up when it returns.
            on_lost: called with partitions that are gone already: nothing of theirs may be committed any more.
            slot: the worker's number, appended to ``client.id`` and to ``group.instance.id`` if the file sets one.

        Raises:
            BrokerError: the client rejects its settings.
        """
        self._topics = pipeline.reads
        self._start = pipeline.input.start
        self._settings = pipeline.kafka
        self._on_revoke = on_revoke
        self._on_lost = on_lost
        self._watch = ErrorWatch("consumer")
        self._consumer: Consumer = make_consumer(
            with_slot(pipeline.kafka, slot), pipeline.pipeline, self._watch, on_commit=self._committed
        )
        self._cooperative = is_cooperative(pipeline.kafka)
        self._owned = OwnedPartitions()
        self._paused = False
        self._closing = False
        self.commits = 0
        self.rebalances: Counter[str] = Counter()
        self.member = ""
        self.outside = True
        self.metadata: object = None
        self._next_look = 0.0
        self._discovery = Discovery(pipeline.kafka, self._topics) if self._topics.patterns else None
        if self._discovery is None:
            self._subscribe(self._topics.expanded(()))

    @property
    def assignments(self) -> list[Assignment]:
        """The partitions that are ours now. Does not block."""
        return list(self._owned.assignments.values())

    @property
    def paused(self) -> bool:
        """Whether fetching is paused. Does not block."""
        return self._paused

    @property
    def down(self) -> bool:
        """Whether no broker can be reached. Any thread; does not block."""
        return self._watch.down

    def poll(self, timeout: float) -> list[Record]:
        """Return the records that have arrived, at most a thousand.

        Blocks for up to ``timeout`` seconds until the first arrives, and longer while it serves a rebalance. It must be
        called more often than ``max.poll.interval.ms``, whether fetching is paused or not.

        Raises:
            OffsetError: a position is not in the log any more.
            FencedError: another worker has taken our ``group.instance.id``.
            SettingError: the brokers do not allow our ``session.timeout.ms``.
            AccessError: the cluster denies access.
            BrokerError: another failure that waiting cannot mend.
        """
        try:
            return self._poll(timeout)
        except KafkaException as error:
            raise fault(error.args[0], "consuming") from None

    def _subscribe(self, topics: list[str]) -> None:
        self._consumer.subscribe(topics, on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose)

    def _poll(self, timeout: float) -> list[Record]:
        if self._discovery is not None and (topics := self._discovery.take()) is not None:
            self._subscribe(topics)
        first = self._consumer.poll(timeout)
        if time.monotonic() >= self._next_look:
            self._look_up_metadata()
        if first is None:
            if self._watch.denied and not self._owned.assignments:
                raise AccessError(f"the cluster denied access to the consumer: {self._watch.denied}")
            return []
        self._watch.recovered()
        # Convert the first record now: fetching the rest may serve a rebalance, which changes the assignments.
        records = self._records([first])
        # Take what has arrived already without waiting for more. The client itself leaves out records that a
        # rebalance has made stale meanwhile (rd_kafka_consume_batch_queue).
        return records + self._records(self._consumer.consume(_BATCH - 1, 0))

    def _records(self, messages: list[Any]) -> list[Record]:
        assignments, at_end, now = self._owned.assignments, self._owned.at_end, time.monotonic()
        records = []
        for message in messages:
            place = (message.topic(), message.partition())
            if (error := message.error()) is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    self._owned.note_end(place, message.offset())
                else:
                    raise_if_final(error, message, self._settings)
                continue
            assignment = assignments.get(place)
            if assignment is None:  # fetched before a rebalance that took the partition away
                continue
            at_end.discard(place)
            records.append(
                Record(
                    assignment,
                    message.offset(),
                    message.key(),
                    message.value(),
                    message.headers(),
                    message.timestamp()[1],
                    now,
                )
            )
        return records

    def ask_member(self) -> str:
        """Ask the client which id the group has given us; empty if none yet. Does not wait for the group."""
        return self._consumer.memberid() or ""

    def pause(self) -> None:
        """Stop fetching; ``poll`` must still be called. Partitions assigned later start paused. Does not block."""
        if not self._paused:
            self._paused = True
            self._consumer.pause(_partitions(self.assignments))

    def resume(self) -> None:
        """Fetch again. Does not block."""
        if self._paused:
            self._paused = False
            self._consumer.resume(_partitions(self.assignments))

    def recovered(self) -> None:
        """Note that a broker answers, which the consumer cannot notice without events. Any thread; does not block."""
        self._watch.recovered()

    def commit(self, ends: Mapping[Assignment, int], wait: bool = False) -> None:
        """Commit ``ends``, the next offset to read for each assignment. Assignments that are gone are left out.

        Without ``wait`` it does not block, and ``take_failed_commits`` returns what could not be committed. With
        ``wait`` it blocks for up to about five seconds and repeats the commit until the cluster has it. Then it gives
        up and logs that: events may be processed again, but none is lost. Raises BrokerError if the client cannot take
        the commit.
        """
        offsets = [TopicPartition(a.topic, a.partition, end) for a, end in ends.items() if a.state != Assignment.GONE]
        if not offsets:
            return
        if wait:
            commit_and_wait(self._consumer, offsets)
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            raise fault(error.args[0], "committing offsets") from None

    def take_failed_commits(self) -> set[Assignment]:
        """Return the assignments whose commits have failed since the last call. Does not block."""
        return self._owned.take_failures()

    def take_firsts(self) -> dict[Assignment, int]:
        """Return the first offset of each partition that the group had no committed offset for, since the last call.

        Does not block.
        """
        return self._owned.take_firsts()

    def take_reached(self) -> dict[Assignment, int]:
        """Return the end of each partition that has been polled to its end since the last call. Does not block."""
        return self._owned.take_ends()

    def positions(self) -> dict[str, tuple[int, int]]:
        """Return the next offset to poll and the known end of the log, for each partition that has events left.

        The keys are "topic[partition]". Does not block.
        """
        behind = {}
        for position in self._consumer.position(_partitions(self._owned.behind())):
            _, high = self._consumer.get_watermark_offsets(position, cached=True)
            # Before the first event there is no position, and before the first answer no end.
            known = position.offset >= 0
            here = position.offset if known else self._owned.begin(_place(position))
            if high > here or not known:
                behind[f"{position.topic}[{position.partition}]"] = (here, max(here, high))
        return behind

    def close(self) -> None:
        """Leave the group and give up all partitions without draining them. Blocks until the client has left."""
        self._closing = True
        if self._discovery is not None:
            self._discovery.close()
        self._owned.assignments.clear()
        try:
            self._consumer.close()
        except (KafkaException, SystemError) as error:
            # A member that was expelled may get these; there is nothing left to commit.
            log.info("leaving the group failed: %s", type(error).__name__)

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # A rebalance that was under way may end while the client closes. Its partitions are given back at once, and
        # asking where they start would not be answered any more.
        starts = partitions
        if partitions and not self._closing:
            starts = starting_offsets(consumer, self._settings, partitions, self._start, self._topics)
        if not self._closing:
            for start in starts:
                self._owned.add(_place(start), start.offset)
            for first in first_offsets(consumer, starts):
                self._owned.note_first(_place(first), first.offset)
        if self._cooperative:
            consumer.incremental_assign(starts)
        else:
            consumer.assign(starts)
        # The client keeps a partition paused from an earlier assignment.
        (consumer.pause if self._paused else consumer.resume)(starts)
        self._look_up_metadata()
        self.member = self.ask_member()
        self.rebalances["assigned"] += 1
        if starts:
            log.info("assigned %s", _names(starts), extra=_changed("assigned", starts))

    def _revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._look_up_metadata()
        revoked = self._owned.remove(map(_place, partitions))
        self.rebalances["revoked"] += 1
        if revoked:
            log.info("revoking %s", _names(partitions), extra=_changed("revoked", partitions))
            self._on_revoke(revoked)
        self._unassign(consumer, partitions)

    def _lose(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        lost = self._owned.remove(map(_place, partitions))
        self.rebalances["lost"] += 1
        extra = _changed("lost", partitions)
        log.warning("lost %s: the group no longer counts us as the owner", _names(partitions), extra=extra)
        self._on_lost(lost)
        self._unassign(consumer, partitions)

    def _look_up_metadata(self) -> None:
        if self._closing:  # there is no metadata any more, and asking for it raises
            return
        self._next_look = time.monotonic() + _METADATA
        metadata = self._consumer.consumer_group_metadata()
        self.outside = not names_member(metadata)
        if not self.outside:
            self.metadata = metadata

    def _unassign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if self._cooperative:
            consumer.incremental_unassign(partitions)
        else:
            consumer.unassign()

    def _committed(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        if error is None:
            self.commits += 1
        for offset in offsets:
            reason = offset.error or error
            if reason is None:
                continue
            assignment = self._owned.assignments.get(_place(offset))
            if assignment is not None and meaning(reason) is Meaning.TRANSIENT:
                self._owned.note_failure(assignment)
            elif reason.code() != KafkaError._NO_OFFSET:
                log.warning("commit of %s[%d] was rejected: %s", offset.topic, offset.partition, reason.name())


def _partitions(assignments: Iterable[Assignment]) -> list[TopicPartition]:
    return [TopicPartition(a.topic, a.partition) for a in assignments]


def _place(partition: TopicPartition) -> Place:
    return partition.topic, partition.partition


def _names(partitions: Iterable[TopicPartition]) -> str:
    return " ".join(f"{p.topic}[{p.partition}]" for p in sorted(partitions, key=_place))


def _changed(change: str, partitions: Iterable[TopicPartition]) -> dict[str, Any]:
    return fields("partitions", change=change, partitions=_names(partitions).split())
