"""The host path: events through a worker that computes nothing, against the simplest possible loop.

The simple loop polls, parses, dumps and produces without any guarantee: it commits what it has read, ignores delivery
reports, and does not keep the order across failures. The difference is the cost of the worker's guarantees, and of the
larger enriched events. A second table shows memory while a backlog is drained. A third figure is the processor time of
the worker with the counts and histograms of its tasks, compared with that of one that leaves them out.

    python -m benchmarks.host_path --events 200000 --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import orjson
import psutil
from confluent_kafka import Consumer, Producer

from benchmarks.report import report
from schemas.pipeline.config import Pipeline
from stream.output.tally import Tally
from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster
from tests.noop import TASKS, NoopChain
from workers.process.memory import collect_rarely
from workers.worker import Worker

TEXT = "event number {} has about as many words in it as a short post on some network has, so that it is not too small"


def fill(kafka: Cluster, events: int) -> str:
    topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
    kafka.produce_all(
        topic, ((str(i % 1000).encode(), orjson.dumps({"id": i, "text": TEXT.format(i)})) for i in range(events)),
        **{"linger.ms": 20, "batch.num.messages": 10000},
    )  # fmt: skip
    return topic


def plain(kafka: Cluster, topic: str, out: str, events: int) -> float:
    """Events per second of poll, loads, dumps, produce."""
    client = {"bootstrap.servers": kafka.bootstrap_servers}
    consumer = Consumer({**client, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
    producer = Producer({**client, "linger.ms": 5})
    consumer.subscribe([topic])
    first: Any = None
    while first is None:
        first = consumer.poll(1)
    started, done = time.perf_counter(), 0
    messages = [first]
    while True:
        for message in messages:
            event = orjson.loads(message.value() or b"")
            event["tone"] = "neutral"
            while True:
                try:
                    producer.produce(out, orjson.dumps(event), message.key())
                    break
                except BufferError:
                    producer.poll(0.01)
        done += len(messages)
        producer.poll(0)
        if done >= events:
            break
        messages = consumer.consume(1000, 0.1)
    producer.flush()
    rate = events / (time.perf_counter() - started)
    consumer.close()
    return rate


def worker(
    kafka: Cluster,
    topic: str,
    out: str,
    events: int,
    routes: list[dict[str, Any]] | None = None,
    *,
    source: dict[str, Any] | None = None,
    output: dict[str, Any] | None = None,
    **sections: Any,
) -> tuple[float, list[float]]:
    """Events per second from the first event polled to the last one delivered, and resident MiB during that time.

    No route may drop an event. ``source`` and ``output`` are fields of these sections besides the topics, ``sections``
    are others of the pipeline file.
    """
    pipeline = Pipeline.model_validate({
        "pipeline": f"bench-{uuid.uuid4().hex[:8]}", "kafka": {"bootstrap.servers": kafka.bootstrap_servers},
        "input": {"topics": [topic], **(source or {})}, "tasks": TASKS,
        "output": {"topic": out, "routes": routes, **(output or {})}, **sections,
    })  # fmt: skip
    member = Worker(pipeline, cast(Any, NoopChain()))
    thread = threading.Thread(target=member.run)
    thread.start()
    while not member.stats.polled and thread.is_alive():
        time.sleep(0.001)
    started, process, resident = time.perf_counter(), psutil.Process(), []
    while (member.stats.enriched < events or member.stats.in_flight) and thread.is_alive():
        resident.append(process.memory_info().rss / 2**20)
        time.sleep(0.02)
    rate = events / (time.perf_counter() - started)
    member.stop()
    thread.join()
    return rate, resident


def _nothing(*_: Any) -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    collect_rarely()  # as the worker does
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka:
        topic, out = fill(kafka, arguments.events), kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
        kafka.create_topic(f"{out}.dead", 6)
        rounds = []
        resident: list[float] = []
        for _ in range(arguments.rounds):
            bare = plain(kafka, topic, out, arguments.events)
            began = time.process_time()
            with patch.multiple(Tally, computed=_nothing, landed=_nothing):
                worker(kafka, topic, out, arguments.events)
            uncounted, began = time.process_time() - began, time.process_time()
            ours, resident = worker(kafka, topic, out, arguments.events)
            rounds.append((bare, ours, (time.process_time() - began) / uncounted))
    quarter = max(1, len(resident) // 4)
    report("host_path", f"Host path, {arguments.events} events, {kafka.kind}", {
        "plain loop, events/s": statistics.median(bare for bare, _, _ in rounds),
        "worker, events/s": statistics.median(ours for _, ours, _ in rounds),
        "worker / plain (target 0.3)": statistics.median(ours / bare for bare, ours, _ in rounds),
        "processor time with / without metrics (target 1.02)": statistics.median(ratio for _, _, ratio in rounds),
        "resident MiB, second quarter": statistics.median(resident[quarter : 2 * quarter]),
        "resident MiB, last quarter": statistics.median(resident[-quarter:]),
    })  # fmt: skip


if __name__ == "__main__":
    main()
