"""Where an event waits between two topics, while others arrive at a share of what the worker can do.

The load is open: events are sent at times drawn beforehand, and count from then. By default forwards only sleep, for a
fixed time and a time per token, so what is measured is how events wait for each other, on any machine. With a pipeline
file its models compute, and the capacity is the rate of a burst.

    python -m benchmarks.waits
    python -m benchmarks.waits --loads 0.7 --batching '{"linger_ms": 0}'
    python -m benchmarks.waits --pipeline examples/starter.yaml --texts posts.jsonl.gz
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import orjson
from confluent_kafka import Producer
from rich.console import Console
from rich.table import Table

from benchmarks.peers.figures import percentile, schedule
from benchmarks.peers.running import Outputs
from benchmarks.redirect import redirected
from benchmarks.texts import texts_from
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load
from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster
from tests.noop import TASKS, NoopChain
from workers.chain.chain import Chain
from workers.process.memory import collect_rarely
from workers.worker import Worker

PARTITIONS = 4
STEPS = ("poll", "prepare", "micro-batch", "pack", "device", "forward", "finish", "deliver")
"""What an event waits for, in this order: to be polled, and to be decoded; for its micro-batch to be cut; for packing;
for the device; for the forwards of its micro-batch; for the finish thread; for being annotated, written and read."""


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


class WatchedChain:
    """A chain, and when each event came to each of its steps: ``moments`` has them by the key of its record."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain
        self._batches: dict[int, list[Document]] = {}
        self.moments: dict[bytes, list[float]] = defaultdict(list)
        self.tokens: list[int] = []
        """Of each micro-batch."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def prepare(self, documents: list[Document]) -> None:
        for document in documents:
            record = document.record
            self.moments[cast(Any, record).key].append(cast(Any, record).polled_at)
        self._note(documents)
        self._chain.prepare(documents)

    def pack(self, documents: list[Document]) -> Any:
        self._note(documents)
        work = self._chain.pack(documents)
        self._batches[id(work)] = documents
        self._note(documents)
        return work

    def forward(self, work: Any, wait_for: Any) -> None:
        documents = self._batches[id(work)]
        self.tokens.append(sum(document.tokens for document in documents))
        self._note(documents)
        self._chain.forward(work, wait_for)
        self._note(documents)

    def annotate(self, work: Any) -> None:
        self._note(self._batches.pop(id(work)))
        self._chain.annotate(work)

    def _note(self, documents: Sequence[Document]) -> None:
        now = time.perf_counter()
        for document in documents:
            self.moments[cast(Any, document.record).key].append(now)


class Run:
    """A running worker, and when each event that is sent to it comes to each of its steps."""

    def __init__(self, kafka: Cluster, pipeline: Pipeline, chain: Any) -> None:
        topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", PARTITIONS)
        settings = redirected(pipeline, kafka, topic, PARTITIONS)
        self.chain = WatchedChain(chain)
        self._topic = topic
        self._worker = Worker(settings, cast(Any, self.chain))
        self._thread = threading.Thread(target=self._worker.run)
        self._thread.start()
        self._outputs = Outputs(kafka.bootstrap_servers, settings.output.topic, keep=False)
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})
        self._sent = 0

    def close(self) -> None:
        self._worker.stop()
        self._thread.join()
        self._outputs.close()

    def load(self, texts: Sequence[str], times: Sequence[float]) -> list[list[float]]:
        """Send each text at its time, in seconds from now; return the moments of each, from that time to its output."""
        started, names = time.perf_counter(), []
        for text, at in zip(texts, times, strict=True):
            while (left := started + at - time.perf_counter()) > 0:
                self._producer.poll(0)
                time.sleep(min(left, 0.001))
            names.append(f"e{self._sent}")
            self._sent += 1
            self._producer.produce(self._topic, orjson.dumps({"id": names[-1], "text": text}), names[-1].encode())
            self._producer.poll(0)
        while len(self._outputs.arrived) < self._sent:
            if not self._thread.is_alive():
                raise SystemExit("the worker has ended")
            self._producer.poll(0)
            time.sleep(0.005)
        return [
            [started + at, *self.chain.moments[name.encode()], self._outputs.arrived[name]]
            for name, at in zip(names, times, strict=True)
        ]


def show(load: float, moments: list[list[float]], tokens: list[int], title: str) -> Table:
    """Return a table of what events wait for: the mean, for the slowest tenth too, and percentiles, in ms."""
    waits = [[(end - start) * 1000 for start, end in itertools.pairwise(each)] for each in moments]
    totals = [sum(each) for each in waits]
    slow = percentile(totals, 0.9)
    slowest = [each for each in waits if sum(each) >= slow]
    table = Table("waits for, ms", "mean", "of the slowest tenth", "p50", "p99", title=f"{title}, load {load:.0%}")
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
    table.caption = f"{len(totals)} events, {len(tokens)} micro-batches of {statistics.fmean(tokens):.0f} tokens"
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", type=Path, help="whose models compute; default: forwards only sleep")
    parser.add_argument("--texts", type=Path, help="JSON lines with a text field, may be gzipped; default: the demo's")
    parser.add_argument("--events", type=int, default=400, help="of the burst that shows the capacity")
    parser.add_argument("--capacity", type=float, help="events/s, to compare runs at equal load; default: measured")
    parser.add_argument("--loads", type=float, nargs="+", default=[0.3, 0.7, 0.95])
    parser.add_argument("--seconds", type=float, default=15.0, help="of each load")
    parser.add_argument("--fixed-ms", type=float, default=4.0, help="sleeping: milliseconds of a micro-batch")
    parser.add_argument("--token-us", type=float, default=150.0, help="sleeping: microseconds of a token")
    parser.add_argument("--batching", type=orjson.loads, default={}, help="as JSON")
    arguments = parser.parse_args()
    texts = texts_from(arguments.texts, arguments.events)
    if arguments.pipeline:
        pipeline = load(arguments.pipeline)
        chain: Any = Chain.load(pipeline)
        chain.warm_up()
    else:
        chain = SleepingChain(arguments.fixed_ms / 1000, arguments.token_us / 1_000_000)
        pipeline = Pipeline.model_validate({
            "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["in"]}, "tasks": TASKS,
            "output": {"topic": "out"},
        })  # fmt: skip
    pipeline = pipeline.model_copy(
        update={"batching": pipeline.batching.model_validate({**pipeline.batching.model_dump(), **arguments.batching})}
    )
    collect_rarely()
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka:
        run = Run(kafka, pipeline, chain)
        try:
            run.load(texts[:32], [0.0] * min(32, len(texts)))
            console, capacity = Console(width=100), arguments.capacity
            if capacity is None:
                moments = run.load(texts, [0.0] * len(texts))
                capacity = len(texts) / (max(each[-1] for each in moments) - min(each[0] for each in moments))
                console.print(f"{capacity:.0f} events/s in a burst of {len(texts)}, {kafka.kind}")
            for load_ in arguments.loads:
                times = schedule(capacity * load_, arguments.seconds)
                run.chain.tokens.clear()
                moments = run.load(list(itertools.islice(itertools.cycle(texts), len(times))), times)
                console.print(show(load_, moments, run.chain.tokens, f"{capacity * load_:.0f} events/s"))
        finally:
            run.close()


if __name__ == "__main__":
    main()
