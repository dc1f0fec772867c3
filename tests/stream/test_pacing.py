"""Limits of micro-batches that follow a goal: bounded whatever is measured, met where that is possible, steady."""

from __future__ import annotations

import math
import random
from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pipeline.config import Batching
from stream.pacing import FixedPacing, GoalPacing, Pacing, make_pacing

FIXED, EACH, MOST = 0.010, 0.000131, 16_384
"""Seconds of any forwards, seconds of a token, and the largest micro-batch in tokens of the simulated device."""

Event = tuple[float, int]
"""When it arrives, and its tokens."""


def arriving(share: float, seconds: float, seed: int = 1, start: float = 0.0) -> list[Event]:
    """Return a Poisson process that keeps the device busy for a ``share`` of the time, if micro-batches are large."""
    generator = random.Random(seed)
    tokens = [min(512, max(3, int(generator.lognormvariate(3.3, 1.0)))) for _ in range(10_000)]
    rate = share * len(tokens) / (EACH * sum(tokens))
    events: list[Event] = []
    at = start
    while (at := at + generator.expovariate(rate)) < start + seconds:
        events.append((at, tokens[len(events) % len(tokens)]))
    return events


class Simulation:
    """What a worker with ``pacing`` does to events, without threads and clocks; forwards vary by a third.

    Attributes:
        waits: seconds from the arrival of each event to the end of its forwards.
        busy: seconds in forwards.
        limits: with how many tokens each micro-batch would have been full.
        sizes: with how many it would have been full if its events had not waited.
        now: when the last forward has ended.
    """

    def __init__(self, pacing: Pacing, events: list[Event], slowness: float = 1.0) -> None:
        self.waits: list[float] = []
        self.limits: list[int] = []
        self.sizes: list[int] = []
        self.now = self.busy = 0.0
        coming, waiting, noise = deque(events), deque[Event](), random.Random(2)
        while coming or waiting:
            while coming and coming[0][0] <= self.now:
                waiting.append(coming.popleft())
            if not waiting:
                self.now = coming[0][0]
                continue
            limit = pacing.tokens(self.now - waiting[0][0])
            batch: list[Event] = []
            tokens = 0
            for event in waiting:
                if batch and tokens + event[1] > limit:
                    break
                batch.append(event)
                tokens += event[1]
            linger = pacing.linger(self.now - waiting[0][0], tokens)
            if len(batch) == len(waiting) and tokens < limit and linger > 1e-6:
                self.now = min(self.now + linger, coming[0][0] if coming else math.inf)
                continue
            taken = slowness * (FIXED + EACH * tokens) * noise.uniform(0.75, 1.33)
            self.now += taken
            self.busy += taken
            for event in batch:
                waiting.popleft()
                self.waits.append(self.now - event[0])
            pacing.computed(tokens, taken)
            pacing.sent(self.now - batch[0][0])
            self.limits.append(limit)
            self.sizes.append(pacing.tokens(0.0))

    def quantile(self, share: float) -> float:
        return sorted(self.waits)[int(share * len(self.waits))]


@given(
    goal=st.floats(0.001, 60),
    most=st.integers(1, 1_000_000),
    measured=st.lists(st.tuples(st.integers(0, 1_000_000), st.floats(0, 1000), st.floats(0, 1000)), max_size=20),
    waited=st.floats(0, 1000),
    tokens=st.integers(0, 1_000_000),
)
def test_limits_stay_within_bounds_whatever_is_measured(
    goal: float, most: int, measured: list[tuple[int, float, float]], waited: float, tokens: int
) -> None:
    pacing = GoalPacing(goal, most)
    for size, seconds, age in measured:
        pacing.computed(size, seconds)
        pacing.sent(age)
        assert 1 <= pacing.tokens(waited) <= most
        assert 0 <= pacing.budget < goal
        assert pacing.linger(waited, tokens) <= goal - waited
        assert pacing.linger(waited, tokens + 1) <= pacing.linger(waited, tokens)
    assert pacing.tokens(goal * 1.01) == most


