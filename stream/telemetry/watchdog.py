"""Notices what should move and does not, says so, and in the end gives up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Mapping

from schemas.errors import StuckError

log = logging.getLogger("glossator.watchdog")


class Watchdog:
    """Watches marks: a mark that stays the same for too long is stuck; one that changes, or is None, is well.

    ``stuck`` holds, for what is stuck longer than ``warn_after`` seconds, since when in words. After
    ``leave_after`` seconds (None: never) ``look`` raises StuckError: a new process is worth a try then.
    """

    def __init__(
        self, warn_after: float, leave_after: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stuck: dict[str, str] = {}
        self._warn_after = warn_after
        self._leave_after = leave_after
        self._clock = clock
        self._marks: dict[str, tuple[Hashable, float]] = {}

    def look(self, marks: Mapping[str, Hashable | None]) -> None:
        """``marks``: what is watched -> how far it is, None where there is nothing to wait for."""
        now = self._clock()
        for name in [*self._marks]:
            if marks.get(name) is None:
                del self._marks[name]
        for name, mark in marks.items():
            if mark is not None and self._marks.get(name, (None, 0.0))[0] != mark:
                self._marks[name] = (mark, now)
        for name in [*self.stuck]:
            if now - self._marks.get(name, (None, now))[1] < self._warn_after:
                del self.stuck[name]
                log.info("%s: moves again", name)
        for name, (_, since) in self._marks.items():
            for_seconds = now - since
            if for_seconds >= self._warn_after:
                if name not in self.stuck:
                    log.error("%s: nothing has moved for %.0f s", name, for_seconds)
                self.stuck[name] = f"nothing has moved for {for_seconds:.0f} s"
            if self._leave_after is not None and for_seconds >= self._leave_after:
                raise StuckError(f"{name}: nothing has moved for {for_seconds:.0f} s")
