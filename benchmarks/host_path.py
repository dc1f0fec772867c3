"""The host path: events through a worker that computes nothing, against the simplest possible loop.

The simple loop polls, parses, dumps and produces without any guarantee: it commits what it has read, ignores delivery
reports, and does not keep the order across failures. The difference is the cost of the worker's guarantees, and of the
larger enriched events. Memory is that while a backlog is drained.

    python -m benchmarks.host_path --events 200000 --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson
import psutil
from confluent_kafka import Consumer, Producer

from benchmarks.report import report
from schemas.pipeline.config import Pipeline
from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster, Headers
from tests.noop import TASKS, NoopChain
from workers.process.memory import collect_rarely
from workers.web.server import serve
from workers.worker import Worker

DELIVERIES = ("at_least_once", "exactly_once")
TEXT = "event number {} has about as many words in it as a short post on some network has, so that it is not too small"


class Run(NamedTuple):
    """What a worker did.

    Attributes:
        rate: events per second, from the first event polled to the last one delivered.
        cpu: microseconds of processor time for each event, of all threads of this process.
        resident: MiB resident, many times during the run.
    """

    rate: float
    cpu: float
    resident: list[float]


def fill(kafka: Cluster, events: int, headers: Callable[[int], Headers] | None = None) -> str:
    """Make a topic with ``events`` events and return its name; ``headers`` makes those of an event."""
    topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
    kafka.produce_all(
        topic,
        (
            (str(i % 1000).encode(), orjson.dumps({"id": i, "text": TEXT.format(i)}), headers and headers(i))
            for i in range(events)
        ),
        **{"linger.ms": 20, "batch.num.messages": 10000},
    )
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
) -> Run:
    """Run a worker over the ``events`` of ``topic``.

    No route may drop an event. ``source`` and ``output`` are fields of these sections besides the topics, ``sections``
    are others of the pipeline file.
    """
    pipeline = Pipeline.model_validate({
        "pipeline": f"bench-{uuid.uuid4().hex[:8]}", "kafka": {"bootstrap.servers": kafka.bootstrap_servers},
        "input": {"topics": [topic], **(source or {})}, "tasks": TASKS,
        "output": {"topic": out, "routes": routes, **(output or {})}, **{"telemetry": {"port": None}, **sections},
    })  # fmt: skip
    member = Worker(pipeline, cast(Any, NoopChain()))
    server = serve(pipeline, member.stats, 0)
    thread = threading.Thread(target=member.run)
    thread.start()
    while not member.stats.polled and thread.is_alive():
        time.sleep(0.001)
    started, worked, process, resident = time.perf_counter(), time.process_time(), psutil.Process(), []
    while (member.stats.enriched < events or member.stats.in_flight) and thread.is_alive():
        resident.append(process.memory_info().rss / 2**20)
        time.sleep(0.02)
    seconds, busy = time.perf_counter() - started, time.process_time() - worked
    member.stop()
    thread.join()
    if server is not None:
        server.close()
    return Run(events / seconds, busy / events * 1e6, resident)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    collect_rarely()  # as the worker does
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka:
        topic, out = fill(kafka, arguments.events), kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
        kafka.create_topic(f"{out}.dead", 6)
        rounds: list[dict[str, Run]] = []
        for _ in range(arguments.rounds):
            rates = {"plain": Run(plain(kafka, topic, out, arguments.events), 0.0, [])}
            for delivery in DELIVERIES if kafka.real else DELIVERIES[:1]:
                rates[delivery] = worker(kafka, topic, out, arguments.events, delivery=delivery)
            rounds.append(rates)
    resident = rounds[-1]["at_least_once"].resident
    quarter = max(1, len(resident) // 4)
    figures = {"plain loop, events/s": statistics.median(each["plain"].rate for each in rounds)}
    for delivery in list(rounds[0])[1:]:
        figures[f"{delivery}, events/s"] = statistics.median(each[delivery].rate for each in rounds)
        figures[f"{delivery}, processor time, us/event"] = statistics.median(each[delivery].cpu for each in rounds)
        figures[f"{delivery} / plain (target 0.3)"] = statistics.median(
            each[delivery].rate / each["plain"].rate for each in rounds
        )
    if "exactly_once" in rounds[0]:
        figures["exactly once / at least once (target 0.9)"] = statistics.median(
            each["exactly_once"].rate / each["at_least_once"].rate for each in rounds
        )
    figures["resident MiB, second quarter"] = statistics.median(resident[quarter : 2 * quarter])
    figures["resident MiB, last quarter"] = statistics.median(resident[-quarter:])
    report("host_path", f"Host path, {arguments.events} events, {kafka.kind}", figures)


if __name__ == "__main__":
    main()
