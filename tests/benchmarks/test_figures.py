from __future__ import annotations

import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers.figures import cost_per_million, fitting, latencies, percentile, schedule, spread


def test_percentile_is_the_nearest_rank() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1.0) == 100
    assert percentile(values, 0.0) == 1
    assert percentile([7.0], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_percentile_is_a_value_that_enough_others_do_not_exceed(values: list[float], share: float) -> None:
    chosen = percentile(values, share)
    assert chosen in values
    assert sum(value <= chosen for value in values) >= share * len(values)


def test_spread_is_a_share_of_the_median() -> None:
    assert spread([90.0, 100.0, 110.0]) == pytest.approx(0.1)
    assert spread([5.0]) == 0


@given(st.floats(1, 500), st.floats(1, 30), st.integers(0, 5))
def test_a_schedule_has_the_asked_number_of_sorted_times_and_is_always_the_same(
    rate: float, seconds: float, seed: int
) -> None:
    times = schedule(rate, seconds, seed)
    assert len(times) == round(rate * seconds)
    assert times == sorted(times)
    assert all(0 <= time < seconds for time in times)
    assert times == schedule(rate, seconds, seed)


def test_a_schedule_has_gaps_like_a_poisson_process() -> None:
    times = schedule(1000, 20)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    # An exponential distribution has a standard deviation equal to its mean; equal gaps would have none.
    assert statistics.stdev(gaps) == pytest.approx(statistics.mean(gaps), rel=0.05)


def test_latency_counts_from_when_an_event_should_have_been_sent() -> None:
    # The sender was stuck for a second: the second event waited although it was sent late.
    assert latencies([0.0, 0.1], [1.0, 1.0]) == pytest.approx([1000, 900])


def test_cost_of_a_million_events() -> None:
    assert cost_per_million(1_000_000 / 3600, 0.5) == pytest.approx(0.5)
    assert cost_per_million(100, 0.1) == pytest.approx(0.2778, rel=1e-3)


def test_a_slow_peer_gets_fewer_events_in_whole_batches() -> None:
    assert fitting(4.0, 15, 400) == 32
    assert fitting(9.0, 15, 400) == 128
    assert fitting(1000.0, 15, 400) == 400
