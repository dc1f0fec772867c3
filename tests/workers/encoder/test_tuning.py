"""Sizes of a forward, and how many side by side: which are tried, and how often."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.encoder.pool import Pool, shared
from workers.encoder.trunk import Trunk
from workers.encoder.tuning import choose, measure, side_by_side, tune

SIZES = [512, 1024, 2048, 4096]


class Machine:
    """Reports the rates in ``speeds``, in tokens per second, and counts the forwards of each size."""

    def __init__(self, speeds: dict[int, float], most: int = 4096) -> None:
        self.speeds, self.most = speeds, most
        self.forwards: Counter[int] = Counter()

    def rate(self, tokens: int, warm: bool) -> float:
        if tokens > self.most:
            raise torch.OutOfMemoryError
        assert warm == bool(self.forwards[tokens])
        self.forwards[tokens] += 1
        return self.speeds[tokens]


def test_beyond_the_peak_one_size_is_tried() -> None:
    machine = Machine({512: 1000.0, 1024: 890.0, 2048: 800.0, 4096: 700.0})
    assert measure(SIZES, machine.rate, 600.0) == {512: 1000.0, 1024: 890.0}
    assert machine.forwards == {512: 3, 1024: 3}


def test_sizes_within_the_noise_are_all_tried() -> None:
    speeds = {512: 1000.0, 1024: 960.0, 2048: 910.0, 4096: 1400.0}
    assert measure(SIZES, Machine(speeds).rate, 600.0) == speeds


def test_what_does_not_fit_into_memory_is_left_out() -> None:
    machine = Machine(dict.fromkeys(SIZES, 1000.0), most=1024)
    assert measure(SIZES, machine.rate, 600.0) == {512: 1000.0, 1024: 1000.0}


def test_without_time_the_smallest_is_measured_once() -> None:
    machine = Machine(dict.fromkeys(SIZES, 1.0))
    assert measure(SIZES, machine.rate, 0.0) == {512: 1.0}
    assert machine.forwards == {512: 1}


@given(st.lists(st.floats(1.06, 3.0), min_size=4, max_size=4), st.integers(0, 3))
def test_a_single_peak_is_found(steps: list[float], peak: int) -> None:
    """Rates that rise by ``steps`` up to ``peak`` and fall after it."""
    rising = list(accumulate(steps[: peak + 1], lambda rate, step: rate * step))
    falling = list(accumulate(steps[peak + 1 :], lambda rate, step: rate / step, initial=rising[-1]))[1:]
    speeds = {size: 1e6 * rate for size, rate in zip(SIZES, rising + falling, strict=True)}
    rates = measure(SIZES, Machine(speeds).rate, 60.0)
    assert max(rates, key=rates.__getitem__) == SIZES[peak]


@pytest.mark.parametrize(
    ("cores", "most", "counts"),
    [
        (1, 32, []), (2, 32, [2]), (3, 32, [2, 3]), (8, 32, [2, 4, 8]), (12, 32, [2, 4, 8, 12]),
        (64, 32, [2, 4, 8, 16]), (8, 4, [2]), (8, 3, []), (8, 0, []),
    ],
)  # fmt: skip
def test_which_numbers_side_by_side_are_tried(cores: int, most: int, counts: list[int]) -> None:
    assert side_by_side(cores, most) == counts


class Noisy:
    """Reports the rates in ``speeds``; the ``slow`` ones of all measurements at half of it."""

    def __init__(self, speeds: dict[int, float], slow: frozenset[int] = frozenset()) -> None:
        self.speeds, self.slow = speeds, slow
        self.measured: list[int] = []

    def rate(self, count: int, warm: bool) -> float:
        assert warm == (count in self.measured)
        self.measured.append(count)
        return self.speeds[count] / (2 if len(self.measured) - 1 in self.slow else 1)


def test_the_fastest_number_wins_and_of_equal_ones_the_smallest() -> None:
    assert choose([1, 2, 4], Noisy({1: 800.0, 2: 1000.0, 4: 900.0}).rate, 600.0) == 2
    assert choose([1, 2, 4], Noisy({1: 800.0, 2: 1000.0, 4: 1000.0}).rate, 600.0) == 2
    assert choose([1, 2], Noisy({1: 960.0, 2: 1000.0}).rate, 600.0) == 2


@given(st.sets(st.integers(0, 9), max_size=4))
def test_a_few_slow_measurements_change_nothing(slow: set[int]) -> None:
    machine = Noisy({1: 800.0, 2: 1000.0}, frozenset(slow))
    assert choose([1, 2], machine.rate, 600.0) == 2
    assert machine.measured == [1, 2] * 5  # in turns


def test_without_time_each_number_is_measured_twice() -> None:
    machine = Noisy({1: 800.0, 2: 1000.0})
    choose([1, 2], machine.rate, 0.0)
    assert machine.measured == [1, 2] * 2


def test_a_single_number_is_not_measured() -> None:
    machine = Noisy({1: 1.0})
    assert choose([1], machine.rate, 600.0) == 1
    assert machine.measured == []


def test_tuning_keeps_what_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    model = str(tiny.checkpoint("bert", "sequence"))
    trunk = Chain.load(pipeline({"name": "t", "task": "text-classification", "model": model})).stages[0].trunk
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for faster in (1, 2):
            monkeypatch.setattr(
                "workers.encoder.tuning.speed",
                lambda trunk, size, warm=False, faster=faster: 100.0 * (1 + ((trunk.pool is None) == (faster == 1))),
            )
            tune(trunk, 16_384)
            assert (1 if trunk.pool is None else trunk.pool.forwards) == faster
            assert trunk.token_seconds == faster / 200
            assert torch.get_num_threads() == 2
        assert trunk.pool is not None
        assert trunk.pool.threads == 1
        monkeypatch.undo()
        tune(trunk, 16_384)
        tune(trunk, 16_384, 77)
        assert trunk.forward_tokens == 77
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("size", [None, 1024])
def test_a_pool_is_shared_only_after_it_was_measured(monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    """Measured behind what a worker computes meanwhile, every pool would look slow."""
    model = str(tiny.checkpoint("bert", "sequence"))
    trunk = Chain.load(pipeline({"name": "t", "task": "text-classification", "model": model})).stages[0].trunk
    of_worker, measured = shared(Pool(2, 1)), set[Pool | None]()

    def speed(trunk: Trunk, size: int, warm: bool = False) -> float:
        measured.add(trunk.pool)
        return 100.0 if trunk.pool is None else 200.0

    monkeypatch.setattr("workers.encoder.tuning.speed", speed)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        tune(trunk, 16_384, size)
    finally:
        torch.set_num_threads(before)
    assert trunk.pool is of_worker
    assert of_worker not in measured
