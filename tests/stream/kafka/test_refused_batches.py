"""A broker rejects batches, and the client blames the wrong records: only those at fault become dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from schemas.record import Assignment, Outbound, Record
from stream.kafka import exactly_once
from stream.kafka.at_least_once import AtLeastOnceSink
from stream.kafka.exactly_once import ExactlyOnceSink
from stream.kafka.limits import TopicLimits
from stream.kafka.sink import Sink
from stream.microbatch import MicroBatch
from stream.output.publisher import Publisher
from stream.telemetry.stats import Stats
from tests.noop import pipeline
from tests.thoroughness import examples

BAD = b"bad"
HOUR = 3_600_000


class Client:
    """A producer that makes a batch of all that is in its queue, up to ``size`` records to a topic, and its broker.

    The broker refuses records whose value begins with ``bad``, in the output topic, and its whole batch with them. As
    librdkafka does, the client gives every record of the batch the error of a single one at fault, and tells several
    apart.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.queue: list[tuple[Any, str, bytes | None, bytes | None]] = []
        self.log: list[tuple[str, bytes | None]] = []
        self.open: list[tuple[str, bytes | None]] | None = None

    def produce(
        self, topic: str, value: Any, key: Any, _: int, on_delivery: Any, _alias: None, timestamp: int, headers: Any
    ) -> None:
        self.queue.append((on_delivery, topic, key, value))

    def poll(self, timeout: float) -> None:
        queue, self.queue = self.queue, []
        reports: list[tuple[Any, int | None]] = []
        for topic in dict.fromkeys(topic for _, topic, *_ in queue):
            records = [record for record in queue if record[1] == topic]
            for first in range(0, len(records), self.size):
                reports += self._append(records[first : first + self.size])
        for report, code in reports:
            report(None if code is None else KafkaError(code), None)

    def _append(self, batch: list[tuple[Any, str, bytes | None, bytes | None]]) -> Iterator[tuple[Any, int | None]]:
        guilty = [topic == "out" and (value or b"").startswith(BAD) for _, topic, _, value in batch]
        if not any(guilty):
            (self.log if self.open is None else self.open).extend((topic, value) for _, topic, _, value in batch)
        for (report, *_), is_guilty in zip(batch, guilty, strict=True):
            if not any(guilty):
                yield report, None
            elif is_guilty or sum(guilty) == 1:
                yield report, KafkaError.INVALID_RECORD
            else:
                yield report, KafkaError._INVALID_DIFFERENT_RECORD

    def flush(self, timeout: float) -> int:
        self.poll(timeout)
        return len(self.queue)

    def init_transactions(self, timeout: float) -> None:
        self.open = []

    def begin_transaction(self) -> None:
        self.open, self.queue = [], []

    def send_offsets_to_transaction(self, offsets: Any, metadata: Any, timeout: float) -> None:
        pass

    def commit_transaction(self, timeout: float) -> None:
        assert self.open is not None
        self.log += self.open

    def abort_transaction(self, timeout: float) -> None:
        self.open, self.queue = [], []


@contextmanager
def working(client: Client, delivery: str, landed: list[int]) -> Iterator[Sink]:
    refused = Publisher(pipeline(), Stats()).refused
    with (
        mock.patch("stream.kafka.sink.make_producer", lambda *_, **__: client),
        mock.patch("stream.kafka.sink.await_topics", lambda *_, **__: "cluster"),
        mock.patch("stream.kafka.sink.largest_batch", lambda *_: 1_000_000),
        mock.patch("stream.kafka.sink.topic_limits", lambda *_: {"out": TopicLimits(True, 10 * HOUR, HOUR)}),
        mock.patch.object(exactly_once, "same_slot", lambda *_: []),
        mock.patch("stream.kafka.exactly_once.time.sleep", lambda _: None),
    ):
        if delivery == "at_least_once":
            sink: Sink = AtLeastOnceSink(pipeline(), lambda batch: landed.append(batch.number), refused)
        else:
            sink = ExactlyOnceSink(
                pipeline(delivery=delivery), lambda batch: landed.append(batch.number), refused,
                slot=0, hurry=lambda: True, membership=lambda: 1,
            )  # fmt: skip
        sink.open(1)
        yield sink


def batch_of(number: int, values: list[bytes], key: bytes | None = b"k", timestamp: int = 0) -> Any:
    records = [Record(Assignment("in", 0), offset, key, value) for offset, value in enumerate(values)]
    outbounds = [Outbound("out", record.key, record.value, [], timestamp, record) for record in records]
    return MicroBatch(number, [Document(record) for record in records], 0), outbounds


def finish(sink: Sink) -> None:
    for _ in range(1000):
        sink.poll(0)
        if not sink.waiting:
            return
    pytest.fail("records are never delivered")


