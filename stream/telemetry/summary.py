"""Says once a minute, and at the end, how much a worker has done and what its time went to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stream.telemetry.logs import fields
from stream.telemetry.stats import PHASES, Stats

log = logging.getLogger("glossator")


@dataclass(frozen=True, slots=True)
class _Counts:
    """The counters that are summarised, at one time (seconds on the monotonic clock)."""

    at: float
    events: int
    dead_letters: int
    tokens: int
    seconds: dict[str, float]

    @classmethod
    def now(cls, stats: Stats, at: float) -> _Counts:
        return cls(at, stats.finished, stats.dead_letters, stats.tokens, dict(stats.seconds))


class Summary:
    """Logs what has been done since the last time. Used by one thread."""

    def __init__(self, stats: Stats, every: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to count now. ``every``: seconds between two lines; None for none but that at the end."""
        self._stats, self._every, self._clock = stats, every, clock
        self._first = self._last = _Counts.now(stats, clock())

    def look(self) -> None:
        """Log a line if it is time. Call it about once a second."""
        if self._every is not None and self._clock() - self._last.at >= self._every:
            present = _Counts.now(self._stats, self._clock())
            self._log("summary", self._last, present)
            self._last = present

    def total(self) -> None:
        """Log a line about the whole time."""
        self._log("total", self._first, _Counts.now(self._stats, self._clock()))

    def _log(self, kind: str, before: _Counts, after: _Counts) -> None:
        seconds = max(after.at - before.at, 1e-3)
        events, letters = after.events - before.events, after.dead_letters - before.dead_letters
        tokens = after.tokens - before.tokens
        shares = {phase: round((after.seconds[phase] - before.seconds[phase]) / seconds, 3) for phase in PHASES}
        values: dict[str, Any] = {
            "seconds": round(seconds, 1), "events": events, "events_per_second": round(events / seconds, 1),
            "tokens": tokens, "dead_letters": letters, "lag_records": self._stats.lag,
            "lag_seconds": round(self._stats.lag_seconds, 1), "phases": shares,
        }  # fmt: skip
        log.info(
            "%s %.0f s: %s events/s (%s events, %s tokens), %s dead letters; lag %s events, %.0f s; busy: %s",
            "last" if kind == "summary" else "in all", seconds, f"{events / seconds:,.1f}", f"{events:,}",
            f"{tokens:,}", f"{letters:,}", f"{self._stats.lag:,}", self._stats.lag_seconds,
            ", ".join(f"{phase} {share:.0%}" for phase, share in shares.items()), extra=fields(kind, **values),
        )  # fmt: skip
