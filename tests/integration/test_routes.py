"""Routes on a real broker: copies and drops, whatever happens to the workers."""

from __future__ import annotations

import json
import signal
from collections import Counter
from typing import Any

import pytest

from tests.integration.lib import Case, eventually

EVENTS = 3000


def _case(broker: Any, delivery: str, **settings: Any) -> tuple[Case, dict[str, str]]:
    """Return a case with routes, and their topics: a copy of every third event, a drop, a topic with other keys."""
    case = Case(broker, delivery=delivery, commit_interval_ms=100, **settings)
    topics = {name: f"{case.group}.{name}" for name in ("audit", "review")}
    for topic in topics.values():
        broker.create_topic(topic, 6)
    case.settings["output"]["routes"] = [
        {"when": "event.id % 3 == 0", "topic": topics["audit"], "copy": True, "name": "audit", "text": "none"},
        {"when": "event.id % 5 == 0", "drop": True},
        {"when": "event.id % 2 == 0", "topic": topics["review"], "name": "review", "key": "$.id"},
    ]
    return case, topics


def _expected(count: int) -> dict[str, set[int]]:
    """Return which events are in which topic, by the rules above."""
    kept = [i for i in range(count) if i % 5]
    return {
        "audit": {i for i in range(count) if i % 3 == 0},
        "review": {i for i in kept if i % 2 == 0},
        "out": {i for i in kept if i % 2},
    }


def _copies(case: Case, topics: dict[str, str]) -> dict[str, Counter[int]]:
    """Count how often each event is in each topic; ``Case.feed`` numbers them, and their places tell the number."""
    numbers = {(row.partition, row.offset): json.loads(row.value or b"")["id"] for row in case.read(case.input)}
    counts = {}
    for name, topic in {**topics, "out": case.output}.items():
        sources = [json.loads(row.value or b"")["source"] for row in case.read(topic)]
        counts[name] = Counter(numbers[source["partition"], source["offset"]] for source in sources)
    return counts


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_a_kill_in_mid_stream_loses_no_copy_and_with_exactly_once_repeats_none(real_kafka: Any, delivery: str) -> None:
    case, topics = _case(real_kafka, delivery)
    case.feed(EVENTS)
    with case.member(delay=0.001) as first:
        eventually(lambda: case.committed() > 300)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    assert case.committed() < EVENTS
    with case.member() as second:
        eventually(lambda: case.committed() == EVENTS, within=120)
        assert second.stop()["drained"]
    counts_by_route = _copies(case, topics)
    assert {name: set(counts) for name, counts in counts_by_route.items()} == _expected(EVENTS)
    if delivery == "exactly_once":
        assert {times for counts in counts_by_route.values() for times in counts.values()} == {1}
    assert case.read(case.dead) == []


def test_what_is_in_each_topic(real_kafka: Any) -> None:
    case, topics = _case(real_kafka, "at_least_once")
    case.feed(30)
    with case.member() as member:
        eventually(lambda: case.committed() == 30)
        assert member.stop() == {"polled": 30, "enriched": 26, "drained": True}, "four events are only dropped"
    assert _copies(case, topics) == {name: Counter(ids) for name, ids in _expected(30).items()}
    for row in case.read(topics["audit"]):
        event = json.loads(row.value or b"")
        assert "text" not in event
        assert "audit" in event["routed"]
    assert {row.key for row in case.read(topics["review"])} == {str(i).encode() for i in _expected(30)["review"]}
    for row in case.read(case.output):
        event = json.loads(row.value or b"")
        assert event["routed"] == ["audit"] * (event["event"]["id"] % 3 == 0)


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_a_copy_that_one_topic_refuses_is_a_dead_letter_and_the_others_stay(real_kafka: Any, delivery: str) -> None:
    case = Case(real_kafka, partitions=1, delivery=delivery, kafka={"compression.type": "none"})
    small, tiny, large = (f"{case.group}.{name}" for name in ("small", "tiny", "large"))
    real_kafka.create_topic(small, 1, {"max.message.bytes": "5000"})
    real_kafka.create_topic(tiny, 1, {"max.message.bytes": "4000"})
    real_kafka.create_topic(large, 1)
    case.settings["output"]["routes"] = [{"topic": topic, "copy": True} for topic in (small, large, tiny)]
    case.send(json.dumps({"id": i, "text": "w" * (6000 if i == 7 else 100)}).encode() for i in range(10))
    with case.member() as member:
        eventually(lambda: case.committed() == 10)
        assert member.stop()["enriched"] == 9
    assert case.ids(large) == case.ids(case.output) == Counter(range(10))
    assert case.ids(small) == case.ids(tiny) == Counter(set(range(10)) - {7})
    (letter,) = case.read(case.dead)
    reason = dict(letter.headers)["__glossator.errors.exception.message"] or b""
    assert reason.startswith(b"the broker refused the enriched event for topic ")
    assert reason.split()[8].rstrip(b":").decode() in {small, tiny}


def test_a_delete_reaches_every_topic_with_the_keys_of_the_input(real_kafka: Any) -> None:
    case, topics = _case(real_kafka, "exactly_once")
    case.send([None])
    with case.member() as member:
        eventually(lambda: case.committed() == 1)
        member.stop()
    for topic in (case.output, topics["audit"]):
        assert [(row.key, row.value) for row in case.read(topic)] == [(b"0", None)]
    assert case.read(topics["review"]) == []


def test_all_missing_topics_are_named_at_once(real_kafka: Any, tmp_path: Any) -> None:
    case = Case(real_kafka, partitions=1)
    case.settings["output"]["routes"] = [{"topic": f"{case.group}.{name}", "copy": True} for name in ("a", "b")]
    case.settings["kafka"]["allow.auto.create.topics"] = False
    with case.member(patience=3) as member:
        assert member.process.wait(120) == 69
        assert member.logged(f"topics {case.group}.a and {case.group}.b do not exist")
