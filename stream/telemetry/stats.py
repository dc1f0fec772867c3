"""What a worker has done and how it is: every metric's name in one place, and the numbers behind them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PHASES = ("prepare", "forward", "finish", "commit")
"""What events wait for: decoding and tokenising, the device, annotating and sending, and the transaction."""


@dataclass
class Stats:
    """Counters since the start; each is written by one thread and may be read by any.

    - ``polled``: events read; ``enriched``: events that came out; ``failed``: stage -> dead letters; ``discarded``:
      events whose partition was lost before they were sent.
    - ``fill``: the share of the token budget that the last micro-batch used.
    - ``lag``: events not yet polled; ``lag_seconds``: the age of what was finished last, 0 when nothing is left;
      ``in_flight``, ``bytes_in_flight``: polled and not yet delivered.
    - ``landed``: micro-batches delivered; ``commits``: offsets committed, or transactions; ``aborts``: transactions.
    - ``rebalances``: what happened ("assigned", "revoked", "lost") -> how often.
    - ``seconds``: phase -> time spent.
    - ``stuck``: what the watchdog says, by what it watches.
    """

    polled: int = 0
    enriched: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    discarded: int = 0
    tokens: int = 0
    micro_batches: int = 0
    fill: float = 0.0
    lag: int = 0
    lag_seconds: float = 0.0
    newest_ms: int = 0
    """The timestamp of the event finished last."""
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
    """When the poll loop last turned, on the monotonic clock; 0 before it began."""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the time of the block to ``seconds``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began

    @property
    def dead_letters(self) -> int:
        return sum(self.failed.values())
