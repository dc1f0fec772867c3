"""What a worker has done so far, in numbers anybody may read at any time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stats:
    """Counters since the start; each is written by one thread and may be read by any.

    ``fill`` is the share of the token budget that the last micro-batch used; ``lag`` counts events
    not yet polled, ``in_flight`` events polled and not yet delivered.
    """

    polled: int = 0
    enriched: int = 0
    dead_letters: int = 0
    discarded: int = 0
    tokens: int = 0
    micro_batches: int = 0
    fill: float = 0.0
    lag: int = 0
    in_flight: int = 0
    paused: bool = False
