"""The cost of exactly once: throughput with and without models, and the time until a reader sees an event.

Both deliveries take turns in rounds over the same backlog; the ratio is the median over the rounds. Latency is measured
from the producer to a reader of committed records in this process, at a steady rate.

    python -m benchmarks.exactly_once --events 1500 --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

import orjson
from confluent_kafka import Consumer, Producer

from benchmarks.host_path import fill
from benchmarks.redirect import redirected
from benchmarks.report import report
from benchmarks.texts import texts_from
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load
from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster
from tests.noop import NoopChain, pipeline
from workers.chain.chain import Chain
from workers.process.memory import collect_rarely
from workers.worker import Worker

DELIVERIES = ("at_least_once", "exactly_once")
RATE = 200
"""Events per second while latency is measured."""


@contextmanager
def working(settings: Pipeline, chain: Any, kafka: Cluster, topic: str, delivery: str) -> Iterator[tuple[Worker, str]]:
    """A worker that reads ``topic``, and the topic it writes."""
    moved = redirected(settings, kafka, topic, 6)
    worker = Worker(moved.model_copy(update={"delivery": delivery}), chain)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker, moved.output.topic
    finally:
        worker.stop()
        thread.join()


Case: TypeAlias = tuple[Pipeline, Any, str, int]
"""The pipeline, its chain, a topic with a backlog, and how many events that has."""


def rate(case: Case, kafka: Cluster, delivery: str) -> float:
    """Events per second over the backlog, from the first polled to the last committed."""
    settings, chain, topic, events = case
    with working(settings, chain, kafka, topic, delivery) as (worker, out):
        stats = worker.stats
        while not stats.polled:
            time.sleep(0.001)
        started = time.perf_counter()
        while stats.polled < events or stats.in_flight:
            time.sleep(0.005)
        seconds = time.perf_counter() - started
    published = len(kafka.consume_all(out)) + len(kafka.consume_all(f"{out}.dead"))
    if published != events:
        raise SystemExit(f"{events} events in, but {published} out")
    return events / seconds


def latencies(kafka: Cluster, delivery: str, seconds: float) -> list[float]:
    """Milliseconds from producing an event to reading it, enriched and committed, without a model."""
    topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})
    with working(pipeline(), cast(Any, NoopChain()), kafka, topic, delivery) as (worker, out):
        reader = Consumer({
            "bootstrap.servers": kafka.bootstrap_servers, "group.id": uuid.uuid4().hex, "fetch.wait.max.ms": 5,
            "auto.offset.reset": "earliest", "isolation.level": "read_committed",
        })  # fmt: skip
        reader.subscribe([out])
        while not worker.stats.partitions or not reader.assignment():
            reader.poll(0.05)
        delays: list[float] = []
        count = int(RATE * seconds)
        began = time.perf_counter()
        sent = 0
        while len(delays) < count:
            while sent < count and time.perf_counter() - began >= sent / RATE:
                producer.produce(topic, orjson.dumps({"text": "an event", "at": time.time()}), str(sent).encode())
                sent += 1
            producer.poll(0)
            message = reader.poll(0.002)
            if message is not None and message.error() is None:
                delays.append((time.time() - orjson.loads(message.value() or b"")["event"]["at"]) * 1000)
        reader.close()
    return delays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="lines of JSON with a text field, maybe gzipped")
    parser.add_argument(
        "--events", type=int, default=1500, help="with the starter models; without a model 40 times that"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    texts = texts_from(options.texts, options.events)
    starter = load("examples/starter.yaml")
    chain = Chain.load(starter)
    chain.warm_up()
    collect_rarely()  # as the worker does
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka:
        if not kafka.real:
            raise SystemExit("needs a real Kafka: the embedded broker has no transactions")
        topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
        kafka.produce_all(topic, ((str(i).encode(), orjson.dumps({"text": text})) for i, text in enumerate(texts)))
        many = options.events * 40
        without = fill(kafka, many)
        cases: dict[str, Case] = {
            "starter models": (starter, chain, topic, len(texts)),
            "no model": (pipeline(), NoopChain(), without, many),
        }
        for name, case in cases.items():
            rounds = [{delivery: rate(case, kafka, delivery) for delivery in DELIVERIES} for _ in range(options.rounds)]
            for delivery in DELIVERIES:
                figures[f"{name}, {delivery}, events/s"] = statistics.median(speeds[delivery] for speeds in rounds)
            figures[f"{name}, exactly / at least once"] = statistics.median(
                speeds["exactly_once"] / speeds["at_least_once"] for speeds in rounds
            )
        for delivery in DELIVERIES:
            measured = sorted(latencies(kafka, delivery, 10.0))
            figures[f"{delivery}, median latency, ms"] = measured[len(measured) // 2]
            figures[f"{delivery}, 99th percentile, ms"] = measured[len(measured) * 99 // 100]
    report("exactly_once", "Exactly once (target: >= 0.95 of at least once with models)", figures)


if __name__ == "__main__":
    main()
