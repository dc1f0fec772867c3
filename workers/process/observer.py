"""Keeps the worker's numbers up to date, and gives what should move to the watchdog."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from schemas.pipeline.config import Pipeline
from stream.flight import Flight
from stream.kafka.sink import Sink
from stream.kafka.source import Source
from stream.telemetry.stats import Stats
from stream.telemetry.summary import Summary
from stream.telemetry.watchdog import Watchdog
from workers.drift.watch import Drift
from workers.process.engine import Engine

_INTERVAL = 1.0
"""Seconds between two looks at everything that need not be known at every turn of the poll loop."""
_COMPARISON = 60.0
"""Seconds between two comparisons of annotations with their references, which may have thousands of numbers."""


class Observer:
    """Watches one worker, on its poll thread.

    ``on_device`` is the number of the micro-batch on the device, or None; the device thread sets it.
    """

    def __init__(self, pipeline: Pipeline, stats: Stats, clock: Callable[[], float] = time.monotonic) -> None:
        marks = pipeline.watchdog
        leave = None if marks.leave_after_ms is None else marks.leave_after_ms / 1000
        self._watchdog = Watchdog(marks.warn_after_ms / 1000, leave, clock)
        self._clock = clock
        self._stats = stats
        self._next = self._next_comparison = 0.0
        self.on_device: int | None = None
        self._summary_every = pipeline.telemetry.summary_seconds
        self._summary: Summary | None = None
        self._drift: Drift | None = None
        stats.stuck = self._watchdog.stuck

    def observe(self, flight: Flight, source: Source, sink: Sink, engine: Engine) -> None:
        """Update ``stats``; once a second also read the counters of all parts and look for what is stuck.

        Once a minute, annotations are compared with their references.

        Raises StuckError when the watchdog gives up.
        """
        stats, chain = self._stats, engine.chain
        stats.turned = now = self._clock()
        stats.in_flight, stats.bytes_in_flight, stats.paused = flight.events, flight.bytes, source.paused
        if now < self._next:
            return
        self._next = now + _INTERVAL
        stats.landed, stats.partitions, stats.rebalances = flight.count, len(source.assignments), source.rebalances
        stats.commits, stats.aborts = sink.commits + source.commits, sink.aborts
        stats.seconds["commit"] = sink.commit_seconds
        self._drift = engine.drift
        if now >= self._next_comparison:
            self._next_comparison = now + _COMPARISON
            stats.drift = self._drift.report()
        if (cache := chain.cache) is not None:
            stats.cache_hits, stats.cache_lookups = cache.hits, cache.lookups
        stats.task_seconds = chain.pace.task_seconds
        positions = source.positions()
        lags = {name: end - position for name, (position, end) in positions.items()}
        stats.lag = sum(lags.values())
        stats.partition_lag = {(a.topic, str(a.partition)): lags.get(str(a), 0) for a in source.assignments}
        behind = stats.newest_ms and (stats.lag or stats.in_flight)
        stats.lag_seconds = max(0.0, time.time() - stats.newest_ms / 1000) if behind else 0.0
        if self._summary is None:  # from now on events are read
            self._summary = Summary(stats, self._summary_every, self._clock)
        self._summary.look()
        # A micro-batch may take many forwards: each of them is progress, and no sign of its own end.
        allowed, steps, on_device = chain.pace.allowed, chain.pace.steps, self.on_device
        marks: dict[str, Hashable | None] = {
            "brokers": "down" if source.down or sink.down else None,
            "membership": "outside" if source.outside else None,
            "device": None if on_device is None else (on_device, steps),
            "events in flight": (flight.count, steps) if flight.events else None,
        }
        for name, (position, _) in positions.items():
            marks[f"partition {name}"] = None if source.paused else position
        self._watchdog.look(marks, {"device": allowed, "events in flight": allowed})

    def end(self) -> None:
        """Compare annotations once more, and log what has been done in all; call it when nothing is read any more."""
        if self._drift is not None:
            self._stats.drift = self._drift.report()
        if self._summary is not None:
            self._summary.total()
