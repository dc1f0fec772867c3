"""Sizes of a forward: which are tried, and how often."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.encoder.tuning import measure

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
    machine = Machine({512: 1000.0, 1024: 900.0, 2048: 800.0, 4096: 700.0})
    assert measure(SIZES, machine.rate, 600.0) == {512: 1000.0, 1024: 900.0}
    assert machine.forwards == {512: 3, 1024: 3}


def test_sizes_within_the_noise_are_all_tried() -> None:
    speeds = {512: 1000.0, 1024: 960.0, 2048: 990.0, 4096: 1400.0}
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
