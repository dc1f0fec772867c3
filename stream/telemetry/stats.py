"""The numbers behind the metrics: what a worker has done, and how it is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PHASES = ("prepare", "forward", "finish", "commit")
"""What events spend time on: decoding and tokenising, the device, annotating and encoding, and the transaction."""


@dataclass
class Stats:
    """Counters since the worker started, and its current state.

    Each field is written by one thread and may be read by any. Numbers of events include dead letters unless they say
    otherwise; offsets, lags and partitions are those of the input topics.

    Attributes:
        polled: events polled.
        enriched: events published enriched. One that the broker rejects is subtracted again and counted in ``failed``.
        tombstones: tombstones passed on. One that the broker rejects is subtracted, as above.
        dropped: events of which nothing was published, because a route drops them.
        routed: events that each route took, those that it copied or dropped included. A copy that the broker rejects
            is subtracted.
        skipped: tombstones that were not published, because of `input.tombstones: skip`.
        failed: dead letters, by the stage that failed.
        discarded: events that were not published, because their partition was lost first.
        redacted: values that were replaced in published events, by label and operator.
        unread: annotations for which too much of the text was unknown to the tokenizer, by task.
        tokens: tokens that the encoder has read.
        micro_batches: micro-batches handed to the sink.
        fill: tokens of the last micro-batch as a share of the token budget, 0 to 1 (more for a long text).
        lag: events in the log that are not polled yet, as of the last second.
        lag_seconds: seconds since the timestamp of the event finished last; 0 when no event is left.
        newest_ms: that timestamp in milliseconds since the epoch; 0 before the first event or if it has none.
        in_flight: events polled that are neither delivered nor dropped.
        bytes_in_flight: bytes of their values.
        landed: micro-batches delivered.
        commits: acknowledged offset commits, or committed transactions.
        aborts: aborted transactions.
        partitions: partitions assigned now.
        rebalances: how often the group has "assigned", "revoked" or "lost" partitions.
        seconds: seconds spent in each of ``PHASES``.
        cache_hits: annotations found in the cache.
        cache_lookups: annotations looked up in the cache.
        paused: whether backpressure pauses polling.
        stuck: for each thing that the watchdog finds stuck, a sentence that says for how long.
        turned: when the poll loop last turned, in seconds on the monotonic clock; 0 before it has started.
    """

    polled: int = 0
    enriched: int = 0
    tombstones: int = 0
    dropped: int = 0
    routed: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    discarded: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    redacted: Counter[tuple[str, str]] = field(default_factory=Counter)
    tokens: int = 0
    micro_batches: int = 0
    fill: float = 0.0
    lag: int = 0
    lag_seconds: float = 0.0
    newest_ms: int = 0
    in_flight: int = 0
    bytes_in_flight: int = 0
    landed: int = 0
    commits: int = 0
    aborts: int = 0
    partitions: int = 0
    rebalances: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    cache_hits: int = 0
    cache_lookups: int = 0
    paused: bool = False
    stuck: dict[str, str] = field(default_factory=dict)
    turned: float = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to ``seconds[name]``, also if it raises."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began

    @property
    def finished(self) -> int:
        """Number of events that have an outcome other than ``discarded``."""
        return self.enriched + self.tombstones + self.dropped + self.skipped + self.dead_letters

    @property
    def dead_letters(self) -> int:
        """Number of dead letters, whichever stage failed."""
        return sum(self.failed.values())
