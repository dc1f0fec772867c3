"""The consumer: poll, pause and resume, rebalance, commit. One thread, the poll thread, owns it."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import AccessError, OffsetError
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.kafka.faults import ErrorWatch, Meaning, fault, fenced, is_instance_taken, meaning
from stream.kafka.offsets import commit_and_wait, starting_offsets
from stream.kafka.settings import is_cooperative, make_consumer, with_slot

log = logging.getLogger("glossator.source")

_BATCH = 1000
"""The most records that one poll returns."""
_METADATA = b"CGMDv2:"


class Source:
    """The worker's end of the consumer group.

    ``on_revoke(assignments)`` is called on the poll thread while the group waits: it drains what is
    in flight and returns; then the partitions are let go. ``on_lost(assignments)`` is called when
    they are gone already: nothing of theirs may be committed.

    Starting positions are decided here, when a partition is assigned: the committed offset, or for
    a group that has none ``input.start``; any other change of position is an OffsetError.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        on_revoke: Callable[[list[Assignment]], object],
        on_lost: Callable[[list[Assignment]], object],
        slot: int = 0,
    ) -> None:
        """``slot``: the worker's number, which ends ``group.instance.id`` where the file sets one."""
        self._topics = pipeline.input.topics
        self._start = pipeline.input.start
        self._on_revoke = on_revoke
        self._on_lost = on_lost
        self._watch = ErrorWatch("consumer")
        self._consumer: Consumer = make_consumer(
            with_slot(pipeline.kafka, slot), pipeline.pipeline, self._watch, on_commit=self._committed
        )
        self._cooperative = is_cooperative(pipeline.kafka)
        self._assigned: dict[tuple[str, int], Assignment] = {}
        self._at_end: set[tuple[str, int]] = set()
        self._begins: dict[tuple[str, int], int] = {}
        self._paused = False
        self._closing = False
        self.commits = 0
        self._failed_commits: set[Assignment] = set()
        self.rebalances: Counter[str] = Counter()
        """What the group did: assigned, revoked, lost."""
        self.outside = True
        """The group does not count this worker as a member, or not yet."""
        self.metadata: object = None
        """What a transaction commits with: of the generation in which the partitions are ours, or of an older one.
        Any thread may read it; the client serialises calls, and a poll would keep another thread waiting for good."""
        self._consumer.subscribe(self._topics, on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose)

    @property
    def assignments(self) -> list[Assignment]:
        return list(self._assigned.values())

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def down(self) -> bool:
        """No broker can be reached."""
        return self._watch.down

    def poll(self, timeout: float) -> list[Record]:
        """What has arrived, at most a thousand records; waits up to ``timeout`` seconds for the first.

        Must be called more often than ``max.poll.interval.ms``, paused or not. Raises OffsetError
        when a position is out of the log's range, AccessError and BrokerError for what waiting
        cannot mend.
        """
        first = self._consumer.poll(timeout)
        self._look_up()
        if first is None:
            if self._watch.denied and not self._assigned:
                raise AccessError(f"the cluster refused the consumer: {self._watch.denied}")
            return []
        self._watch.recovered()
        # The first belongs to whom it was assigned when it came: fetching the rest may serve a rebalance.
        records = self._records([first])
        # The rest of what is here already, without waiting for more. What a rebalance made stale on the way
        # the client leaves out itself (rd_kafka_consume_batch_queue).
        return records + self._records(self._consumer.consume(_BATCH - 1, 0))

    def _records(self, messages: list[Any]) -> list[Record]:
        assigned, at_end = self._assigned, self._at_end
        records = []
        for message in messages:
            place = (message.topic(), message.partition())
            if (error := message.error()) is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    at_end.add(place)
                else:
                    self._judge(error, message)
                continue
            assignment = assigned.get(place)
            if assignment is None:  # fetched before a rebalance that took it away
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
                )
            )
        return records

    def pause(self) -> None:
        """Stops fetching; ``poll`` must go on. Partitions assigned later start paused."""
        if not self._paused:
            self._paused = True
            self._consumer.pause(_partitions(self._assigned.values()))

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._consumer.resume(_partitions(self._assigned.values()))

    def recovered(self) -> None:
        """A broker answers again; from any thread. Without events the consumer would not hear of it."""
        self._watch.recovered()

    def commit(self, ends: Mapping[Assignment, int], wait: bool = False) -> None:
        """Commits ``ends`` (assignment -> next offset), in the background unless ``wait``.

        What a background commit could not write is handed back by ``take_failed_commits``. With
        ``wait`` it is asked for again for some seconds until it is there, then given up and logged: an event may then
        be processed again, never lost.
        """
        offsets = [TopicPartition(a.topic, a.partition, end) for a, end in ends.items() if a.state != Assignment.GONE]
        if not offsets:
            return
        if wait:
            commit_and_wait(self._consumer, offsets)
        else:
            self._consumer.commit(offsets=offsets, asynchronous=True)

    def take_failed_commits(self) -> set[Assignment]:
        failed, self._failed_commits = self._failed_commits, set()
        return failed

    def positions(self) -> dict[str, tuple[int, int]]:
        """Per partition that is not worked off: the next event to poll, and the end of its log as far as is known."""
        found = {}
        left = [a for place, a in self._assigned.items() if place not in self._at_end]
        for position in self._consumer.position(_partitions(left)):
            _, high = self._consumer.get_watermark_offsets(position, cached=True)
            # Before the first event there is no position, and before the first answer no end.
            known = position.offset >= 0
            here = position.offset if known else self._begins.get((position.topic, position.partition), 0)
            if high > here or not known:
                found[f"{position.topic}[{position.partition}]"] = (here, max(here, high))
        return found

    def close(self) -> None:
        """Leaves the group; partitions still held are let go without draining."""
        self._closing = True
        self._assigned.clear()
        try:
            self._consumer.close()
        except (KafkaException, SystemError) as error:
            # What a member that was thrown out can meet on its way; nothing is left to commit.
            log.info("leaving the group failed: %s", type(error).__name__)

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # While the client closes, a rebalance that was under way ends: what it brings goes back at once, and
        # asking where it begins would not be answered any more.
        starts = partitions
        if partitions and not self._closing:
            starts = starting_offsets(consumer, partitions, self._start)
        if not self._closing:
            self._assigned |= {(s.topic, s.partition): Assignment(s.topic, s.partition) for s in starts}
            self._begins |= {(s.topic, s.partition): max(0, s.offset) for s in starts}
        if self._cooperative:
            consumer.incremental_assign(starts)
        else:
            consumer.assign(starts)
        # The client remembers a pause beyond the assignment it was made in.
        (consumer.pause if self._paused else consumer.resume)(starts)
        self._look_up()
        self.rebalances["assigned"] += 1
        if starts:
            log.info("assigned %s", _names(starts))

    def _revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._look_up()
        revoked = self._take(partitions)
        self.rebalances["revoked"] += 1
        if revoked:
            log.info("revoking %s", _names(partitions))
            self._on_revoke(revoked)
        self._let_go(consumer, partitions)

    def _lose(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        lost = self._take(partitions)
        self.rebalances["lost"] += 1
        log.warning("lost %s: the group no longer counts us as the owner", _names(partitions))
        self._on_lost(lost)
        self._let_go(consumer, partitions)

    def _look_up(self) -> None:
        if self._closing:  # then there is none any more, and asking raises
            return
        found = self._consumer.consumer_group_metadata()
        self.outside = not names_member(found)
        if not self.outside:
            self.metadata = found

    def _let_go(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if self._cooperative:
            consumer.incremental_unassign(partitions)
        else:
            consumer.unassign()

    def _take(self, partitions: Iterable[TopicPartition]) -> list[Assignment]:
        self._at_end.difference_update((p.topic, p.partition) for p in partitions)
        taken = (self._assigned.pop((p.topic, p.partition), None) for p in partitions)
        return [assignment for assignment in taken if assignment is not None]

    def _committed(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        if error is None:
            self.commits += 1
        for offset in offsets:
            reason = offset.error or error
            if reason is None:
                continue
            assignment = self._assigned.get((offset.topic, offset.partition))
            if assignment is not None and meaning(reason) is Meaning.TRANSIENT:
                self._failed_commits.add(assignment)
            elif reason.code() != KafkaError._NO_OFFSET:
                log.warning("commit of %s[%d] refused: %s", offset.topic, offset.partition, reason.name())

    def _judge(self, error: KafkaError, message: Message) -> None:
        """Raises for errors that waiting cannot mend; logs the others."""
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise OffsetError(
                f"{message.topic()}[{message.partition()}]: the committed offset is no longer in the log, so events "
                "were deleted before they were read; reset the group's offsets yourself to go on"
            )
        if is_instance_taken(error):
            raise fenced("this one's group.instance.id")
        reason = fault(error, "consuming")
        if error.fatal() or meaning(error) in {Meaning.FATAL, Meaning.ACCESS}:
            raise reason
        log.warning("%s", reason)


def names_member(metadata: object) -> bool:
    """Whether group metadata names a member and its generation.

    A member that was just expelled hands over metadata that names neither, and the group fences only what is named: it
    would accept a transaction that commits for partitions of other members. The client writes ``CGMDv2:``, four bytes
    of generation, group, member and instance, each ended by a zero (``rd_kafka_consumer_group_metadata_write``).
    """
    if not isinstance(metadata, bytes) or not metadata.startswith(_METADATA):
        return True  # of a client we do not know: there is nothing to check
    generation = int.from_bytes(metadata[len(_METADATA) : len(_METADATA) + 4], sys.byteorder, signed=True)
    member = metadata[len(_METADATA) + 4 :].split(b"\0")[1]
    return generation > 0 and bool(member)


def _partitions(assignments: Iterable[Assignment]) -> list[TopicPartition]:
    return [TopicPartition(a.topic, a.partition) for a in assignments]


def _names(partitions: Iterable[TopicPartition]) -> str:
    return " ".join(f"{p.topic}[{p.partition}]" for p in sorted(partitions, key=lambda p: (p.topic, p.partition)))
