"""Rounds of a benchmark that must not take longer than somebody allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator


def rounds(count: int, end: float, clock: Callable[[], float] = time.perf_counter) -> Iterator[int]:
    """Yield 0 to ``count`` - 1, or fewer: no round is begun that would end after ``end`` on ``clock``.

    A round is taken to last as long as the longest so far. The first one is always begun.
    """
    longest = 0.0
    for number in range(count):
        started = clock()
        if number and started + longest > end:
            return
        yield number
        longest = max(longest, clock() - started)
