"""Rebalances, slow models and stopping: nothing lost, and on the clean path nothing twice."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import Any

import pytest

from tests.integration.lib import PROTOCOLS, Case, eventually

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_second_worker_joins_and_leaves_without_loss_or_duplicates(real_kafka: Any, protocol: str) -> None:
    case = Case(real_kafka, protocol=protocol)
    case.feed(9000)
    with case.member(delay=0.002) as first:
        eventually(lambda: case.count(case.output) > 200)
        with case.member(delay=0.002) as second:
            eventually(lambda: second.logged("assigned"))
            before = case.count(case.output)
            eventually(lambda: case.count(case.output) > before + 1000)
            left = second.stop()
            assert left["drained"]
            assert left["enriched"] > 0, "the second worker never got a partition"
        eventually(lambda: case.count(case.output) >= 9000)
        first.stop()
    assert case.ids(case.output) == Counter(range(9000))
    assert case.committed() == 9000


def test_an_eager_assignor_works_too(real_kafka: Any) -> None:
    case = Case(real_kafka, kafka={"partition.assignment.strategy": "range"})
    case.feed(2000)
    with case.member(delay=0.002) as first:
        eventually(lambda: case.count(case.output) > 100)
        with case.member(delay=0.002) as second:
            eventually(lambda: second.logged("assigned"))
            eventually(lambda: case.count(case.output) >= 2000)
            second.stop()
        first.stop()
    assert case.ids(case.output) == Counter(range(2000))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_worker_slower_than_the_poll_interval_is_not_evicted(real_kafka: Any, protocol: str) -> None:
    case = Case(
        real_kafka,
        partitions=2,
        protocol=protocol,
        kafka={"max.poll.interval.ms": 6000} | ({"session.timeout.ms": 6000} if protocol == "classic" else {}),
        backpressure={"high_events": 60, "low_events": 20},
    )
    case.feed(100)
    with case.member(delay=0.18) as member:  # a micro-batch of 50 takes 9 seconds
        eventually(lambda: case.count(case.output) == 100)
        out = member.stop()
    assert out["polled"] == 100, "events were polled twice: the worker lost its partitions"
    assert case.ids(case.output) == Counter(range(100))


def test_sigterm_drains_what_is_cut_and_leaves_the_rest(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=2)
    case.feed(2000)
    with case.member(delay=0.004) as member:
        eventually(lambda: case.count(case.output) > 50)
        out = member.stop()
    assert out["drained"]
    assert 0 < out["enriched"] < 2000
    assert case.count(case.output) == out["enriched"] == case.committed()
    with case.member() as member:
        eventually(lambda: case.count(case.output) == 2000)
        member.stop()
    assert case.ids(case.output) == Counter(range(2000))


def test_the_drain_timeout_ends_a_stuck_worker_with_status_0(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=1, drain_timeout_ms=500)
    case.feed(50)
    with case.member(delay=2.0) as member:
        eventually(lambda: member.logged("assigned"))
        time.sleep(2)
        assert member.stop() == {"polled": 50, "enriched": 0, "drained": False}
    assert case.committed() == 0


def test_a_second_signal_leaves_at_once(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=1)
    case.feed(50)
    with case.member(delay=2.0) as member:
        eventually(lambda: member.logged("assigned"))
        time.sleep(2)
        member.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert member.process.poll() is None
        member.process.send_signal(signal.SIGTERM)
        assert member.process.wait(10) == 128 + signal.SIGTERM
    assert case.committed() == 0


def test_latest_is_decided_once(real_kafka: Any) -> None:
    """Events that arrive between two runs of a group that started at the end are not skipped."""
    case = Case(real_kafka, input={"start": "latest"})
    case.feed(10)
    with case.member() as member:
        eventually(lambda: case.committed() == 10)
        member.stop()
    case.feed(10, start=10)
    with case.member() as member:
        eventually(lambda: case.count(case.output) == 10)
        member.stop()
    assert case.ids(case.output) == Counter(range(10, 20))
