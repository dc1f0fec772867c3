from __future__ import annotations

import os
import time

import pytest

from benchmarks.burst import BROKER, IDLE, SENDING, Burst, Cores, figures_of
from benchmarks.core_seconds import FORWARDS, part_of, threads_of
from workers.process.cores import usable_cores


def test_all_that_the_cores_could_do_is_accounted_for() -> None:
    began = time.perf_counter()
    cores = Cores(os.getpid(), [])
    ended = time.thread_time() + 0.1
    while time.thread_time() < ended:
        pass
    seconds = cores.spent()
    assert seconds[BROKER] == 0
    assert seconds[SENDING] >= 0.09
    here = {part_of(thread.name) for thread in threads_of(os.getpid()).values()}
    assert set(seconds) <= {*here, BROKER, SENDING, IDLE}
    assert 0 < sum(seconds.values()) <= (time.perf_counter() - began) * usable_cores()


def test_shares_are_of_all_core_seconds_and_ratios_of_the_same_round() -> None:
    here = [Burst(rate, {FORWARDS: 3.0, IDLE: 1.0}) for rate in (100.0, 210.0, 90.0)]
    there = [Burst(rate, {FORWARDS: 4.0, IDLE: 1.0}) for rate in (100.0, 200.0, 100.0)]
    figures = figures_of({"here": here, "there": there})
    assert figures["here: posts/s"] == 100
    assert figures[f"here: core seconds, {FORWARDS}"] == 3
    assert figures[f"there: share, {FORWARDS}"] == pytest.approx(0.8)
    assert figures["here / there: posts/s"] == 1
    assert figures["here / there: lowest"] == 0.9
    assert figures["here / there: highest"] == pytest.approx(1.05)
    assert not any("/ there" in name for name in figures_of({"here": here}))
