"""Exactly once on a real broker: what readers of committed records see, whatever happens to the workers."""

from __future__ import annotations

import json
import signal
from collections import Counter
from typing import Any

import pytest

from tests.integration.lib import PROTOCOLS, Case, eventually

ONCE: dict[str, Any] = {"delivery": "exactly_once"}


def done(case: Case, count: int) -> bool:
    return case.committed() >= count


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_everything_once_and_the_offsets_with_it(real_kafka: Any, protocol: str) -> None:
    case = Case(real_kafka, protocol=protocol, **ONCE)
    values = [json.dumps({"id": i, "text": f"event {i}"}).encode() for i in range(500)]
    case.send([*values, b"rubbish", None])
    with case.member() as member:
        eventually(lambda: done(case, 502))
        assert member.stop() == {"polled": 502, "enriched": 500, "drained": True}
    written = case.read(case.output)
    assert Counter(json.loads(row.value)["event"]["id"] for row in written if row.value) == Counter(range(500))
    assert [row.value for row in written if not row.value] == [None], "the tombstone is passed on"
    assert [row.value for row in case.read(case.dead)] == [b"rubbish"]
    assert case.committed() == 502


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_kill_in_mid_stream_neither_loses_nor_repeats(real_kafka: Any, protocol: str) -> None:
    case = Case(real_kafka, protocol=protocol, commit_interval_ms=100, **ONCE)
    case.feed(3000)
    with case.member(delay=0.001) as first:
        eventually(lambda: case.committed() > 300)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    assert case.committed() < 3000
    with case.member() as second:
        eventually(lambda: done(case, 3000), within=120)
        second.stop()
    assert case.ids(case.output) == Counter(range(3000))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_members_come_and_go(real_kafka: Any, protocol: str) -> None:
    case = Case(real_kafka, protocol=protocol, commit_interval_ms=100, **ONCE)
    case.feed(6000)
    with case.member(delay=0.001) as first:
        eventually(lambda: case.committed() > 200)
        with case.member(delay=0.001, slot=1) as second, case.member(delay=0.001, slot=2) as third:
            eventually(lambda: second.logged("assigned") and third.logged("assigned"))
            second.process.send_signal(signal.SIGKILL)
            assert first.stop()["drained"]
            eventually(lambda: done(case, 6000), within=120)
            third.stop()
    # The transaction that the killed worker left open hides all later records until it times out.
    eventually(lambda: sum(case.ids(case.output).values()) == 6000, within=90)
    assert case.ids(case.output) == Counter(range(6000))


def test_a_slot_taken_twice_stops_the_first(real_kafka: Any) -> None:
    case = Case(real_kafka, **ONCE)
    with case.member() as first:
        eventually(lambda: first.logged("assigned"))
        case.feed(100)
        eventually(lambda: done(case, 100))
        with case.member() as second:
            eventually(lambda: second.logged("assigned"))
            case.feed(1000, start=100)
            assert second.logged("the group has a worker of slot 0 on 127.0.0.1: if it is alive, it is fenced now")
            assert first.process.wait(120) == 76
            assert first.logged("another worker has taken the transactional id")
            eventually(lambda: done(case, 1100))
            second.stop()
    assert case.ids(case.output) == Counter(range(1100))


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_a_static_members_slot_taken_twice_stops_the_first(real_kafka: Any, delivery: str) -> None:
    """The group itself fences the worker before it has anything to commit."""
    case = Case(real_kafka, kafka={"group.instance.id": "fixed"}, delivery=delivery)
    with case.member() as first:
        eventually(lambda: first.logged("assigned"))
        with case.member() as second:
            eventually(lambda: second.logged("assigned"))
            assert first.process.wait(120) == 76
            assert first.logged("another worker has taken")
            second.stop()


def test_an_event_too_large_for_the_topics_leaves_its_coordinates(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=1, kafka={"compression.type": "none"}, **ONCE)
    case.settings["output"]["topic"] = small = f"{case.group}.small"
    real_kafka.create_topic(small, 1, {"max.message.bytes": "5000"})
    real_kafka.create_topic(f"{small}.dead", 1, {"max.message.bytes": "5000"})
    case.send(json.dumps({"id": i, "text": "w" * (6000 if i == 7 else 100)}).encode() for i in range(10))
    with case.member() as member:
        eventually(lambda: done(case, 10))
        assert member.stop()["enriched"] == 9
    assert case.ids(small) == Counter(set(range(10)) - {7})
    (letter,) = case.read(f"{small}.dead")
    assert letter.value is None
    assert dict(letter.headers)["__glossator.errors.offset"] == b"7"
