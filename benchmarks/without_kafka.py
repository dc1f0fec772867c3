"""A worker without Kafka: queues in memory take the place of the topics, all else is as in a worker.

The chain has the four tasks of the comparison with peers, and the threads are those of a worker, so this shows what a
broker, the client and the benchmark's own sending cost, and what the rest does without them. In each round, every
precision gets a burst, which is all posts at once, then loads that are shares of what it did in its first burst. Loads
are open: posts come at times drawn beforehand (a Poisson process), and their latency counts from then.

    python -m benchmarks.without_kafka --texts posts.jsonl.gz
    python -m benchmarks.without_kafka --texts posts.jsonl.gz --dtype bfloat16 --loads 0.7 --seconds 20
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import orjson

from benchmarks.core_seconds import Seconds, mean, spent, threads_of
from benchmarks.four_tasks import four_tasks, loaded
from benchmarks.in_memory import QueueWorker
from benchmarks.peers.figures import latencies, percentile, schedule
from benchmarks.peers.named_threads import name_threads
from benchmarks.report import report
from benchmarks.rounds import in_turn, ratios, rounds
from benchmarks.texts import texts_from
from workers.process.cores import usable_cores
from workers.process.memory import collect_as_usual, collect_rarely

DTYPES = ("float32", "bfloat16")
WARM_UP = 64
"""Posts before anything is measured."""
IDLE = "idle, or not attributed"


class Turn(NamedTuple):
    """What a worker did with some posts.

    Attributes:
        rate: posts per second, from the first one due to the last one sent.
        delays: milliseconds of each, from when it was due until its event was sent.
        seconds: core seconds, by what they were spent on.
    """

    rate: float
    delays: list[float]
    seconds: Seconds


def take(worker: QueueWorker, texts: Sequence[str], times: Sequence[float]) -> Turn:
    """Give each text to ``worker`` at its time, in seconds from now, and wait until all are sent."""
    values = [orjson.dumps({"id": str(number), "text": text}) for number, text in enumerate(texts)]
    before, began = threads_of(os.getpid()), time.perf_counter()
    offsets = []
    for value, at in zip(values, times, strict=True):
        if (left := began + at - time.perf_counter()) > 0:
            time.sleep(left)
        offsets.append(worker.topic.put(value))
    worker.wait()
    seconds = spent(before, threads_of(os.getpid()))
    seconds[IDLE] = (time.perf_counter() - began) * usable_cores() - sum(seconds.values())
    sent = [worker.topic.sent[offset] - began for offset in offsets]
    return Turn(len(sent) / (max(sent) - min(times)), latencies(times, sent), seconds)


def figures_of(turns: Mapping[str, Sequence[Turn]]) -> dict[str, float]:
    """Return the figures of a load: medians over the rounds. ``turns`` of all precisions are in the same rounds."""
    figures: dict[str, float] = {}
    for dtype, each in turns.items():
        figures[f"{dtype}: posts/s"] = statistics.median(turn.rate for turn in each)
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            figures[f"{dtype}: {name}, ms"] = statistics.median(percentile(turn.delays, share) for turn in each)
        for part, seconds in mean(turn.seconds for turn in each).items():
            figures[f"{dtype}: core seconds, {part}"] = seconds
    return figures


def ratios_of(turns: Mapping[str, Sequence[Turn]]) -> dict[str, float]:
    """Return how many times as fast as the first precision each other one is in bursts."""
    figures: dict[str, float] = {}
    first, *others = turns
    for other in others:
        rates, first_rates = ([turn.rate for turn in turns[dtype]] for dtype in (other, first))
        figures |= ratios(f"{other} / {first}", rates, first_rates)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="JSON lines with a text field, may be gzipped; default: the demo's")
    parser.add_argument("--events", type=int, default=400, help="of a burst")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=150.0, help="seconds within which the rounds end")
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=DTYPES)
    parser.add_argument("--loads", type=float, nargs="*", default=[0.3, 0.7], help="shares of the rate of a burst")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    options = parser.parse_args()
    began = time.perf_counter()
    name_threads()
    texts = texts_from(options.texts, options.events)
    pipelines = {dtype: four_tasks(compute={"dtype": dtype}) for dtype in dict.fromkeys(options.dtype)}
    chains = {dtype: loaded(pipeline) for dtype, pipeline in pipelines.items()}
    collect_rarely()  # as the worker does
    turns: dict[float | None, dict[str, list[Turn]]] = {
        load: {dtype: [] for dtype in pipelines} for load in (None, *options.loads)
    }
    with ExitStack() as stack:
        workers = {dtype: QueueWorker(pipelines[dtype], chain) for dtype, chain in chains.items()}
        for worker in workers.values():
            stack.callback(worker.close)
        for worker in workers.values():
            take(worker, texts[:WARM_UP], [0.0] * len(texts[:WARM_UP]))
        for number in rounds(options.rounds, began + options.budget):
            for dtype in in_turn(workers, number):
                bursts = turns[None][dtype]
                bursts.append(take(workers[dtype], texts, [0.0] * len(texts)))
                for load in options.loads:
                    times = schedule(bursts[0].rate * load, options.seconds, number)
                    posts = list(itertools.islice(itertools.cycle(texts), len(times)))
                    turns[load][dtype].append(take(workers[dtype], posts, times))
    collect_as_usual()
    for load, by_dtype in turns.items():
        count = len(next(iter(by_dtype.values())))
        name = "burst" if load is None else f"load-{load:g}"
        what = f"A burst of {len(texts)} posts" if load is None else f"{load:.0%} of the rate of a burst"
        figures = {**figures_of(by_dtype), **(ratios_of(by_dtype) if load is None else {})}
        report(f"without_kafka-{name}", f"{what}, without Kafka, {count} rounds", figures)


if __name__ == "__main__":
    main()
