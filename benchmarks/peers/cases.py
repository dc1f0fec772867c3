"""What is varied to see how glossator scales. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Case(NamedTuple):
    """``of``: what is varied; ``value``: to what. ``duplicates``: the share of events whose text has come before.

    ``when``: the share of events that the last task is wanted for. ``heads``: the number of tasks, None for the four.
    """

    of: str
    value: float
    events: int
    workers: int = 1
    duplicates: float = 0.0
    cache: int = 0
    when: float | None = None
    heads: int | None = None


def cases(events: int, most: int) -> Iterator[Case]:
    """Yield all cases, the most important first, each of ``events``, unless these vary: from 1000 to ``most``."""
    yield Case("workers", 1, events)
    yield Case("workers", 2, events, workers=2)
    for heads in (1, 4, 12, 2, 8):
        yield Case("tasks", heads, events, heads=heads)
    for share in (0.0, 0.5, 0.1, 0.25):
        yield Case("duplicates", share, events, duplicates=share, cache=100_000)
    for share in (1.0, 0.1, 0.5, 0.01):
        yield Case("when", share, events, when=share)
    size = 1000
    while size <= most:
        yield Case("events", size, size)
        size *= 10


def with_duplicates(texts: Sequence[str], share: float) -> list[str]:
    """Return as many texts, of which ``share`` have come before: every text beyond the first ones repeats one of them.

    They are spread evenly, so that a cache meets them all the time.
    """
    fresh = iter(texts)
    made: list[str] = []
    repeated = 0
    for place in range(len(texts)):
        if made and repeated < share * (place + 1) - 1e-9:
            made.append(made[repeated * 7 % len(made)])
            repeated += 1
        else:
            made.append(next(fresh))
    return made