@settings(deadline=None, max_examples=examples(200))
@given(
    flags=st.lists(st.lists(st.booleans(), min_size=1, max_size=8), min_size=1, max_size=5),
    size=st.integers(1, 12),
    delivery=st.sampled_from(["at_least_once", "exactly_once"]),
)
def test_the_records_at_fault_become_letters_and_no_others(flags: list[list[bool]], size: int, delivery: str) -> None:
    client, landed = Client(size), list[int]()
    good, bad = list[bytes](), list[bytes]()
    with working(client, delivery, landed) as sink:
        for number, micro_batch in enumerate(flags):
            values = [b"%s%d-%d" % (BAD if is_bad else b"", number, place) for place, is_bad in enumerate(micro_batch)]
            good += [value for value in values if not value.startswith(BAD)]
            bad += [value for value in values if value.startswith(BAD)]
            sink.send(*batch_of(number, values))
        finish(sink)
    assert sorted(value or b"" for topic, value in client.log if topic == "out") == sorted(good)
    assert sorted(value or b"" for topic, value in client.log if topic == "out.dead") == sorted(bad)
    assert sorted(landed) == list(range(len(flags)))
    if delivery == "exactly_once":
        assert [value for topic, value in client.log if topic == "out"] == good


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_what_is_certain_to_be_rejected_is_not_sent_and_disturbs_no_order(delivery: str) -> None:
    client, landed = Client(100), list[int]()
    with (
        working(client, delivery, landed) as sink,
        mock.patch("stream.kafka.limits.time.time", lambda: 100 * HOUR / 1000),
    ):
        batch, outbounds = batch_of(0, [b"0", b"1", b"2", b"3", b"4"], timestamp=100 * HOUR)
        outbounds[1].key = None
        outbounds[2].timestamp_ms = 101 * HOUR + 1
        outbounds[3].timestamp_ms = 90 * HOUR - 1
        sink.send(batch, outbounds)
        finish(sink)
    assert [value for topic, value in client.log if topic == "out"] == [b"0", b"4"]
    assert sorted(value or b"" for topic, value in client.log if topic == "out.dead") == [b"1", b"2", b"3"]


DAY_MS = str(24 * HOUR)


@pytest.mark.parametrize(
    ("config", "limits"),
    [
        ({}, TopicLimits()),
        ({"cleanup.policy": "delete"}, TopicLimits()),
        ({"cleanup.policy": "compact"}, TopicLimits(True)),
        ({"cleanup.policy": "compact,delete"}, TopicLimits(True)),
        ({"message.timestamp.after.max.ms": DAY_MS}, TopicLimits(after_ms=24 * HOUR)),
        ({"message.timestamp.before.max.ms": DAY_MS}, TopicLimits(before_ms=24 * HOUR)),
        ({"message.timestamp.difference.max.ms": DAY_MS}, TopicLimits(False, 24 * HOUR, 24 * HOUR)),
        ({"message.timestamp.type": "LogAppendTime", "message.timestamp.after.max.ms": DAY_MS}, TopicLimits()),
    ],
)
def test_limits_are_those_of_the_topic(config: dict[str, str], limits: TopicLimits) -> None:
    assert TopicLimits.of(config) == limits


@pytest.mark.parametrize(
    ("key", "timestamp", "code"),
    [
        (b"k", 100 * HOUR, None),
        (b"", 100 * HOUR, None),
        (None, 100 * HOUR, KafkaError.INVALID_RECORD),
        (b"k", 101 * HOUR, None),
        (b"k", 101 * HOUR + 1, KafkaError.INVALID_TIMESTAMP),
        (b"k", 90 * HOUR, None),
        (b"k", 90 * HOUR - 1, KafkaError.INVALID_TIMESTAMP),
        (b"k", -1, None),
        (b"k", 0, None),
    ],
)
def test_a_record_within_the_limits_is_sent(key: bytes | None, timestamp: int, code: int | None) -> None:
    limits = TopicLimits(True, 10 * HOUR, HOUR)
    with mock.patch("stream.kafka.limits.time.time", lambda: 100 * HOUR / 1000):
        if code is None:
            limits.require(Outbound("out", key, b"", timestamp_ms=timestamp))
            return
        with pytest.raises(KafkaException) as failure:
            limits.require(Outbound("out", key, b"", timestamp_ms=timestamp))
    assert failure.value.args[0].code() == code


def test_a_letter_whose_timestamp_is_rejected_keeps_the_original() -> None:
    publisher = Publisher(pipeline(), Stats())
    record = Record(Assignment("in", 0), 7, b"k", b"value", [("h", b"1")], 12_345)
    (letter,) = publisher.refused(Outbound("out", b"k", b"event", [], 12_345, record), "INVALID_TIMESTAMP") or []
    assert (letter.kind, letter.timestamp_ms) == ("dead_letter", 12_345)
    (undated,) = publisher.refused(letter, "INVALID_TIMESTAMP") or []
    assert (undated.kind, undated.key, undated.value, undated.timestamp_ms) == ("dead_letter", b"k", b"value", -1)
    assert undated.headers == [*letter.headers, ("__glossator.errors.timestamp", b"12345")]
    (bare,) = publisher.refused(undated, "INVALID_TIMESTAMP") or []
    assert (bare.kind, bare.value) == ("coordinates", None)
