"""Stops the worker when so much fails that the fault cannot be the events'."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from schemas.errors import PoisonError
from schemas.pipeline.config import DeadLetters

_MINUTE = 60.0


class PoisonLimit:
    """Counts dead letters in a row and in the last minute; used by one thread."""

    def __init__(self, limits: DeadLetters, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._row = 0
        self._recent: deque[float] = deque()
        self._refused = 0
        self._unsettled = 0
        self._stage = ""

    def passed(self) -> None:
        """An event came out well."""
        self._row = 0

    def failed(self, stage: str) -> None:
        """An event became a dead letter. Raises PoisonError where that is one too many."""
        self._row += 1
        self._count(stage)
        self.judge()

    def refused(self, stage: str) -> None:
        """An event that came out well became a dead letter all the same: the broker does not take it."""
        self._refused += 1
        self._unsettled += 1
        self._count(stage)

    def landed(self, events: int) -> None:
        """So many events that came out well are in the log, enriched or, of those refused, as dead letters."""
        settled = min(self._unsettled, events)
        self._unsettled -= settled
        if settled < events:
            self._refused = 0

    def judge(self) -> None:
        """Raises PoisonError where there has been one too many."""
        limits, row = self._limits, max(self._row, self._refused)
        if limits.in_a_row is not None and row >= limits.in_a_row:
            raise PoisonError(
                f"{row} dead letters in a row, the last failed at {self._stage}: is the pipeline file right for this "
                "topic? stop_after.in_a_row sets the limit"
            )
        if limits.a_minute is not None and len(self._recent) >= limits.a_minute:
            raise PoisonError(
                f"{len(self._recent)} dead letters within a minute, the last failed at {self._stage}; "
                "stop_after.a_minute sets the limit"
            )

    def _count(self, stage: str) -> None:
        self._stage = stage
        if self._limits.a_minute is not None:
            now = self._clock()
            self._recent.append(now)
            while self._recent[0] <= now - _MINUTE:
                self._recent.popleft()
