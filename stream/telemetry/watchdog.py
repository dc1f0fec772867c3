"""Notices what should make progress and does not, reports it, and in the end gives up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Mapping

from schemas.errors import StuckError

log = logging.getLogger("glossator.watchdog")


class Watchdog:
    """Watches named marks: a mark that keeps the same value for too long is stuck. Used by one thread.

    Attributes:
        stuck: for each mark that is stuck, a sentence that says for how long. Any thread may read it.
    """

    def __init__(
        self, warn_after: float, leave_after: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with no marks.

        Args:
            warn_after: seconds without a change after which a mark is stuck.
            leave_after: seconds after which ``look`` gives up, because a new process may do better; None: never.
            clock: returns seconds.
        """
        self.stuck: dict[str, str] = {}
        self._warn_after = warn_after
        self._leave_after = leave_after
        self._clock = clock
        self._marks: dict[str, tuple[Hashable, float]] = {}

    def look(self, marks: Mapping[str, Hashable | None], allowed: Mapping[str, float] | None = None) -> None:
        """Compare ``marks`` with the last ones.

        Args:
            marks: for each thing watched how far it is, or None if it need not move.
            allowed: for some of them, seconds that they may now take without a change, where that is more than
                ``warn_after`` or ``leave_after``.

        Raises:
            StuckError: if a mark has not changed for ``leave_after`` seconds.
        """
        allowed = allowed or {}
        now = self._clock()
        for name in [*self._marks]:
            if marks.get(name) is None:
                del self._marks[name]
        for name, mark in marks.items():
            if mark is not None and self._marks.get(name, (None, 0.0))[0] != mark:
                self._marks[name] = (mark, now)
        for name in [*self.stuck]:
            if now - self._marks.get(name, (None, now))[1] < max(self._warn_after, allowed.get(name, 0.0)):
                del self.stuck[name]
                log.info("%s: moving again", name)
        for name, (_, since) in self._marks.items():
            for_seconds = now - since
            if for_seconds < allowed.get(name, 0.0):
                continue
            if for_seconds >= self._warn_after:
                if name not in self.stuck:
                    log.error("%s: nothing has moved for %.0f s", name, for_seconds)
                self.stuck[name] = f"nothing has moved for {for_seconds:.0f} s"
            if self._leave_after is not None and for_seconds >= self._leave_after:
                raise StuckError(f"{name}: nothing has moved for {for_seconds:.0f} s")
