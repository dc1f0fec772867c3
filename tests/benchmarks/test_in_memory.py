from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from benchmarks.in_memory import QueueWorker
from benchmarks.without_kafka import Turn, figures_of, ratios_of, take
from schemas.document import Document
from tests.noop import NoopChain, pipeline


def test_every_event_is_sent_once_and_none_before_it_was_put() -> None:
    before = set(threading.enumerate())
    worker = QueueWorker(pipeline(telemetry={"port": None}), cast(Any, NoopChain()))
    try:
        for count in (3, 2500):  # a poll returns a thousand at most
            turn = take(worker, ["text"] * count, [0.0] * count)
            assert len(turn.delays) == count
            assert min(turn.delays) > 0
            assert turn.rate > 0
        assert sorted(worker.topic.sent) == list(range(2503))
    finally:
        worker.close()
    assert set(threading.enumerate()) <= before


def test_posts_wait_for_their_time() -> None:
    worker = QueueWorker(pipeline(), cast(Any, NoopChain()))
    try:
        turn = take(worker, ["a", "b"], [0.0, 0.3])
    finally:
        worker.close()
    assert turn.rate <= 2 / 0.3


class Failing(NoopChain):
    def prepare(self, documents: list[Document]) -> None:
        raise ValueError("it fails")


def test_a_worker_that_has_ended_ends_the_benchmark() -> None:
    worker = QueueWorker(pipeline(), cast(Any, Failing()))
    try:
        with pytest.raises(SystemExit, match="has ended") as ended:
            take(worker, ["a"], [0.0])
        assert isinstance(ended.value.__cause__, ValueError)
    finally:
        worker.close()


def test_a_dead_letter_ends_the_benchmark() -> None:
    worker = QueueWorker(pipeline(), cast(Any, NoopChain()))
    try:
        worker.topic.put(b"not JSON")
        with pytest.raises(SystemExit, match="1 dead letters"):
            worker.wait()
    finally:
        worker.close()


def test_ratios_are_those_of_the_same_round() -> None:
    slow, fast = ([Turn(rate, [10.0, 20.0], {"forwards": 1.0}) for rate in rates] for rates in ((10, 20), (30, 50)))
    figures = ratios_of({"float32": slow, "bfloat16": fast})
    assert figures == {
        "bfloat16 / float32: posts/s": 2.75, "bfloat16 / float32: lowest": 2.5, "bfloat16 / float32: highest": 3.0,
    }  # fmt: skip
    figures = figures_of({"float32": slow})
    assert figures == {
        "float32: posts/s": 15, "float32: p50, ms": 10, "float32: p99, ms": 20, "float32: core seconds, forwards": 1,
    }  # fmt: skip
