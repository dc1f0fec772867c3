"""How long an event takes while others arrive: open-loop load at a share of what the candidate can do.

Events are sent at times that were drawn beforehand and count from the time at which they should have been sent. The
capacity is measured first, as the rate of a burst of all events.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from benchmarks.peers.candidates import GLOSSATOR, LOOP, Candidate, tasks_of
from benchmarks.peers.figures import latencies, percentile, schedule
from benchmarks.peers.rows import Rows
from benchmarks.peers.running import WARM_UP, Event, running
from tests.kafka.cluster import Cluster

PART = "latency"
LOADS = (0.3, 0.7, 0.95)
"""Shares of the capacity."""
LINGERS = (10, 0, 50, 200)
"""Milliseconds; 10 is glossator's default."""


def candidates() -> Iterator[tuple[Candidate, int | None]]:
    """Yield each candidate, with its linger in milliseconds; None for a peer, which has none."""
    for linger in LINGERS:
        yield with_linger(linger), linger
        if linger == LINGERS[0]:
            yield LOOP, None


def with_linger(linger: int) -> Candidate:
    return Candidate(GLOSSATOR.name, settings={**GLOSSATOR.settings, "batching": {"linger_ms": linger}})


def measure(
    rows: Rows,
    kafka: Cluster,
    candidate: Candidate,
    linger: int | None,
    events: Sequence[Event],
    *,
    seconds: float,
    threads: int | None,
) -> None:
    """Measure one candidate at all loads, each for ``seconds``, and save a row for each."""
    with running(candidate, tasks_of("four"), kafka, events[:WARM_UP], threads) as run:
        # A peer need not annotate all events to show how fast it is.
        sample = events if not candidate.program else events[: 4 * WARM_UP]
        capacity = run.burst(sample).rate
        for load in LOADS:
            times = schedule(capacity * load, seconds)
            sent = list(itertools.islice(itertools.cycle(events), len(times)))
            delays = latencies(times, run.load(sent, times))
            rows.add((PART, candidate.name, linger, load), {
                "candidate": candidate.name, "linger": linger, "load": load, "capacity": capacity,
                "events/s": capacity * load, "events": len(times),
                "p50 ms": percentile(delays, 0.5), "p90 ms": percentile(delays, 0.9),
                "p99 ms": percentile(delays, 0.99), "highest ms": max(delays),
            })  # fmt: skip
