"""Recovery: how long after ``kill -9`` and an immediate restart events are published again, and where the time goes.

A worker of examples/starter.yaml, or two, runs against a broker whose group settings are Kafka's own defaults. Events
arrive all the time. The worker of slot 0 is killed and started again at once, and an event that was sent after the kill
must come out for each partition, for a reader of committed records. All times are in seconds since the kill: until the
models are ready, until partitions are assigned, until events are published again.

    python -m benchmarks.recovery --kills 5
    python -m benchmarks.recovery --kills 5 --protocol consumer --workers 2 --results recovery.json
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer
from rich.console import Console

from benchmarks.report import report
from schemas.pipeline.loader import load
from tests.integration.lib import PROTOCOLS
from tests.kafka.cluster import Cluster
from tests.kafka.node import KafkaNode, tied

PARTITIONS = 6
_RATE = 30
"""Events per second."""
_WITHIN = 180.0
_STEADY = 8.0
"""Seconds that events are published before a kill."""
_DEFAULTS = {"group.initial.rebalance.delay.ms": "3000", "group.min.session.timeout.ms": "6000"}
"""What a broker has if nobody sets it, as opposed to those of the tests."""
_STEPS = {"models": "models ready", "assigned": "assigned "}
"""Step of a start -> what the log says at its end."""


class Traffic:
    """Sends events all the time, and knows until when each partition's events have come out. Two threads."""

    def __init__(self, servers: str, topic: str, out: str) -> None:
        self._stopping = threading.Event()
        self._servers, self._topic, self._out = servers, topic, out
        self._newest = [0.0] * PARTITIONS
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._send, self._read)]
        for thread in self._threads:
            thread.start()

    def out_since(self, when: float) -> bool:
        """Whether each partition has published an event that was sent after ``when``, a time as of ``time.time``."""
        return min(self._newest) > when

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def _send(self) -> None:
        producer = Producer({"bootstrap.servers": self._servers, "linger.ms": 0})
        number = 0
        while not self._stopping.wait(1 / _RATE):
            value = orjson.dumps({"text": "The coffee in Paris was awful, said Anna.", "at": time.time()})
            producer.produce(self._topic, value, partition=number % PARTITIONS)
            producer.poll(0)
            number += 1
        producer.flush(10)

    def _read(self) -> None:
        reader = Consumer({
            "bootstrap.servers": self._servers, "group.id": "reader", "auto.offset.reset": "earliest",
            "isolation.level": "read_committed", "fetch.wait.max.ms": 10,
        })  # fmt: skip
        reader.subscribe([self._out])
        while not self._stopping.is_set():
            message = reader.poll(0.1)
            if message is not None and message.error() is None:
                made = orjson.loads(message.value() or b"")
                partition, at = made["source"]["partition"], made["event"]["at"]
                self._newest[partition] = max(self._newest[partition], at)
        reader.close()


