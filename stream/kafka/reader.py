"""Reads topics for a person: from any position, without joining a group, so that nobody's partitions move."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, TopicPartition

from schemas.errors import OffsetError
from schemas.record import Assignment, Record
from stream.kafka.faults import ErrorWatch, fault, require_answers, retry
from stream.kafka.groups import committed_notes
from stream.kafka.settings import Settings, make_consumer, make_producer
from stream.kafka.topics import await_topics

Start: TypeAlias = Literal["beginning", "end"] | float | Mapping[tuple[str, int], int]
"""Where to start in each partition; a number is a time in seconds since the epoch. A mapping names the offset by topic
and partition; a partition without one, or whose offset is no longer in the log, is read from its beginning."""

_CALL = 10.0
"""Seconds one question to the cluster may take."""
_BATCH = 500
"""The most records that one poll returns."""
_MEMBERS_ONLY = ("group.instance.id", "group.protocol", "group.remote.assignor", "partition.assignment.strategy")
"""Settings of a group's members; the reader is none."""


class Reader:
    """Reads all partitions of some topics. One thread uses it.

    Only committed records are read. ``group`` is named to the cluster, which may require a right to it; it gets no
    member, and an offset only from who commits one under its name.

    Attributes:
        starts: (topic, partition) -> where reading has started.
        ends: (topic, partition) -> the end of the log when the reader was opened.
    """

    def __init__(self, settings: Settings, group: str) -> None:
        """Connect in the background. Raises BrokerError if the client rejects ``settings``."""
        self._settings = _without_membership(settings)
        self._group = group
        self._watch = ErrorWatch("consumer")
        self._consumer: Consumer = make_consumer(self._settings, group, self._watch)
        self._assignments: dict[tuple[str, int], Assignment] = {}
        self._left: set[tuple[str, int]] = set()
        self.starts: dict[tuple[str, int], int] = {}
        self.ends: dict[tuple[str, int], int] = {}

    def committed(self, topic: str, patience: float) -> dict[tuple[str, int], tuple[int, str]]:
        """Return the offsets that the group has committed in ``topic``, and what was noted with them; blocks.

        Raises what ``open`` raises.
        """
        assignments = [Assignment(*place) for place in self._partitions([topic], patience)]
        committed = committed_notes(self._settings, self._group, assignments)
        return {(a.topic, a.partition): noted for a, noted in committed.items()}

    def open(self, topics: Sequence[str], start: Start, patience: float) -> None:
        """Wait for ``topics`` and go to ``start`` in all their partitions; blocks.

        Raises AccessError, TopicError if a topic does not exist after ``patience`` seconds, and BrokerError if no
        broker answers in that time.
        """
        self._assignments = {place: Assignment(*place) for place in self._partitions(topics, patience)}
        self.ends = self._look_up(OFFSET_END)
        self.starts = self._starts(start)
        self._left = {place for place, end in self.ends.items() if self.starts[place] < end}
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in self.starts.items()])

    def poll(self, timeout: float) -> list[Record]:
        """Return the records that have arrived, at most 500; blocks for up to ``timeout`` seconds until there are some.

        Raises OffsetError if a position is not in the log any more, AccessError or BrokerError.
        """
        records = []
        for message in self._consumer.consume(_BATCH, timeout):
            place = (str(message.topic()), int(message.partition() or 0))
            if (error := message.error()) is None:
                record = _record(message, self._assignments[place])
                records.append(record)
                if record.offset + 1 >= self.ends[place]:
                    self._left.discard(place)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._left.discard(place)
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise OffsetError(f"{place[0]}[{place[1]}]: the log has been deleted up to a later offset meanwhile")
            elif not error.retriable():
                raise fault(error, f"reading {place[0]}")
        if self._watch.denied:
            raise fault(KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED), "reading")
        if records:
            self._watch.recovered()
        return records

    @property
    def done(self) -> bool:
        """Whether everything has been read that was in the log when the reader was opened."""
        return not self._left

    @property
    def metadata(self) -> object:
        """The metadata under which a producer can commit offsets of the group in a transaction."""
        return self._consumer.consumer_group_metadata()

    def close(self) -> None:
        """Close the client; blocks for about a second."""
        self._consumer.close()

    def _partitions(self, topics: Sequence[str], patience: float) -> list[tuple[str, int]]:
        watch = ErrorWatch("producer")
        asker = make_producer(self._settings, watch)
        await_topics(asker, watch, self._settings, topics, patience=patience)
        listed = {topic: asker.list_topics(topic, timeout=_CALL).topics[topic].partitions for topic in topics}
        return [(topic, number) for topic in topics for number in sorted(listed[topic])]

    def _starts(self, start: Start) -> dict[tuple[str, int], int]:
        if start == "end":
            return dict(self.ends)
        firsts = self._look_up(OFFSET_BEGINNING)
        if isinstance(start, Mapping):
            return {place: max(first, start.get(place, 0)) for place, first in firsts.items()}
        if isinstance(start, float):
            later = self._look_up(int(start * 1000))
            return {place: self.ends[place] if offset < 0 else offset for place, offset in later.items()}
        return firsts

    def _look_up(self, when: int) -> dict[tuple[str, int], int]:
        """Return the first offset at or after ``when`` (milliseconds, or the log's beginning or end); -1 for none."""
        asked = [TopicPartition(*place, when) for place in self._assignments]
        ask = partial(self._consumer.offsets_for_times, asked, timeout=_CALL)
        answers = retry(lambda: require_answers(ask()), "looking up offsets")
        return {(answer.topic, answer.partition): answer.offset for answer in answers}


def fetch(settings: Settings, group: str, places: Mapping[tuple[str, int], int], patience: float) -> list[Record]:
    """Read one record per partition; blocks for up to ``patience`` seconds.

    ``places``: (topic, partition) -> offset. A record that is no longer in the log is missing in the result. Raises
    AccessError or BrokerError.
    """
    watch = ErrorWatch("consumer")
    consumer: Consumer = make_consumer(_without_membership(settings), group, watch)
    records: list[Record] = []
    left = dict(places)
    deadline = time.monotonic() + patience
    try:
        consumer.assign([TopicPartition(*place, offset) for place, offset in places.items()])
        while left and time.monotonic() < deadline:
            for message in consumer.consume(_BATCH, 0.2):
                place = (str(message.topic()), int(message.partition() or 0))
                error, wanted = message.error(), left.get(place)
                if error is not None and error.code() not in {KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET}:
                    if error.retriable():
                        continue
                    raise fault(error, f"reading {place[0]}")
                if wanted is None:
                    continue
                del left[place]
                if error is None and message.offset() == wanted:
                    records.append(_record(message, Assignment(*place)))
        return records
    finally:
        consumer.close()


def _without_membership(settings: Settings) -> Settings:
    return {name: value for name, value in settings.items() if name not in _MEMBERS_ONLY}


def _record(message: Any, assignment: Assignment) -> Record:
    return Record(
        assignment, message.offset(), message.key(), message.value(), message.headers(), message.timestamp()[1]
    )
