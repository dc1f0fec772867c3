"""How fast: a duel of glossator with each peer. Both are warm and take turns over the same events.

Each turn is a burst: all events are sent at once to an idle candidate, and the clock runs from the first event sent to
the last output read. A slow peer gets only as many of the events, from the first on, as it can do in ``seconds``. Then
glossator also runs these alone, for the ratio: both have done the same work. The ratio is the median over the rounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.peers.agreement import Agreement, compare
from benchmarks.peers.candidates import BFLOAT16, GLOSSATOR, INT8, PEERS_OF, Candidate, tasks_of
from benchmarks.peers.figures import fitting, spread
from benchmarks.peers.rows import Row, Rows
from benchmarks.peers.running import WARM_UP, Burst, CandidateError, Event, Run, running
from tests.kafka.cluster import Cluster

PART = "throughput"
_LABELS = 0.95
"""The share of labels and spans that must be equal in bfloat16 or int8, or else the row is void."""


class Workload(NamedTuple):
    """``tokens``: of each event; ``rounds``: turns of each candidate; ``seconds``: about how long a slow peer's are."""

    events: Sequence[Event]
    tokens: Sequence[int]
    rounds: int
    seconds: float


def duels(int8: bool) -> Iterator[tuple[str, Candidate]]:
    """Yield the set of tasks and the other candidate of each duel, the most important first."""
    precisions = (BFLOAT16, INT8) if int8 else (BFLOAT16,)
    for rank in range(max(map(len, PEERS_OF.values()))):
        for group, peers in PEERS_OF.items():
            if rank < len(peers):
                yield group, peers[rank]
            if group == "four" and rank == 0:
                yield from ((group, candidate) for candidate in precisions)


def measure(
    rows: Rows,
    kafka: Cluster,
    group: str,
    other: Candidate,
    workload: Workload,
    *,
    threads: int | None,
) -> Row:
    """Run one duel and save its row. A peer that fails gets a void row.

    Raises CandidateError if glossator fails.
    """
    key = (PART, group, other.name)
    tasks, warm_up = tasks_of(group), workload.events[:WARM_UP]
    row: Row = {"group": group, "candidate": other.name, "void": ""}
    with running(GLOSSATOR, tasks, kafka, warm_up, threads, keep=True) as glossator:
        try:
            with running(other, tasks, kafka, warm_up, threads, keep=True) as peer:
                row |= _rounds(glossator, peer, workload, other)
        except CandidateError as error:
            row["void"] = str(error)
    rows.add(key, row)
    return row


def _rounds(glossator: Run, peer: Run, workload: Workload, other: Candidate) -> dict[str, Any]:
    events, tokens = workload.events, workload.tokens
    trial = peer.burst(events[:WARM_UP])
    count = fitting(trial.rate, workload.seconds, len(events))
    whole: list[Burst] = []
    left: list[Burst] = []
    right: list[Burst] = []
    for number in range(workload.rounds):
        # Whoever goes second may find a warmer or a busier machine, so they take turns in that, too.
        turns = [(glossator, count, left), (peer, count, right)]
        for run, size, bursts in turns if number % 2 == 0 else reversed(turns):
            bursts.append(run.burst(events[:size]))
        whole.append(left[-1] if count == len(events) else glossator.burst(events))
    agreement = compare(left[-1].outputs, right[-1].outputs)
    ratios = [fast.rate / slow.rate for fast, slow in zip(left, right, strict=True)]
    return {
        "rounds": workload.rounds,
        "ratio": statistics.median(ratios), "lowest ratio": min(ratios), "highest ratio": max(ratios),
        **_agreement(agreement, other),
        "peer": _figures(right, tokens, peer.peak_mib), "glossator": _figures(whole, tokens, glossator.peak_mib),
    }  # fmt: skip


def _agreement(agreement: Agreement, other: Candidate) -> dict[str, Any]:
    # Reduced precision differs by its nature, so its row says by how much.
    void = agreement.void if other.program or agreement.labels < _LABELS else ""
    return {"void": void, "largest difference": agreement.difference, "equal labels": agreement.labels}


def _figures(bursts: list[Burst], tokens: Sequence[int], peak: float) -> dict[str, float]:
    rates = [burst.rate for burst in bursts]
    count = bursts[0].events
    return {
        "events": count,
        "events/s": statistics.median(rates),
        "tokens/s": statistics.median(rates) * sum(tokens[:count]) / count,
        "spread": spread(rates),
        "CPU ms an event": statistics.median(burst.processor / count * 1000 for burst in bursts),
        "peak MiB": peak,
    }
