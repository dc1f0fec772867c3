from __future__ import annotations

from itertools import pairwise

import pytest
from pydantic import ValidationError

from benchmarks.waits import SleepingChain, Turn, figures_of, show, take, with_batching
from benchmarks.watched import STEPS, WatchedWorker
from stream.kafka.broker import EmbeddedBroker
from tests.kafka.cluster import Cluster
from tests.noop import pipeline


def turn(delays: list[float], forwards: float, tokens: int) -> Turn:
    return Turn([[1.0, 1.0 + delay / 2, 1.0 + delay] for delay in delays], [tokens], forwards)


def test_ways_are_compared_within_a_round() -> None:
    short = [turn([0.01, 0.1], 12.0, 100), turn([0.02, 0.2], 10.0, 200)]
    goal = [turn([0.05, 0.2], 6.0, 800), turn([0.06, 0.2], 8.0, 600)]
    figures = figures_of({"linger_ms: 10": short, "target_latency_ms: 200": goal})
    assert figures["linger_ms: 10"]["p99, ratio"] == 1
    assert figures["linger_ms: 10"]["p50, ms"] == pytest.approx(15)
    assert figures["target_latency_ms: 200"] == pytest.approx({
        "p50, ms": 55, "p99, ms": 200, "p99, ratio": 1.5, "p99, lowest": 1, "p99, highest": 2,
        "forwards, ms an event": 7, "forwards, ratio": 0.65, "forwards, lowest": 0.5, "forwards, highest": 0.8,
        "tokens": 700,
    })  # fmt: skip


def test_forwards_that_only_sleep_cost_nothing() -> None:
    figures = figures_of({"a": [turn([0.1], 0.0, 1)], "b": [turn([0.1], 0.0, 1)]})
    assert figures["b"]["forwards, ratio"] == 1


def test_a_way_changes_some_fields_of_the_section() -> None:
    file = pipeline(batching={"max_events": 7, "linger_ms": 50})
    changed = with_batching(file, {"target_latency_ms": 200})
    assert (changed.batching.max_events, changed.batching.target_latency_ms) == (7, 200)
    assert file.batching.target_latency_ms is None
    with pytest.raises(ValidationError):
        with_batching(file, {"linger": 1})


def test_every_event_comes_to_every_step_in_order() -> None:
    with EmbeddedBroker() as broker:
        worker = WatchedWorker(Cluster(broker.bootstrap_servers, False, "embedded"), pipeline(), SleepingChain(0.01, 0))
        try:
            turns = [take(worker, ["a text", "another"], times) for times in ([0.0] * 40, [0.0, 0.2, 0.25])]
        finally:
            worker.close()
    assert [len(turn.moments) for turn in turns] == [40, 3]
    for turn in turns:
        for moments in turn.moments:
            assert len(moments) == len(STEPS) + 1
            assert all(earlier <= later for earlier, later in pairwise(moments))
            assert moments[STEPS.index("forward") + 1] - moments[STEPS.index("forward")] >= 0.01
        assert show(turn, "a title").row_count == len(STEPS) + 1
