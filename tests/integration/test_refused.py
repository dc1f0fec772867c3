"""Records that the broker rejects, each with its whole batch: they become dead letters, and no others do."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from tests.integration.lib import Case, eventually

pytestmark = pytest.mark.integration

EVENTS = 600
BAD = {50, 147, 148, 244, 599}
HOUR = 3_600_000
NO_KEY = b"INVALID_RECORD (a compacted topic takes no record without a key)"
AHEAD = (
    b"INVALID_TIMESTAMP (its timestamp is further from now than message.timestamp.before.max.ms or after.max.ms allow)"
)


def feed(case: Case, first: int, count: int, timestamps: dict[int, int], without_key: bool) -> None:
    producer = Producer({"bootstrap.servers": case.broker.bootstrap_servers})
    headers: Any = [("n", None), ("n", b""), ("n", b"\xff")]
    for number in range(first, first + count):
        key = None if without_key and number in BAD else f"k{number % 7}"
        value = json.dumps({"id": number, "text": f"event {number}"}).encode()
        producer.produce(case.input, value, key, headers=headers, timestamp=timestamps.get(number, 0))
    assert producer.flush(30) == 0


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
@pytest.mark.parametrize("what", ["timestamp", "key", "key, unforeseen"])
def test_only_the_records_at_fault_become_letters(real_kafka: Any, what: str, delivery: str) -> None:
    case = Case(real_kafka, partitions=1, delivery=delivery, stop_after={"in_a_row": 1000})
    # An hour is the default from Kafka 4 on; the input topic is older.
    hour = {"message.timestamp.after.max.ms": str(HOUR)}
    case.input = real_kafka.create_topic(f"{case.group}.old", 1, {"message.timestamp.after.max.ms": str(2**62)})
    policy = {"cleanup.policy": "compact"} if what == "key" else {}
    output = real_kafka.create_topic(f"{case.group}.limited", 1, {**hour, **policy})
    dead = real_kafka.create_topic(f"{case.group}.dead", 1, hour)
    case.settings |= {"input": {"topics": [case.input]}, "output": {"topic": output, "dead_letter": dead}}
    ahead = int(time.time() * 1000) + 24 * HOUR
    timestamps = dict.fromkeys(BAD, ahead) if what == "timestamp" else {}
    feed(case, 0, 40, timestamps, what != "timestamp")
    with case.member() as member:
        eventually(lambda: case.committed() == 40)
        if what == "key, unforeseen":
            admin = AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})
            change = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SET)
            resource = ConfigResource(ConfigResource.Type.TOPIC, output, incremental_configs=[change])
            admin.incremental_alter_configs([resource])[resource].result(30)
        feed(case, 40, EVENTS - 40, timestamps, what != "timestamp")
        eventually(lambda: case.committed() == EVENTS)
        assert member.stop() == {"polled": EVENTS, "enriched": EVENTS - len(BAD), "drained": True}
    written, letters = case.read(output), case.read(dead)
    numbers = [json.loads(row.value or b"")["event"]["id"] for row in written]
    assert sorted(numbers) == [number for number in range(EVENTS) if number not in BAD]
    if what != "key, unforeseen" or delivery == "exactly_once":
        assert numbers == sorted(numbers)
    assert {tuple(row.headers) for row in written} == {(("n", None), ("n", b""), ("n", b"\xff"))}
    assert sorted(json.loads(letter.value or b"")["id"] for letter in letters) == sorted(BAD)
    reason = AHEAD if what == "timestamp" else NO_KEY
    messages = {dict(letter.headers)["__glossator.errors.exception.message"] for letter in letters}
    assert messages == {b"the broker refused the enriched event for topic %s: %s" % (output.encode(), reason)}
    if what == "timestamp":
        assert {dict(letter.headers)["__glossator.errors.timestamp"] for letter in letters} == {str(ahead).encode()}
        assert all(abs(letter.timestamp - time.time() * 1000) < HOUR for letter in letters)