@given(fixed=st.floats(0, 0.1), each=st.floats(1e-6, 1e-3), sizes=st.lists(st.integers(1, 50_000), min_size=20))
def test_what_forwards_take_is_learnt(fixed: float, each: float, sizes: list[int]) -> None:
    pacing = GoalPacing(10.0, MOST)
    for size in (*sizes, 10, 1000):
        pacing.computed(size, fixed + each * size)
    for size in (10, 1000, max(sizes)):
        assert pacing.linger(0.0, size) == pytest.approx(pacing.budget - fixed - each * size, abs=1e-3)


@pytest.mark.parametrize(("share", "goal"), [(0.1, 0.2), (0.3, 0.2), (0.5, 0.4), (0.7, 1.0)])
def test_the_goal_is_met_with_less_work_than_by_a_short_linger_time(share: float, goal: float) -> None:
    events = arriving(share, 60)
    paced, fixed = (Simulation(pacing, events) for pacing in (GoalPacing(goal, MOST), FixedPacing(MOST, 0.01)))
    assert paced.quantile(0.99) <= goal
    assert paced.busy < 0.85 * fixed.busy


@pytest.mark.parametrize("goal", [0.02, 0.1, 0.2])
@pytest.mark.parametrize("share", [0.7, 0.85])
def test_a_goal_that_cannot_be_met_does_little_harm(share: float, goal: float) -> None:
    events = arriving(share, 60)
    paced, fixed = (Simulation(pacing, events) for pacing in (GoalPacing(goal, MOST), FixedPacing(MOST, 0.01)))
    assert paced.quantile(0.5) <= fixed.quantile(0.5) + goal / 4
    assert paced.quantile(0.99) <= 1.05 * fixed.quantile(0.99)
    assert paced.busy <= 1.03 * fixed.busy


def test_sizes_are_steady_while_the_load_is() -> None:
    sizes = Simulation(GoalPacing(0.4, MOST), arriving(0.4, 120)).sizes
    late = sorted(sizes[len(sizes) // 2 :])
    middle = late[len(late) // 2]
    changes = [abs(after - before) / middle for before, after in pairwise(sizes[len(sizes) // 2 :])]
    assert sum(changes) / len(changes) < 0.05
    assert 0.5 * middle < late[len(late) // 20]
    assert late[-len(late) // 20] < 2 * middle


def test_after_a_burst_the_goal_is_met_again() -> None:
    pacing, goal = GoalPacing(0.4, MOST), 0.4
    burst = [(30.0, 100)] * 1000
    events = sorted(arriving(0.3, 30) + burst + arriving(0.3, 120, seed=3, start=30.0))
    waits = Simulation(pacing, events).waits
    assert max(waits) > 10 * goal
    calm = sorted(waits[-len(events) // 3 :])
    assert calm[int(0.99 * len(calm))] <= goal


def test_overload_costs_no_throughput() -> None:
    events = arriving(1.5, 60)
    paced, fixed = (Simulation(pacing, events) for pacing in (GoalPacing(0.1, MOST), FixedPacing(MOST, 0.01)))
    assert paced.now <= 1.005 * fixed.now
    assert max(paced.limits) == MOST


def test_a_device_that_becomes_slower_is_noticed() -> None:
    pacing = GoalPacing(1.0, MOST)
    Simulation(pacing, arriving(0.2, 60))
    before = pacing.budget - pacing.linger(0.0, 1500)
    Simulation(pacing, arriving(0.2, 240), slowness=2.0)
    assert pacing.budget - pacing.linger(0.0, 1500) == pytest.approx(2 * before, rel=0.1)


def test_the_file_chooses() -> None:
    assert isinstance(make_pacing(Batching()), FixedPacing)
    paced = make_pacing(Batching(target_latency_ms=250))
    assert isinstance(paced, GoalPacing)
    assert 0.07 < paced.budget < 0.25
