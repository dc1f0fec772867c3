"""What tests do with a Kafka cluster of any kind: create topics, produce, read back, inspect groups."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from confluent_kafka import Consumer, ConsumerGroupState, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from stream.kafka.faults import Meaning, meaning

Headers = list[tuple[str, bytes | None]]


class Row(NamedTuple):
    """A record that was read back."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int
    """Milliseconds since the epoch."""
    leader_epoch: int = 0
    """How many leaders the partition had had before the one that wrote it."""


@dataclass(frozen=True)
class Cluster:
    """``real`` is False for the embedded broker; ``kind`` describes it; new topics have ``copies`` replicas."""

    bootstrap_servers: str
    real: bool
    kind: str
    copies: int = 1

    def create_topic(self, name: str, partitions: int = 4, config: Mapping[str, str] | None = None) -> str:
        """Create a topic and return ``name`` when it is ready. The embedded broker only has topics of 4 partitions."""
        if self.real:
            admin = self._admin()  # must exist until the answer has come
            admin.create_topics([NewTopic(name, partitions, self.copies, config=dict(config or {}))])[name].result(30)
        elif partitions != 4 or config:
            raise ValueError("the embedded broker makes topics of 4 partitions without settings")
        _until(lambda: len(self._partitions(name)) == partitions, 30, f"topic {name} did not appear")
        return name

    def produce_all(self, topic: str, records: Iterable[Any], partition: int = -1, **settings: Any) -> None:
        """Produce ``value``, ``(key, value)`` or ``(key, value, headers)`` records; return when all are in the log."""
        producer = Producer({"bootstrap.servers": self.bootstrap_servers, "enable.idempotence": True, **settings})
        refused: list[str] = []

        def report(error: KafkaError | None, _: Any) -> None:
            if error is not None:
                refused.append(error.name())

        for record in records:
            key, value, *headers = record if isinstance(record, tuple) else (None, record)
            while True:
                try:
                    producer.produce(topic, value, key, partition, report, headers=headers[0] if headers else None)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        left = producer.flush(60)
        assert not left and not refused, f"{left} records without a report, refused: {sorted(set(refused))}"

    def consume_all(
        self, topic: str, expected: int = 0, read_committed: bool = True, within: float = 60.0
    ) -> list[Row]:
        """Read every record up to the end of the log, by partition and offset; wait for at least ``expected``.

        Reading goes on to the end of every partition, so more than ``expected`` are seen too. Raises
        AssertionError when they are not there ``within`` seconds, a bound for hangs.
        """
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "group.id": "reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed" if read_committed else "read_uncommitted",
            }
        )
        try:
            partitions = self._partitions(topic)
            starts = [TopicPartition(topic, p) for p in partitions]
            for start in starts:
                start.offset = _watermarks(consumer, start)[0]
            consumer.assign(starts)
            rows: list[Row] = []
            at_end: set[int] = set()
            deadline = time.monotonic() + within
            while len(at_end) < len(partitions) or len(rows) < expected:
                assert time.monotonic() < deadline, f"{len(rows)} of {expected} records in {topic}"
                message: Any
                for message in consumer.consume(5000, 0.2):
                    if message.error() is None:
                        at_end.discard(message.partition())
                        rows.append(
                            Row(
                                message.partition(),
                                message.offset(),
                                message.key(),
                                message.value(),
                                message.headers() or [],
                                message.timestamp()[1],
                                message.leader_epoch() or 0,
                            )
                        )
                    elif message.error().code() == KafkaError._PARTITION_EOF:
                        at_end.add(message.partition())
                    elif not message.error().retriable():
                        raise KafkaException(message.error())
            return sorted(rows, key=lambda row: row[:2])
        finally:
            consumer.close()

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return the next offset of each partition for which the group has committed one."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap_servers, "group.id": group})
        try:
            asked = [TopicPartition(topic, partition) for partition in self._partitions(topic)]
            deadline = time.monotonic() + 90
            while True:
                try:
                    return {p.partition: p.offset for p in consumer.committed(asked, timeout=15) if p.offset >= 0}
                # The coordinator may be loading, or a transaction that a dead worker left open may delay the answer.
                except KafkaException:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)
        finally:
            consumer.close()

    def ends(self, topic: str) -> dict[int, int]:
        """Return the end of the log of each partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap_servers, "group.id": "reader"})
        try:
            return {
                partition: _watermarks(consumer, TopicPartition(topic, partition))[1]
                for partition in self._partitions(topic)
            }
        finally:
            consumer.close()

    def wait_until_done(self, group: str, topic: str, within: float = 60.0) -> None:
        """Wait until the group has committed the end of every partition that is not empty."""
        ends = {partition: end for partition, end in self.ends(topic).items() if end}
        _until(
            lambda: self.committed(group, topic).items() >= ends.items(),
            within,
            f"group {group} has not processed all of {topic}",
        )

    def members(self, group: str) -> set[str]:
        """Return the ids that the coordinator has given to the group's members."""
        admin = self._admin()
        described = admin.describe_consumer_groups([group])[group].result(30)
        return {member.member_id for member in described.members}

    def wait_for_members(self, group: str, count: int, within: float = 60.0) -> None:
        """Wait until the group is stable with ``count`` members, each with partitions (0: until it is empty).

        Needs a real broker.
        """
        admin = self._admin()

        def settled() -> bool:
            try:
                description = admin.describe_consumer_groups([group], request_timeout=10)[group].result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                    return count == 0
                if meaning(error.args[0]) is Meaning.TRANSIENT:
                    return False
                raise
            state = ConsumerGroupState.STABLE if count else ConsumerGroupState.EMPTY
            busy = [member for member in description.members if member.assignment.topic_partitions]
            return description.state == state and len(busy) == len(description.members) == count

        _until(settled, within, f"group {group} is not stable with {count} members")

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap_servers})

    def _partitions(self, topic: str) -> list[int]:
        partitions = self._admin().list_topics(topic, timeout=30).topics[topic].partitions.values()
        return [partition.id for partition in partitions if partition.leader >= 0]


def _until(condition: Any, within: float, complaint: str) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)


def _watermarks(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """Return the first offset and the end of the log.

    Repeat the call for half a minute, because a partition may be moving from one broker to another.
    """
    deadline = time.monotonic() + 30
    while True:
        try:
            first, end = consumer.get_watermark_offsets(partition, timeout=30)
            return int(first), int(end)
        except KafkaException as error:
            if not error.args[0].retriable() and error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
                raise
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
