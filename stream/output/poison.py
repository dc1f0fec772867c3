"""Stops the worker when so many events fail that the cause cannot be the events."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from schemas.errors import PoisonError
from schemas.pipeline.config import DeadLetters

_MINUTE = 60.0


class PoisonLimit:
    """Counts dead letters, in a row and in the last minute. Used by one thread; no method blocks."""

    def __init__(self, limits: DeadLetters, clock: Callable[[], float] = time.monotonic) -> None:
        """``limits``: the pipeline file's ``stop_after``; ``clock``: returns seconds."""
        self._limits = limits
        self._clock = clock
        self._row = 0
        self._recent: deque[float] = deque()
        self._refused = 0
        """Events that the broker rejected in a row."""
        self._pending = 0
        """Events that the broker rejected and whose micro-batch has not landed."""
        self._cause = ""
        self._problem: PoisonError | None = None

    def passed(self) -> None:
        """Count an event that was enriched."""
        self._row = 0

    def failed(self, cause: str) -> None:
        """Count an event that became a dead letter. ``cause``: stage, task, reason and place of the failure."""
        self._row += 1
        self._count(cause)
        self._problem = self._problem or self._judge()

    def refused(self, cause: str) -> None:
        """Count an enriched event that became a dead letter after all, because the broker rejected it."""
        self._refused += 1
        self._pending += 1
        self._count(cause)

    def landed(self, events: int) -> None:
        """Note that ``events`` enriched events are in the log; those that were rejected, as dead letters."""
        rejected = min(self._pending, events)
        self._pending -= rejected
        if rejected < events:
            self._refused = 0

    def exceeded(self) -> PoisonError | None:
        """Return why the worker must stop if there have been too many dead letters; None if there have not."""
        self._problem = self._problem or self._judge()
        return self._problem

    def _judge(self) -> PoisonError | None:
        limits, row = self._limits, max(self._row, self._refused)
        if limits.in_a_row is not None and row >= limits.in_a_row:
            return PoisonError(
                f"{row} dead letters in a row, the last failed at {self._cause}. Is the pipeline file right for "
                "this topic? stop_after.in_a_row sets the limit"
            )
        if limits.a_minute is not None and len(self._recent) >= limits.a_minute:
            return PoisonError(
                f"{len(self._recent)} dead letters within a minute, the last failed at {self._cause}. "
                "stop_after.a_minute sets the limit"
            )
        return None

    def _count(self, cause: str) -> None:
        self._cause = cause
        if self._limits.a_minute is not None:
            now = self._clock()
            self._recent.append(now)
            while self._recent[0] <= now - _MINUTE:
                self._recent.popleft()
