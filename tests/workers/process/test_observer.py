"""Slow work is not taken for stuck, and stuck work is still found. Time passes only in forwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.document import Document
from schemas.errors import StuckError
from stream.telemetry.stats import Stats
from tests import noop
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.chain.pace import Pace
from workers.drift.watch import Drift
from workers.process.observer import Observer

WARN, LEAVE = 10, 15


class Case:
    """A worker with one micro-batch on the device, whose poll loop turns each second of a slow forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.stats = Stats()
        settings = noop.pipeline(watchdog={"warn_after_ms": WARN * 1000, "leave_after_ms": LEAVE * 1000})
        self.observer = Observer(settings, self.stats, lambda: self.now)
        self.observer.on_device = 7
        self.chain = Chain.load(pipeline(
            {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))},
        ))  # fmt: skip
        self.chain.pace = Pace(lambda: self.now)
        self.trunk: Any = self.chain.stages[0].trunk
        self.trunk.forward_tokens = tiny.LENGTH
        self.seconds: Callable[[int], float] = lambda tokens: 0.0
        self.most_stuck: set[str] = set()
        self.left: str | None = None
        forward = self.trunk.forward

        def slow_forward(batch: Any, ids: Any, *rest: Any) -> Any:
            end = self.now + self.seconds(len(batch.tokens))
            while self.now < end and self.left is None:
                self.now += 1
                self.observe()
            return forward(batch, ids, *rest)

        monkeypatch.setattr(self.trunk, "forward", slow_forward)

    def observe(self) -> None:
        flight: Any = SimpleNamespace(events=1, bytes=1, count=3)
        source: Any = SimpleNamespace(
            paused=True, assignments=[], rebalances={}, commits=0, down=False, outside=False, positions=dict
        )
        sink: Any = SimpleNamespace(commits=0, aborts=0, commit_seconds=0.0, down=False)
        engine: Any = SimpleNamespace(chain=self.chain, drift=Drift({}, {}))
        try:
            self.observer.observe(flight, source, sink, engine)
        except StuckError as error:
            self.left = self.left or str(error)
        self.most_stuck |= self.stats.stuck.keys()

    def run(self, text: str) -> None:
        document = Document(None, text)
        self.chain.run([document])
        assert document.failure is None


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(monkeypatch)


def test_a_text_of_many_forwards_is_not_stuck(case: Case) -> None:
    case.seconds = lambda tokens: 5.0
    case.run("the quick brown fox " * 300)
    assert case.chain.pace.steps > 20
    assert case.now > 1100
    assert case.most_stuck == set()


def test_a_forward_that_hangs_is(case: Case) -> None:
    case.seconds = lambda tokens: 100.0
    case.run("a fox")
    assert case.left == "device: nothing has moved for 15 s"
    assert case.most_stuck == {"device", "events in flight"}


def test_a_forward_that_takes_as_long_as_was_measured_is_not_stuck(case: Case) -> None:
    """Warm-up measured a tenth of a second for a token."""
    case.trunk.token_seconds = 0.1
    case.seconds = lambda tokens: 45.0
    case.run("a fox")
    assert case.most_stuck == set()
    case.seconds = lambda tokens: 1000.0
    case.run("dogs")
    assert case.left is not None


def test_what_forwards_take_is_learned_from_forwards(case: Case) -> None:
    case.seconds = lambda tokens: 9.0
    case.run("a fox")
    case.seconds = lambda tokens: 40.0
    case.run("dogs")
    assert case.most_stuck == set()


def test_one_slow_forward_is_forgotten() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    with pace.step("forward", 512):
        now += 100
    for _ in range(200):
        with pace.step("forward", 512):
            now += 0.1
    with pace.step("forward", 512):
        assert 0 < pace.allowed < 1
    assert (pace.steps, pace.allowed) == (202, 0.0)


def test_steps_of_other_kinds_are_not_compared_and_one_that_fails_is_finished() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    with pytest.raises(ValueError, match="no"), pace.step("clusters", 1):
        now += 100
        raise ValueError("no")
    assert pace.steps == 1
    with pace.step("forward", 1):
        assert pace.allowed == 0.0
    with pace.step("forward", 10, cost=2.0):
        assert pace.allowed == 100.0


def test_steps_side_by_side_are_all_counted_and_the_longest_counts() -> None:
    pace = Pace(lambda: 0.0)
    with pace.step("forward", 10, cost=2.0):
        with pace.step("forward", 30, cost=2.0):
            assert pace.allowed == 300.0
        assert (pace.steps, pace.allowed) == (1, 100.0)
    assert (pace.steps, pace.allowed) == (2, 0.0)


def test_forwards_of_several_threads_are_reported_one_by_one() -> None:
    pace, reported = Pace(), 0

    def count(trunk: str, seconds: float) -> None:
        nonlocal reported
        before = reported
        time.sleep(0)  # lets another thread run
        reported = before + 1

    def run() -> None:
        for _ in range(100):
            with pace.forward("trunk", 1, 0.0):
                pass

    pace.on_forward = count
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (reported, pace.steps, pace.allowed) == (400, 400, 0.0)


def test_a_chain_that_takes_over_counts_on() -> None:
    settings = pipeline(
        {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))}
    )
    before = Chain.load(settings)
    assert Chain.load(settings, before=before).pace is before.pace


def test_warm_up_measures_what_a_token_takes() -> None:
    tone = {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))}
    for compute in ({}, {"forward_tokens": 77}):
        chain = Chain.load(pipeline(tone, compute=compute))
        chain.warm_up()
        assert 0 < chain.stages[0].trunk.token_seconds < 1
