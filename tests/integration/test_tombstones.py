"""A delete reaches a compacted output topic, in order within its key, whatever its number."""

from __future__ import annotations

import json
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.integration.lib import Case, eventually

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
@pytest.mark.parametrize("tombstones", [None, "dead_letter", "skip"])
def test_deletes_go_where_the_file_says(real_kafka: Any, tombstones: str | None, delivery: str) -> None:
    policy = {"tombstones": tombstones} if tombstones else {}
    case = Case(real_kafka, partitions=1, delivery=delivery, input=policy, stop_after={"in_a_row": 10})
    compacted = real_kafka.create_topic(f"{case.group}.compacted", 1, {"cleanup.policy": "compact"})
    case.settings["output"] = {"topic": compacted, "dead_letter": case.dead}
    producer = Producer({"bootstrap.servers": real_kafka.bootstrap_servers})
    event = json.dumps({"text": "an event"}).encode()
    headers: Any = [("trace", b"1"), ("empty", None)]
    for number in range(20):
        producer.produce(case.input, event, f"k{number}")
    for number in range(20):
        producer.produce(case.input, None, f"k{number}", headers=headers, timestamp=1_700_000_000_123)
    producer.produce(case.input, None)
    producer.produce(case.input, event, "last")
    producer.flush()
    with case.member() as member:
        eventually(lambda: case.committed() == 42)
        assert member.stop() == {"polled": 42, "enriched": 21, "drained": True}
    keys = [f"k{number}".encode() for number in range(20)]
    written, dead = case.read(compacted), case.read(case.dead)
    deletes = [row for row in written if row.value is None]
    assert [row.key for row in written if row.value] == [*keys, b"last"]
    assert [row.key for row in deletes] == (keys if tombstones is None else [])
    assert all(row.headers == headers and row.timestamp == 1_700_000_000_123 for row in deletes)
    assert written[-1].key == b"last"
    expected = {None: [None], "dead_letter": [*keys, None], "skip": []}[tombstones]
    assert [row.key for row in dead] == expected
