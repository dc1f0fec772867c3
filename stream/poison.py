"""Stops the worker when so much fails that the fault cannot be the events'."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from schemas.config import DeadLetters
from schemas.errors import PoisonError

_MINUTE = 60.0


class PoisonLimit:
    """Counts dead letters in a row and in the last minute; used by one thread."""

    def __init__(self, limits: DeadLetters, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._row = 0
        self._recent: deque[float] = deque()

    def passed(self) -> None:
        """An event came out well."""
        self._row = 0

    def failed(self, stage: str) -> None:
        """An event became a dead letter. Raises PoisonError where that is one too many."""
        limits = self._limits
        self._row += 1
        if limits.in_a_row is not None and self._row >= limits.in_a_row:
            raise PoisonError(
                f"{self._row} dead letters in a row, the last failed at {stage}: is the pipeline file right for this "
                "topic? stop_after.in_a_row sets the limit"
            )
        if limits.a_minute is not None:
            now = self._clock()
            self._recent.append(now)
            while self._recent[0] <= now - _MINUTE:
                self._recent.popleft()
            if len(self._recent) >= limits.a_minute:
                raise PoisonError(
                    f"{len(self._recent)} dead letters within a minute, the last failed at {stage}; "
                    "stop_after.a_minute sets the limit"
                )
