"""At-least-once delivery: how long an event is kept, and what becomes of records that are not written."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError

from schemas.document import Document
from schemas.errors import BrokerError
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Outbound, Record
from stream.kafka import sink
from stream.kafka.at_least_once import AtLeastOnceSink
from stream.kafka.delivery import make_sink
from stream.microbatch import MicroBatch
from stream.output.publisher import Publisher
from stream.telemetry.stats import Stats
from tests import noop


@pytest.mark.parametrize(
    ("kafka", "delivery", "expected"),
    [
        ({}, "at_least_once", 0),
        ({"message.timeout.ms": 9000}, "at_least_once", None),
        ({"delivery.timeout.ms": 9000}, "at_least_once", None),
        ({}, "exactly_once", None),
    ],
    ids=["however long brokers are away", "the user's", "the user's, by its other name", "a transaction's"],
)
def test_events_are_kept(
    kafka: dict[str, Any], delivery: str, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline.model_validate({
        "pipeline": "posts", "kafka": {"bootstrap.servers": "localhost:9092", **kafka}, "input": {"topics": ["in"]},
        "tasks": [{"name": "tone", "task": "sentiment", "model": "starter"}], "output": {"topic": "out"},
        "delivery": delivery,
    })  # fmt: skip
    overridden: dict[str, Any] = {}
    monkeypatch.setattr(sink, "make_producer", lambda settings, watch, **overrides: overridden.update(overrides))
    make_sink(
        pipeline, delivered=lambda _: None, refused=lambda *_: None,
        slot=0, hurry=lambda: False, membership=lambda: None, tails=dict,
    )  # fmt: skip
    assert overridden.get("message.timeout.ms") == expected
    assert overridden.get("transactional.id") == ("posts-0" if delivery == "exactly_once" else None)


class Producer:
    """Reports on each record when it is polled: the error that is next in line, or None."""

    def flush(self, timeout: float) -> int:
        self.poll(timeout)
        return 0

    def __init__(self, *errors: int | None) -> None:
        self.errors = list(errors)
        self.written: list[tuple[str, bytes | None]] = []
        self.reports: list[Any] = []

    def produce(
        self, topic: str, value: Any, key: Any, _: int, on_delivery: Any, _alias: None, timestamp: int, headers: Any
    ) -> None:
        self.reports.append((on_delivery, topic, value))

    def poll(self, timeout: float) -> None:
        reports, self.reports = self.reports, []
        for report, topic, value in reports:
            code = self.errors.pop(0) if self.errors else None
            if code is None:
                self.written.append((topic, value))
            report(None if code is None else KafkaError(code), None)


def working(
    producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> tuple[AtLeastOnceSink, list[int], list[Outbound], MicroBatch]:
    """A sink, the numbers of the micro-batches it delivered, and a micro-batch of two events with its records."""
    monkeypatch.setattr(sink, "make_producer", lambda *_, **__: producer)
    delivered: list[int] = []
    pipeline = noop.pipeline()
    working = AtLeastOnceSink(
        pipeline, lambda batch: delivered.append(batch.number), Publisher(pipeline, Stats()).refused
    )
    records = [Record(Assignment("in", 0), offset, b"k", b"%d" % offset) for offset in range(2)]
    outbounds = [Outbound("out", record.key, record.value, [], 5, record) for record in records]
    return working, delivered, outbounds, MicroBatch(0, [Document(record) for record in records], 0)


def test_a_refused_event_and_its_neighbour_are_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Again, one at a time: the error of a batch can be that of another record.
    producer = Producer(
        KafkaError._INVALID_DIFFERENT_RECORD, KafkaError.INVALID_RECORD, None, KafkaError.INVALID_RECORD
    )
    sink, delivered, outbounds, batch = working(producer, monkeypatch)
    sink.send(batch, outbounds)
    assert (sink.waiting, delivered) == (0, [0])
    assert producer.written == [("out", b"0"), ("out.dead", b"1")]


def test_of_an_event_two_of_whose_copies_are_refused_one_letter_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The micro-batch is delivered when the letter and the copies that are not refused are in the log."""
    producer = Producer(KafkaError.MSG_SIZE_TOO_LARGE, None, KafkaError.MSG_SIZE_TOO_LARGE)
    sink, delivered, (event, _), batch = working(producer, monkeypatch)
    copies = [Outbound(topic, event.key, event.value, [], 5, event.origin) for topic in ("a", "b", "c")]
    sink.send(batch, copies)
    assert (sink.waiting, delivered) == (0, [0])
    assert producer.written == [("b", b"0"), ("out.dead", b"0")]


def test_a_letter_that_is_refused_even_bare_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, delivered, outbounds, batch = working(Producer(*[KafkaError.MSG_SIZE_TOO_LARGE] * 3), monkeypatch)
    with pytest.raises(BrokerError, match=r"publishing to out\.dead: MSG_SIZE_TOO_LARGE"):
        sink.send(batch, outbounds[:1])
    assert (sink.waiting, delivered) == (1, [])


def test_a_failure_of_the_cluster_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, delivered, outbounds, batch = working(Producer(None, KafkaError.TOPIC_AUTHORIZATION_FAILED), monkeypatch)
    with pytest.raises(BrokerError, match="TOPIC_AUTHORIZATION_FAILED"):
        sink.send(batch, outbounds)
    assert (sink.waiting, delivered) == (1, [])


def test_a_micro_batch_without_records_is_delivered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, delivered, _, batch = working(Producer(), monkeypatch)
    sink.send(batch, [])
    assert (sink.waiting, delivered) == (0, [0])
