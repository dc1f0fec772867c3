"""How glossator's speed depends on the number of events, workers, duplicates, conditions and tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.peers import checkpoints
from benchmarks.peers.candidates import CHECKPOINTS, GLOSSATOR, Candidate, tasks_of
from benchmarks.peers.cases import Case, with_duplicates
from benchmarks.peers.figures import cost_per_million
from benchmarks.peers.rows import Row, Rows
from benchmarks.peers.running import WARM_UP, Event, running
from tests.kafka.cluster import Cluster

PART = "scale"


def tasks_for(case: Case) -> list[dict[str, Any]]:
    if case.heads is not None:
        return list(checkpoints.tasks(CHECKPOINTS, checkpoints.more(case.heads)))
    tasks: list[dict[str, Any]] = list(tasks_of("four"))
    if case.when is not None:
        # A trunk of its own: a task that shares the forward of the others anyway saves nothing.
        alone = checkpoints.tasks(CHECKPOINTS, checkpoints.FOUR[:1], shared=False)
        tasks = [*tasks, {**alone[0], "name": "wanted", "when": f"event.number < {case.when * 1000:g}"}]
    return tasks


def measure(rows: Rows, kafka: Cluster, case: Case, texts: Sequence[str], *, threads: int | None, price: float) -> Row:
    """Run one case as a burst of its events, and save its row."""
    chosen = with_duplicates(texts[: case.events], case.duplicates)
    events: list[Event] = [
        {"id": f"e{n}", "number": n * 617 % 1000, "text": text} for n, text in enumerate(chosen)
    ]  # fmt: skip
    warm_up = [{"id": f"w{n}", "number": 0, "text": f"warm up {n}: {text}"} for n, text in enumerate(texts[:WARM_UP])]
    settings = {**GLOSSATOR.settings}
    settings["compute"] = {**settings["compute"], "cache": case.cache}
    candidate = Candidate(GLOSSATOR.name, settings=settings, workers=case.workers)
    with running(candidate, tasks_for(case), kafka, warm_up, threads) as run:
        burst = run.burst(events, within=24 * 3600)
        row: Row = {
            "of": case.of, "value": case.value, "events": case.events, "workers": case.workers,
            "events/s": burst.rate, "CPU ms an event": burst.processor / burst.events * 1000,
            "peak MiB": run.peak_mib, "USD per million events": cost_per_million(burst.rate, price),
        }  # fmt: skip
    rows.add((PART, case.of, case.value), row)
    return row
