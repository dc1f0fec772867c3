"""Every input is in the output or the dead letters: once after a clean run, at least once after a crash."""

from __future__ import annotations

import itertools
import json
import random
import signal
from collections import Counter
from typing import Any

import pytest

from stream.output.deadletter import PREFIX
from tests.integration.lib import PROTOCOLS, Case, eventually

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_clean_run_delivers_each_event_once_in_order(real_kafka: Any, protocol: str) -> None:
    case = Case(real_kafka, protocol=protocol)
    case.feed(5000)
    with case.member() as member:
        eventually(lambda: case.count(case.output) >= 5000)
        assert member.stop() == {"polled": 5000, "enriched": 5000, "drained": True}
    assert case.ids(case.output) == Counter(range(5000))
    assert case.count(case.dead) == 0
    assert case.committed() == 5000
    by_key: dict[bytes, list[int]] = {}
    for message in case.read(case.output):
        by_key.setdefault(message.key or b"", []).append(json.loads(message.value or b"")["event"]["id"])
    assert all(ids == sorted(ids) for ids in by_key.values()), "the order within a key was lost"


def test_key_headers_and_timestamp_are_kept(real_kafka: Any) -> None:
    from confluent_kafka import Producer

    case = Case(real_kafka, partitions=1)
    producer = Producer({"bootstrap.servers": real_kafka.bootstrap_servers})
    headers: Any = [("traceparent", b"00-abc"), ("empty", None), ("twice", b"1"), ("twice", b"2")]
    for value in (b'{"text": "fine"}', b"no json"):
        producer.produce(case.input, value, b"\xff\x00", headers=headers, timestamp=1_700_000_000_123)
    producer.flush()
    with case.member() as member:
        eventually(lambda: case.count(case.output) + case.count(case.dead) == 2)
        member.stop()
    (enriched,), (dead,) = case.read(case.output), case.read(case.dead)
    for message in (enriched, dead):
        assert message.key == b"\xff\x00"
        assert message.timestamp == 1_700_000_000_123
        assert message.headers[:4] == headers
    assert dead.value == b"no json"
    assert dict(dead.headers)[f"{PREFIX}stage"] == b"decode"


RUBBISH: list[bytes | None] = [
    b"\xff\xfe\x00 not UTF-8",
    b"not json",
    b"[1, 2]",
    b'{"other": 1}',
    b'{"text": 3}',
    b'{"text": ""}',
    None,
    b'{"text": ' + b"[" * 5000,
    b'{"text": "\\ud800 lone"}',
    b"",
    b'{"text": "' + b"w" * 2_000_000 + b'"}',
]


def test_rubbish_is_dead_lettered_and_its_neighbours_pass(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=1, input={"tombstones": "dead_letter"})
    good = [
        json.dumps({"id": i, "text": f"caf\u0065\u0301 \U0001f469\u200d\U0001f680 \x00 {i}"}).encode()
        for i in range(12)
    ]
    mixed = [value for pair in itertools.zip_longest(good, RUBBISH, fillvalue=b"no json either") for value in pair]
    real_kafka.create_topic(f"{case.group}.big", 1, {"max.message.bytes": "20000000"})
    case.settings["input"]["topics"] = [f"{case.group}.big"]
    case.settings["output"]["dead_letter"] = f"{case.group}.big.dead"
    real_kafka.create_topic(f"{case.group}.big.dead", 1, {"max.message.bytes": "20000000"})
    case.input, case.dead = f"{case.group}.big", f"{case.group}.big.dead"
    case.send(mixed)
    with case.member() as member:
        eventually(lambda: case.count(case.output) + case.count(case.dead) == len(mixed))
        member.stop()
    assert case.ids(case.output) == Counter(range(12))
    dead = case.read(case.dead)
    assert [message.value for message in dead] == [*RUBBISH, b"no json either"]
    for message in dead:
        headers = {name: bytes(value or b"") for name, value in message.headers}
        assert headers[f"{PREFIX}topic"] == case.input.encode()
        assert headers[f"{PREFIX}exception.message"]
        assert mixed[int(headers[f"{PREFIX}offset"])] == message.value
    assert case.committed() == len(mixed)


def test_a_topic_that_takes_small_batches_only_gets_them(real_kafka: Any) -> None:
    """A broker rejects a batch as a whole, and then every event in it would become a dead letter."""
    case = Case(real_kafka, partitions=1, kafka={"compression.type": "none"}, batching={"max_events": 200})
    small = f"{case.group}.small"
    real_kafka.create_topic(small, 1, {"max.message.bytes": "5000"})
    case.settings["output"] = {"topic": small, "dead_letter": case.dead}
    case.send(json.dumps({"id": i, "text": "w" * (i * 7 % 1000 + 1)}).encode() for i in range(600))
    with case.member() as member:
        eventually(lambda: case.count(small) + case.count(case.dead) == 600)
        member.stop()
    assert case.ids(small) == Counter(range(600))


def test_an_event_too_large_for_the_topics_leaves_its_coordinates(real_kafka: Any) -> None:
    """Neither does the enriched event fit the output topic nor the original the dead-letter topic."""
    case = Case(real_kafka, partitions=1)
    big = f"{case.group}.big"
    real_kafka.create_topic(big, 1, {"max.message.bytes": "20000000"})
    case.settings["input"]["topics"] = [big]
    case.input = big
    case.send(
        [
            b'{"id": 0, "text": "a"}',
            json.dumps({"id": 1, "text": "ab " * 1000, "more": random.Random(1).randbytes(4_000_000).hex()}).encode(),
            b'{"id": 2, "text": "b"}',
        ]
    )
    with case.member() as member:
        eventually(lambda: case.count(case.output) == 2 and case.count(case.dead) == 1)
        assert member.stop()["enriched"] == 2
    assert case.ids(case.output) == Counter([0, 2])
    (letter,) = case.read(case.dead)
    headers = {name: bytes(value or b"") for name, value in letter.headers}
    assert letter.value is None
    assert headers[f"{PREFIX}stage"] == b"produce"
    assert headers[f"{PREFIX}offset"] == b"1"
    assert case.committed() == 3


def test_a_kill_in_mid_stream_loses_nothing(real_kafka: Any) -> None:
    case = Case(real_kafka)
    case.feed(3000)
    with case.member(delay=0.001) as first:
        eventually(lambda: case.count(case.output) > 300)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    assert case.committed() <= case.count(case.output) < 3000
    with case.member() as second:
        eventually(lambda: len(case.ids(case.output)) == 3000)
        second.stop()
    assert set(case.ids(case.output)) == set(range(3000))
    assert case.committed() == 3000
