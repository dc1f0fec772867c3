"""How long an event takes while others arrive: open-loop load at a share of what the candidate can do.

Events are sent at times that were drawn beforehand and count from the time at which they should have been sent. The
capacity is measured first, as the rate of a burst of all events.
"""

from __future__ import annotations

import itertools
import urllib.request
from collections.abc import Iterator, Sequence

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.peers.candidates import GLOSSATOR, LOOP, Candidate, tasks_of
from benchmarks.peers.figures import latencies, percentile, schedule
from benchmarks.peers.rows import Rows
from benchmarks.peers.running import WARM_UP, Event, running
from tests.kafka.cluster import Cluster
from tests.kafka.node import free_ports

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
    (port,) = free_ports(1)
    settings = {**GLOSSATOR.settings, "batching": {"linger_ms": linger}, "telemetry": {"port": port}}
    return Candidate(GLOSSATOR.name, settings=settings)


def forwards(candidate: Candidate) -> tuple[float, float]:
    """Return the seconds in forwards and their number since glossator started, from its metrics; zeros for a peer."""
    port = candidate.settings.get("telemetry", {}).get("port")
    if port is None:
        return 0.0, 0.0
    totals = {"glossator_forward_seconds_sum": 0.0, "glossator_forward_seconds_count": 0.0}
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        for family in text_string_to_metric_families(answer.read().decode()):
            for sample in family.samples:
                if sample.name in totals:
                    totals[sample.name] += sample.value
    seconds, number = totals.values()
    return seconds, number


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
            before = forwards(candidate)
            delays = latencies(times, run.load(sent, times))
            took, number = (after - earlier for after, earlier in zip(forwards(candidate), before, strict=True))
            rows.add((PART, candidate.name, linger, load), {
                "candidate": candidate.name, "linger": linger, "load": load, "capacity": capacity,
                "events/s": capacity * load, "events": len(times),
                "p50 ms": percentile(delays, 0.5), "p90 ms": percentile(delays, 0.9),
                "p99 ms": percentile(delays, 0.99), "highest ms": max(delays),
                "forward ms": took / number * 1000 if number else None,
            })  # fmt: skip
