"""Rounds of a benchmark: what takes part in turns, and how it compares."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


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


def in_turn(members: Iterable[T], number: int) -> list[T]:
    """Return ``members`` in the order of round ``number``, every other one in reverse, so that none is always first."""
    return list(members)[:: 1 if number % 2 == 0 else -1]


def ratios(name: str, rates: Sequence[float], others: Sequence[float]) -> dict[str, float]:
    """Return figures called ``name``: the median, lowest and highest of ``rates`` / ``others``, round by round."""
    quotients = [rate / other for rate, other in zip(rates, others, strict=True)]
    return {
        f"{name}: posts/s": statistics.median(quotients),
        f"{name}: lowest": min(quotients),
        f"{name}: highest": max(quotients),
    }
