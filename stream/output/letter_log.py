"""Logs dead letters: one line each while there are few, counts while there are many; never text of an event."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from schemas.document import Failure
from schemas.record import Record

log = logging.getLogger("glossator")

_LINES = 10
"""Lines of single dead letters in one window."""
_WINDOW = 60.0
"""Seconds of a window; at its end, the dead letters without a line are logged as counts."""
_KINDS = 5
"""Kinds of failures that are counted by name in one line; the rest is one number."""


def place(record: Record) -> str:
    """Return where a record is: ``topic[partition]@offset``."""
    return f"{record.assignment.topic}[{record.assignment.partition}]@{record.offset}"


def described(failure: Failure) -> str:
    """Return stage, task and reason of a failure in one line; like the failure itself, without text of the event.

    A failure at stage ``route`` has the name of a route instead of a task.
    """
    return f"{failure.stage}{_task(failure, ', task')}: {' '.join(failure.message.split())} ({failure.error})"


def _task(failure: Failure, noun: str) -> str:
    if failure.task is None:
        return ""
    return f'{"" if failure.stage == "route" else noun} "{failure.task}"'


class LetterLog:
    """Logs dead letters at level info. Used by one thread; no method blocks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock``: returns seconds."""
        self._clock = clock
        self._ends: float | None = None
        self._lines = 0
        self._counts: Counter[str] = Counter()
        self._latest = ""

    def note(self, record: Record, failure: Failure) -> None:
        """Log that ``record`` becomes a dead letter because of ``failure``, or count it if there are too many."""
        self.tick()
        if self._ends is None:
            self._ends = self._clock() + _WINDOW
        if self._lines < _LINES:
            self._lines += 1
            log.info("dead letter: %s failed at %s", place(record), described(failure))
            return
        self._counts[f"{failure.stage}{_task(failure, ' in task')} ({failure.error})"] += 1
        self._latest = place(record)

    def tick(self) -> None:
        """Log the counts if the window is over. To be called now and then, also while no event fails."""
        if self._ends is not None and self._clock() >= self._ends:
            self.flush()

    def flush(self) -> None:
        """Log the dead letters that have only been counted so far, and start a new window with the next one."""
        if self._counts:
            kinds = [f"{count} at {kind}" for kind, count in self._counts.most_common(_KINDS)]
            rest = self._counts.total() - sum(count for _, count in self._counts.most_common(_KINDS))
            if rest:
                kinds.append(f"{rest} others")
            log.info(
                "%d more dead letters, the last of them %s: %s", self._counts.total(), self._latest, ", ".join(kinds)
            )
        self._ends, self._lines = None, 0
        self._counts.clear()
