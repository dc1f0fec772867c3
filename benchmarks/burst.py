"""A burst: many posts at once to a worker that has nothing to do, through a broker, and where the core seconds go.

The worker is a process of its own (``glossator run``) with the four tasks of the comparison with peers. A burst lasts
from the first event sent to the last output read. What the cores do meanwhile is read from ``/proc``: the worker's
threads by their names, the broker if this process has started it, and this process, which sends and reads. The rest is
idle, or of other processes. ``--against`` starts the worker of another checkout, too, which takes turns.

    python -m benchmarks.burst --texts posts.jsonl.gz
    python -m benchmarks.burst --texts posts.jsonl.gz --dtype bfloat16 --rounds 6 --against ../main
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.core_seconds import Seconds, Threads, mean, spent, threads_of
from benchmarks.peers import named_threads
from benchmarks.peers.candidates import Candidate, tasks_of
from benchmarks.peers.running import WARM_UP, Event, Run, running
from benchmarks.report import report
from benchmarks.rounds import in_turn, ratios, rounds
from benchmarks.texts import texts_from
from tests.kafka.choice import cluster
from workers.process.cores import usable_cores

BROKER, SENDING, IDLE = "broker", "sending and reading of the benchmark", "idle, or not attributed"


class Look(NamedTuple):
    """When, the threads of the worker, and the core seconds of the broker and of this process until then."""

    at: float
    worker: Threads
    broker: float
    here: float


class Burst(NamedTuple):
    """``rate``: events per second; ``seconds``: core seconds, by what they were spent on."""

    rate: float
    seconds: Seconds


class Cores:
    """What has been spent since this was made, of all cores that this process may use."""

    def __init__(self, worker: int, brokers: Sequence[psutil.Process]) -> None:
        """``worker``: the number of its process."""
        self._worker, self._brokers = worker, brokers
        self._before = self._look()

    def spent(self) -> Seconds:
        """Return core seconds: those of the worker by what its threads do, and of everything else."""
        before, after = self._before, self._look()
        seconds = spent(before.worker, after.worker)
        seconds[BROKER], seconds[SENDING] = after.broker - before.broker, after.here - before.here
        seconds[IDLE] = (after.at - before.at) * usable_cores() - sum(seconds.values())
        return seconds

    def _look(self) -> Look:
        broker = sum(times.user + times.system for times in (process.cpu_times() for process in self._brokers))
        return Look(time.perf_counter(), threads_of(self._worker), broker, time.process_time())


def measure(run: Run, events: Sequence[Event], brokers: Sequence[psutil.Process]) -> Burst:
    """Send a burst of ``events``. Raises CandidateError."""
    cores = Cores(run.pid, brokers)
    burst = run.burst(events)
    return Burst(burst.rate, cores.spent())


def figures_of(bursts: Mapping[str, Sequence[Burst]]) -> dict[str, float]:
    """Return the figures to report; the first of ``bursts`` is compared with each of the others."""
    figures: dict[str, float] = {}
    for name, each in bursts.items():
        figures[f"{name}: posts/s"] = statistics.median(burst.rate for burst in each)
        seconds = mean(burst.seconds for burst in each)
        total = sum(seconds.values())
        for part, part_seconds in seconds.items():
            figures[f"{name}: core seconds, {part}"] = part_seconds
            figures[f"{name}: share, {part}"] = part_seconds / total
    first, *others = bursts
    for other in others:
        rates, other_rates = ([burst.rate for burst in bursts[name]] for name in (first, other))
        figures |= ratios(f"{first} / {other}", rates, other_rates)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="JSON lines with a text field, may be gzipped; default: the demo's")
    parser.add_argument("--events", type=int, default=400, help="of a burst")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--budget", type=float, default=150.0, help="seconds within which the rounds end")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--against", type=Path, help="the folder of another checkout, whose worker takes turns")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # ends what was started, too
    began = time.perf_counter()
    events: list[Event] = [
        {"id": f"e{number}", "text": text} for number, text in enumerate(texts_from(options.texts, options.events))
    ]
    checkouts = {"here": Path(__file__).parents[1]}
    if options.against:
        checkouts["there"] = options.against.resolve()
    tasks = tasks_of("four")
    bursts: dict[str, list[Burst]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka, ExitStack() as stack:
        brokers = psutil.Process().children(recursive=True)
        runs = {
            name: stack.enter_context(running(
                Candidate(
                    name, settings={"compute": {"dtype": options.dtype}}, checkout=checkout,
                    launcher=("-P", str(named_threads.__file__)),
                ),
                tasks, kafka, events[:WARM_UP],
            ))
            for name, checkout in checkouts.items()
        }  # fmt: skip
        for run in runs.values():
            run.burst(events)  # the first one of all is slower
        for number in rounds(options.rounds, began + options.budget):
            for name in in_turn(runs, number):
                bursts[name].append(measure(runs[name], events, brokers))
    title = f"Bursts of {len(events)} posts, {options.dtype}, {len(bursts['here'])} rounds, {kafka.kind}"
    report("burst", title, figures_of(bursts))


if __name__ == "__main__":
    main()