class Process:
    """A worker process, its log, and when it was started."""

    def __init__(self, file: Path, slot: int, log: Path) -> None:
        command = [sys.executable, "-m", "glossator", "run", str(file), "--slot", str(slot), "--state", str(log.parent)]
        self._log = log
        self.started = time.time()
        with log.open("wb") as out:
            self._process = subprocess.Popen([*tied(), *command], stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self._process.send_signal(number)
        self._process.wait(120)

    def steps(self) -> dict[str, float]:
        """Return how many seconds after the start each step of ``_STEPS`` was over; those that never were are left out.

        Raises RuntimeError if the process has ended.
        """
        lines = self._log.read_text()
        if self._process.poll() is not None:
            raise RuntimeError(f"a worker has ended with {self._process.returncode}:\n{lines[-2000:]}")
        steps = {}
        for step, words in _STEPS.items():
            if match := re.search(rf"^(\S+ \S+) .*{words}", lines, re.MULTILINE):
                steps[step] = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").timestamp() - self.started  # noqa: DTZ007
        return steps


@contextmanager
def broker(folder: Path, consumer_session_ms: int) -> Iterator[Cluster]:
    settings = {**_DEFAULTS, "group.consumer.session.timeout.ms": str(consumer_session_ms),
                "group.consumer.heartbeat.interval.ms": str(min(5000, consumer_session_ms // 3))}  # fmt: skip
    with KafkaNode(folder, settings) as node:
        yield Cluster(node.bootstrap_servers, True, "Apache Kafka on the JVM")


def kills(options: argparse.Namespace, folder: Path, kafka: Cluster) -> Iterator[dict[str, Any]]:
    """Kill and restart the worker of slot 0 again and again; yield what each kill cost, in seconds."""
    group = f"recovery-{time.time_ns()}"
    topic, out = kafka.create_topic(f"{group}.in", PARTITIONS), kafka.create_topic(f"{group}.out", PARTITIONS)
    kafka.create_topic(f"{out}.dead", 1)
    settings = load(options.pipeline).model_dump(mode="json", exclude_unset=True)
    client: dict[str, Any] = {"bootstrap.servers": kafka.bootstrap_servers, **json.loads(options.kafka)}
    if options.protocol == "consumer":
        client["group.protocol"] = "consumer"
    settings |= {"pipeline": group, "kafka": client, "delivery": options.delivery, "telemetry": {"port": 0}}
    settings |= {"input": {"topics": [topic]}, "output": {"topic": out}}
    file = folder / "pipeline.yaml"
    file.write_text(json.dumps(settings))  # which is YAML, too
    traffic = Traffic(kafka.bootstrap_servers, topic, out)
    workers = [Process(file, slot, folder / f"first-{slot}.log") for slot in range(options.workers)]
    try:
        for number in range(options.kills):
            _await(lambda: [worker.steps() for worker in workers] and traffic.out_since(workers[-1].started))
            _await(lambda: all("assigned" in worker.steps() for worker in workers))
            time.sleep(_STEADY + number % 3)  # so that kills do not keep time with heartbeats
            _await(lambda: traffic.out_since(time.time() - 1))
            killed = time.time()
            workers[0].kill()
            worker = workers[0] = Process(file, 0, folder / f"killed-{number}.log")
            _await(partial(_published, worker, traffic, killed))
            published = time.time() - killed
            steps = worker.steps()
            times = {**steps, "published": published, "after the models": published - steps["models"]}
            yield {step: round(seconds, 2) for step, seconds in times.items()}
        for worker in workers:
            worker.kill(signal.SIGTERM)
    finally:
        for worker in workers:
            worker.kill()
        traffic.close()


def _published(worker: Process, traffic: Traffic, since: float) -> bool:
    worker.steps()  # raises if it has ended
    return traffic.out_since(since)


def _await(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _WITHIN
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("nothing is published again")
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5, help="in total, with those that --results holds already")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="classic")
    parser.add_argument("--delivery", choices=("at_least_once", "exactly_once"), default="at_least_once")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--pipeline", default="examples/starter.yaml")
    parser.add_argument("--kafka", default="{}", help="more settings of the Kafka client, as JSON")
    parser.add_argument("--consumer-session-ms", type=int, default=8000, help="the broker's, for --protocol consumer")
    parser.add_argument("--results", type=Path, help="a JSON file, written after each kill and continued")
    options = parser.parse_args()
    os.environ.setdefault("KAFKA_BOOTSTRAP_SERVERS", "unused")
    console = Console()
    name = f"{options.protocol}, {options.delivery}, {options.workers} worker(s), {options.kafka}"
    results: dict[str, list[dict[str, Any]]] = {}
    if options.results is not None and options.results.exists():
        results = json.loads(options.results.read_text())
    measured = results.setdefault(name, [])
    options.kills -= len(measured)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kafka = stack.enter_context(broker(folder / "broker", options.consumer_session_ms))
        for kill in kills(options, folder, kafka) if options.kills > 0 else ():
            measured.append(kill)
            console.print(f"{name}: {kill}", highlight=False)
            if options.results is not None:
                options.results.write_text(json.dumps(results, indent=1))
    figures = {}
    for step in ("models", "assigned", "published", "after the models"):
        if seconds := sorted(kill[step] for kill in measured if step in kill):
            figures[f"{step}, median, s"] = statistics.median(seconds)
            figures[f"{step}, longest, s"] = seconds[-1]
    report("recovery", f"From the start after kill -9: {name}, {len(measured)} kills", figures)


if __name__ == "__main__":
    main()
