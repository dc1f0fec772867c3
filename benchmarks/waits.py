"""Where an event waits between two topics, while others arrive at a share of what the worker can do.

The load is open: events are sent at times drawn beforehand, and count from then. By default forwards only sleep, for a
fixed time and a time per token, so what is measured is how events wait for each other, on any machine. With a pipeline
its models compute. The capacity, of which loads are shares, is the rate of a burst.

Several ways of batching are compared in turns: each has a worker, which keeps what it has learnt, and in each round all
get the same events at the same times. "Forwards" are milliseconds of core time an event.

    python -m benchmarks.waits
    python -m benchmarks.waits --pipeline examples/starter.yaml --texts posts.jsonl.gz
    python -m benchmarks.waits --pipeline four --texts posts.jsonl.gz --loads 0.3 0.7 --seconds 12 --rounds 2 \\
        --batching '{"linger_ms": 10}' '{"target_latency_ms": 200}' '{"target_latency_ms": 400}'
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.core_seconds import FORWARDS, spent, threads_of
from benchmarks.four_tasks import loaded, pipeline_of
from benchmarks.peers.figures import percentile, schedule
from benchmarks.peers.named_threads import name_threads
from benchmarks.report import report
from benchmarks.rounds import in_turn, rounds
from benchmarks.texts import texts_from
from benchmarks.watched import STEPS, WatchedWorker
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from tests.kafka.choice import cluster
from tests.noop import NoopChain
from tests.noop import pipeline as noop_pipeline
from workers.process.memory import collect_as_usual, collect_rarely


class SleepingChain(NoopChain):
    """Computes nothing: the forwards of a micro-batch take ``fixed`` seconds and ``token`` more for each token."""

    def __init__(self, fixed: float, token: float) -> None:
        super().__init__()
        self.fixed, self.token = fixed, token

    def prepare(self, documents: list[Document]) -> None:
        for document in documents:
            document.tokens = min(512, max(3, len(document.text) // 4))

    def forward(self, work: list[Document], wait_for: Any = None) -> None:
        time.sleep(self.fixed + self.token * sum(document.tokens for document in work))


class Turn(NamedTuple):
    """What one way of batching did with the events of a load.

    Attributes:
        moments: of each event, from when it should have been sent until its output was read.
        tokens: of each micro-batch.
        forwards: milliseconds of core time an event in forwards; 0 if they only sleep.
    """

    moments: list[list[float]]
    tokens: list[int]
    forwards: float

    def percentile(self, share: float) -> float:
        """Return a percentile of the whole latency, in ms."""
        return percentile([(each[-1] - each[0]) * 1000 for each in self.moments], share)


def take(worker: WatchedWorker, texts: Sequence[str], times: Sequence[float]) -> Turn:
    """Send ``texts`` at their times; those that are missing begin again with the first."""
    worker.chain.tokens.clear()
    before = threads_of(os.getpid())
    moments = worker.load(list(itertools.islice(itertools.cycle(texts), len(times))), times)
    forwards = spent(before, threads_of(os.getpid()))[FORWARDS]
    return Turn(moments, list(worker.chain.tokens), forwards / len(times) * 1000)


def show(turn: Turn, title: str) -> Table:
    """Return a table of what events wait for: the mean, for the slowest tenth too, and percentiles, in ms."""
    waits = [[(end - start) * 1000 for start, end in itertools.pairwise(each)] for each in turn.moments]
    totals = [sum(each) for each in waits]
    slow = percentile(totals, 0.9)
    slowest = [each for each in waits if sum(each) >= slow]
    table = Table("waits for, ms", "mean", "of the slowest tenth", "p50", "p99", title=title)
    for number, step in enumerate(STEPS):
        column = [each[number] for each in waits]
        table.add_row(
            step, f"{statistics.fmean(column):.1f}", f"{statistics.fmean(each[number] for each in slowest):.1f}",
            f"{percentile(column, 0.5):.1f}", f"{percentile(column, 0.99):.1f}",
        )  # fmt: skip
    table.add_row(
        "all", f"{statistics.fmean(totals):.1f}", f"{statistics.fmean(map(sum, slowest)):.1f}",
        f"{percentile(totals, 0.5):.1f}", f"{percentile(totals, 0.99):.1f}", style="bold",
    )  # fmt: skip
    table.caption = (
        f"{len(totals)} events, {len(turn.tokens)} micro-batches of {statistics.fmean(turn.tokens):.0f} tokens"
    )
    return table


def compared(load: float, turns: Mapping[str, Sequence[Turn]]) -> Table:
    """Return a table of the ways: medians over the rounds, and of the ratios to the first way in the same round."""
    names = "", "p50, ms", "p99, ms", "ratio", "forwards, ms", "ratio", "tokens of a micro-batch"
    table = Table(*names, title=f"load {load:.0%}, {len(next(iter(turns.values())))} rounds")
    for way, figures in figures_of(turns).items():
        ratios = [
            f"{figures[f'{of}, ratio']:.2f} ({figures[f'{of}, lowest']:.2f} to {figures[f'{of}, highest']:.2f})"
            for of in ("p99", "forwards")
        ]
        table.add_row(
            way, f"{figures['p50, ms']:.0f}", f"{figures['p99, ms']:.0f}", ratios[0],
            f"{figures['forwards, ms an event']:.1f}", ratios[1], f"{figures['tokens']:.0f}",
        )  # fmt: skip
    return table


def figures_of(turns: Mapping[str, Sequence[Turn]]) -> dict[str, dict[str, float]]:
    """Return for each way the medians over the rounds, and of the ratios to the first way in the same round."""
    first = next(iter(turns.values()))
    figures: dict[str, dict[str, float]] = {}
    for way, each in turns.items():
        tails = [turn.percentile(0.99) / other.percentile(0.99) for turn, other in zip(each, first, strict=True)]
        costs = [turn.forwards / other.forwards for turn, other in zip(each, first, strict=True) if other.forwards]
        figures[way] = {
            "p50, ms": statistics.median(turn.percentile(0.5) for turn in each),
            "p99, ms": statistics.median(turn.percentile(0.99) for turn in each),
            "p99, ratio": statistics.median(tails), "p99, lowest": min(tails), "p99, highest": max(tails),
            "forwards, ms an event": statistics.median(turn.forwards for turn in each),
            "forwards, ratio": statistics.median(costs or [1.0]), "forwards, lowest": min(costs or [1.0]),
            "forwards, highest": max(costs or [1.0]),
            "tokens": statistics.fmean(tokens for turn in each for tokens in turn.tokens),
        }  # fmt: skip
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", help="file whose models compute, or: four; default: forwards only sleep")
    parser.add_argument("--texts", type=Path, help="JSON lines with a text field, may be gzipped; default: the demo's")
    parser.add_argument("--events", type=int, default=400, help="of the burst that shows the capacity")
    parser.add_argument("--capacity", type=float, help="events/s, to compare runs at equal load; default: measured")
    parser.add_argument("--loads", type=float, nargs="+", default=[0.3, 0.7, 0.95])
    parser.add_argument("--seconds", type=float, default=15.0, help="of each load")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--budget", type=float, default=150.0, help="seconds within which the rounds end")
    parser.add_argument("--fixed-ms", type=float, default=4.0, help="sleeping: milliseconds of a micro-batch")
    parser.add_argument("--token-us", type=float, default=150.0, help="sleeping: microseconds of a token")
    parser.add_argument("--batching", nargs="+", default=["{}"], help="the section as JSON, one for each way")
    options = parser.parse_args()
    began = time.perf_counter()
    name_threads()
    texts = texts_from(options.texts, options.events)
    if options.pipeline:
        pipeline = pipeline_of(options.pipeline)
        chain: Any = loaded(pipeline)
    else:
        chain = SleepingChain(options.fixed_ms / 1000, options.token_us / 1_000_000)
        pipeline = noop_pipeline()
    ways = {_name(section): with_batching(pipeline, section) for section in map(orjson.loads, options.batching)}
    console, turns = Console(width=120), defaultdict[float, dict[str, list[Turn]]](dict)
    collect_rarely()
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka, ExitStack() as stack:
        workers: dict[str, WatchedWorker] = {}
        for way, settings in ways.items():
            workers[way] = worker = WatchedWorker(kafka, settings, chain)
            stack.callback(worker.close)
            worker.load(texts, [0.0] * len(texts))  # each learns how fast the device is
        capacity = options.capacity
        if capacity is None:
            moments = next(iter(workers.values())).load(texts, [0.0] * len(texts))
            capacity = len(texts) / (max(each[-1] for each in moments) - min(each[0] for each in moments))
            console.print(f"{capacity:.0f} events/s in a burst of {len(texts)}, {kafka.kind}")
        for number in rounds(options.rounds, began + options.budget):
            for load in options.loads:
                times = schedule(capacity * load, options.seconds, number)
                for way in in_turn(workers, number):
                    turn = take(workers[way], texts, times)
                    turns[load].setdefault(way, []).append(turn)
                    console.print(show(turn, f"{way}, {capacity * load:.0f} events/s, load {load:.0%}"))
    collect_as_usual()
    figures: dict[str, float] = {"capacity, events/s": capacity}
    for load, by_way in turns.items():
        by_way = {way: by_way[way] for way in ways}
        if len(ways) > 1:
            console.print(compared(load, by_way))
        for way, measured in figures_of(by_way).items():
            figures |= {f"{load:.0%}, {way}: {name}": figure for name, figure in measured.items()}
    report("waits", f"Latency under load, {options.seconds:g} s each, {kafka.kind}", figures)


def with_batching(pipeline: Pipeline, section: dict[str, Any]) -> Pipeline:
    """Return ``pipeline`` with other fields of ``batching``. Raises ValidationError."""
    batching = pipeline.batching
    return pipeline.model_copy(update={"batching": batching.model_validate({**batching.model_dump(), **section})})


def _name(section: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in section.items()) or "as in the file"


if __name__ == "__main__":
    main()
