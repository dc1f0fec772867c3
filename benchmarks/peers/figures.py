"""Figures from measurements: percentiles, spreads, ratios, costs, and when events are to be sent. Pure."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence

PRICE = 0.10
"""US dollars an hour for the machine, unless ``--price`` says otherwise: a round figure for two virtual cores.
A list price for comparison: AWS m7g.large, Linux, on demand, us-east-1, June 2026: 0.0816."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that at least ``share`` (0 to 1) of them do not exceed (nearest rank).

    Raises ValueError if there are none.
    """
    if not values:
        raise ValueError("no values")
    rank = max(1, math.ceil(share * len(values)))
    return sorted(values)[rank - 1]


def spread(values: Sequence[float]) -> float:
    """Return half the distance between the lowest and the highest value, as a share of the median; 0 for one value."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / 2 / middle if middle else 0.0


def schedule(rate: float, seconds: float, seed: int = 1) -> list[float]:
    """Return when events are sent, in seconds from the start: a Poisson process with ``rate`` events per second.

    The times are fixed beforehand, so a slow candidate does not slow down the load. There are always
    ``round(rate * seconds)`` of them, sorted, all before ``seconds``: given their number, the events of a Poisson
    process are spread evenly.
    """
    generator = random.Random(seed)
    return sorted(generator.random() * seconds for _ in range(round(rate * seconds)))


def latencies(intended: Sequence[float], arrived: Sequence[float]) -> list[float]:
    """Return the milliseconds from when each event should have been sent to its arrival.

    They count from the intended time, not from the actual one. Otherwise the wait of events that the sender could not
    send in time would not be seen (coordinated omission).
    """
    return [(end - start) * 1000 for start, end in zip(intended, arrived, strict=True)]


def cost_per_million(events_per_second: float, price: float = PRICE) -> float:
    """Return the price of a million events on a machine that costs ``price`` an hour."""
    return 1_000_000 / events_per_second / 3600 * price


def fitting(rate: float, seconds: float, most: int, least: int = 32) -> int:
    """Return how many events take about ``seconds`` at ``rate`` a second: a multiple of ``least``, at most ``most``."""
    return min(most, max(least, int(rate * seconds) // least * least))
