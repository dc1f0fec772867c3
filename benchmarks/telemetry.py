"""The cost of metrics and traces: a worker that computes nothing, with and without them, interleaved.

The worker is alone in a process, whose processor time tells more than its rate, because the broker shares the cores.
This process scrapes the metrics every second and collects the spans. "Nothing" leaves out even the counts and
histograms, which no setting can. Where producers trace, all events have a ``traceparent``, and a hundredth of them are
sampled.

    python -m benchmarks.telemetry --events 60000 --rounds 9
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import statistics
import tempfile
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from benchmarks.host_path import Run, fill, worker
from benchmarks.report import report
from benchmarks.rounds import in_turn
from stream.output.tally import Tally
from tests import otlp
from tests.kafka.choice import cluster
from tests.kafka.cluster import Headers
from tests.kafka.node import free_ports
from workers.process.memory import collect_rarely
from workers.web.address import Address


class Way(NamedTuple):
    """What a worker does besides its work.

    Attributes:
        compared: the way it is compared with; None for those that others are compared with.
        metrics: whether it counts, and serves its metrics.
        traces: whether it traces a hundredth of its micro-batches, and events that their producers have sampled.
        traceparent: whether events have that header.
    """

    compared: str | None
    metrics: bool = False
    traces: bool = False
    traceparent: bool = False


WAYS = {
    "nothing": Way(None),
    "metrics": Way("nothing", metrics=True),
    "traces of 1 %": Way("nothing", traces=True),
    "nothing, producers trace": Way(None, traceparent=True),
    "traces of 1 %, producers trace": Way("nothing, producers trace", traces=True, traceparent=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    runs: list[dict[str, Run]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(Path(folder)) as kafka,
        otlp.collecting() as collector,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), collect_rarely) as process,
        scraping() as (address, scrapes),
    ):
        topics = {traced: fill(kafka, options.events, _traceparent if traced else None) for traced in (False, True)}
        out = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
        kafka.create_topic(f"{out}.dead", 6)

        def run(name: str) -> Run:
            way = WAYS[name]
            telemetry: dict[str, Any] = {"port": address.port} if way.metrics else {"port": None}
            if way.traces:
                telemetry["traces"] = {"endpoint": collector.url}
            job = kafka, topics[way.traceparent], out, options.events
            return process.submit(_work, way.metrics, *job, telemetry=telemetry).result()

        run("nothing")
        for number in range(options.rounds):
            names = in_turn(WAYS, number)
            runs.append({name: run(name) for name in names})
    figures: dict[str, float] = {"scrapes": scrapes[0], "spans": len(collector.spans())}
    for name, way in WAYS.items():
        figures[f"{name}: events/s"] = statistics.median(each[name].rate for each in runs)
        figures[f"{name}: CPU us/event"] = statistics.median(each[name].cpu for each in runs)
        if way.compared is not None:
            figures[f"{name}: rate, ratio"] = statistics.median(
                each[name].rate / each[way.compared].rate for each in runs
            )
            lower, median, upper = statistics.quantiles(each[name].cpu / each[way.compared].cpu for each in runs)
            figures[f"{name}: CPU, ratio (target 1.02)"] = median
            figures[f"{name}: CPU, lower quartile"], figures[f"{name}: CPU, upper quartile"] = lower, upper
    report("telemetry", f"Metrics and traces, {options.events} events, {kafka.kind}", figures)


def _work(counted: bool, *job: Any, **sections: Any) -> Run:
    def nothing(*_: Any) -> None:
        pass

    with nullcontext() if counted else patch.multiple(Tally, computed=nothing, landed=nothing):
        return worker(*job, **sections)


def _traceparent(number: int) -> Headers:
    return [("traceparent", f"00-{number + 1:032x}-{number + 1:016x}-{'00' if number % 100 else '01'}".encode())]


@contextmanager
def scraping() -> Iterator[tuple[Address, list[int]]]:
    """Ask for the metrics at an address every second, if somebody serves there; yields it, and how often that was."""
    address, ended, scrapes = Address("127.0.0.1", free_ports(1)[0]), threading.Event(), [0]

    def scrape() -> None:
        while not ended.wait(1.0):
            with suppress(OSError, http.client.HTTPException):
                scrapes[0] += address.ask("/metrics", 1.0)[0] == 200

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield address, scrapes
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main()
