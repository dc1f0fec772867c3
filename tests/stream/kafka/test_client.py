"""Settings: what is ours, what is the user's, and what is refused without quoting it."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError

from schemas.errors import AccessError, BrokerError
from schemas.record import Assignment
from stream.kafka import client
from stream.kafka.client import (
    ErrorWatch,
    check_settings,
    committed_offsets,
    consumer_settings,
    is_cooperative,
    make_producer,
    names_member,
    producer_settings,
    with_slot,
)


def test_promises_are_in_the_settings() -> None:
    consumer = consumer_settings({"bootstrap.servers": "b:1"}, "group")
    assert consumer["group.id"] == "group"
    assert consumer["enable.auto.commit"] is False
    assert consumer["auto.offset.reset"] == "error"
    assert consumer["partition.assignment.strategy"] == "cooperative-sticky"
    assert producer_settings({"bootstrap.servers": "b:1"})["enable.idempotence"] is True


def test_any_other_setting_passes_through() -> None:
    assert consumer_settings({"fetch.wait.max.ms": 7}, "g")["fetch.wait.max.ms"] == 7
    assert producer_settings({"linger.ms": 50})["linger.ms"] == 50


def test_the_new_group_protocol_leaves_assignment_to_the_broker() -> None:
    assert "partition.assignment.strategy" not in consumer_settings({"group.protocol": "consumer"}, "g")


def test_every_bad_setting_is_found_at_once() -> None:
    assert check_settings(
        {
            "bootstrap.servers": "b:1",
            "securty.protocol": "SSL",
            "security.protocol": "s3cret",
            "linger.ms": "s3cret",
            "queue.buffering.max.ms": -5,
            "sasl.mechanism": "SCRAM-SHA-256",
            "fetch.min.bytes": 1,
            "group.protocol": "consumer",
        }
    ) == [
        ("securty.protocol", "unknown setting of the Kafka client"),
        ("security.protocol", "the Kafka client does not accept this value"),
        ("linger.ms", "the Kafka client does not accept this value"),
        ("queue.buffering.max.ms", "the Kafka client does not accept this value"),
    ]


def test_a_refusal_does_not_quote_the_value() -> None:
    with pytest.raises(BrokerError) as refused:
        make_producer({"bootstrap.servers": "b:1", "security.protocol": "s3cret"}, ErrorWatch("producer"))
    assert "s3cret" not in str(refused.value)
    assert "security.protocol" in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "cooperative"),
    [
        ({}, True),
        ({"group.protocol": "consumer"}, True),
        ({"partition.assignment.strategy": "range"}, False),
        ({"group.instance.id": "w"}, False),
        ({"group.instance.id": "w", "partition.assignment.strategy": "cooperative-sticky"}, True),
        ({"group.instance.id": "w", "group.protocol": "consumer"}, True),
    ],
)
def test_static_members_of_classic_groups_are_not_cooperative(settings: dict[str, Any], cooperative: bool) -> None:
    assert is_cooperative(settings) is cooperative
    assert ("group.instance.id" in settings) == (with_slot(settings, 3).get("group.instance.id") == "w-3")


def metadata(generation: int, member: str, instance: str = "") -> bytes:
    """As the client writes it; a byte says whether there is no instance."""
    number = generation.to_bytes(4, sys.byteorder, signed=True)
    return b"CGMDv2:" + number + f"group\0{member}\0".encode() + (f"\0{instance}\0".encode() if instance else b"\1")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (metadata(1, "member-1"), True),
        (metadata(2**31 - 1, "m", "instance"), True),
        (metadata(-1, ""), False),
        (metadata(-1, "member-1"), False),
        (metadata(0, "member-1"), False),
        (metadata(5, ""), False),
        (metadata(5, "", "instance"), False),
        (b"CGMDv9:whatever", True),
        (object(), True),
    ],
)
def test_only_metadata_that_the_group_can_fence_is_taken(given: object, expected: bool) -> None:
    assert names_member(given) is expected


def test_the_clients_own_metadata_is_read_as_it_writes_it() -> None:
    consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "group", "log_level": 0})
    assert consumer.consumer_group_metadata() == metadata(-1, "")
    consumer.close()


def test_a_refusal_is_forgotten_once_a_broker_answers() -> None:
    watch = ErrorWatch("consumer")
    watch(KafkaError(KafkaError._AUTHENTICATION))
    watch(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert (watch.denied, watch.down) == ("_AUTHENTICATION", True)
    watch.recovered()
    assert (watch.denied, watch.down) == (None, False)


class Answers:
    """The group's coordinator as an admin client meets it: one answer after another."""

    def __init__(self, *answers: list[tuple[int, int, int | None]]) -> None:
        """``answers``: partition, offset, the code of the partition's error."""
        self.left = list(answers)

    def list_consumer_group_offsets(self, asked: list[Any], **_: Any) -> dict[str, Any]:
        found = [
            SimpleNamespace(topic="in", partition=partition, offset=offset, error=code and KafkaError(code))
            for partition, offset, code in self.left.pop(0)
        ]
        future = SimpleNamespace(result=lambda _: SimpleNamespace(topic_partitions=found))
        return {asked[0].group_id: future}


def read(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    monkeypatch.setattr(client, "AdminClient", lambda *_, **__: answers)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    found = committed_offsets({}, "group", [Assignment("in", partition) for partition in (0, 1)])
    return {assignment.partition: offset for assignment, offset in found.items()}


def test_a_partition_whose_offset_could_not_be_read_is_not_one_without(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers([(0, 5, None), (1, -1001, KafkaError.UNSTABLE_OFFSET_COMMIT)], [(0, 5, None), (1, 7, None)])
    assert read(answers, monkeypatch) == {0: 5, 1: 7}
    assert not answers.left
    assert read(Answers([(0, 5, None), (1, -1001, None)]), monkeypatch) == {0: 5}


def test_an_offset_that_may_not_be_read_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers([(0, -1001, KafkaError.TOPIC_AUTHORIZATION_FAILED), (1, 7, None)], [])
    with pytest.raises(AccessError, match="TOPIC_AUTHORIZATION_FAILED"):
        read(answers, monkeypatch)
    assert len(answers.left) == 1
