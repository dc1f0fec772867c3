"""Runs a candidate: its process, the events that go in, and when and what comes out."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.peers.candidates import Candidate, command, environment
from benchmarks.peers.usage import Usage
from tests.kafka.cluster import Cluster

PARTITIONS = 4
WARM_UP = 32
"""Events before anything is measured; a multiple of all batches but those that wait for others."""
_START = 240.0
"""Seconds within which a candidate must have annotated the events of the warm-up."""

Event = dict[str, Any]


class CandidateError(Exception):
    """A candidate that ended, or did not annotate in time; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Burst:
    """``seconds``: from the first event sent to the last output read; ``processor``: seconds of the process tree."""

    events: int
    seconds: float
    processor: float
    outputs: dict[str, dict[str, Any]]

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds


class Outputs:
    """Reads a topic to its end and beyond, on a thread of its own: when each event arrived.

    Its annotations are kept if ``keep`` is true; those of a million events would take gigabytes.
    """

    def __init__(self, servers: str, topic: str, keep: bool) -> None:
        self._keep = keep
        self.arrived: dict[str, float] = {}
        self.annotations: dict[str, dict[str, Any]] = {}
        self._consumer = Consumer({
            "bootstrap.servers": servers, "group.id": uuid.uuid4().hex, "fetch.wait.max.ms": 5,
            "enable.auto.commit": False,
        })  # fmt: skip
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._consumer.close()

    def _read(self) -> None:
        while not self._ended.is_set():
            first = self._consumer.poll(0.05)
            now = time.perf_counter()
            # With a timeout, consume() would wait for 500 messages until it is over.
            for message in [first, *self._consumer.consume(500, 0)] if first else []:
                if message.error() is None:
                    record = orjson.loads(message.value() or b"")
                    name = record["event"]["id"]
                    if self._keep:
                        self.annotations[name] = record["annotations"]
                    self.arrived.setdefault(name, now)


class Run:
    """A warm candidate. Use ``running``."""

    def __init__(self, servers: str, topic: str, outputs: Outputs, usage: Usage, alive: Callable[[], None]) -> None:
        self._servers, self._topic = servers, topic
        self._outputs, self._usage, self._alive = outputs, usage, alive
        self._producer = Producer({"bootstrap.servers": servers, "linger.ms": 0, "log_level": 2})
        self._sent = 0

    @property
    def pid(self) -> int:
        """The process."""
        return self._usage.pid

    @property
    def peak_mib(self) -> float:
        """The largest resident memory of the process tree so far, in MiB."""
        return self._usage.peak_mib

    def burst(self, events: Sequence[Event], within: float = 600.0) -> Burst:
        """Send all ``events`` at once, to a candidate that has nothing to do, and wait until all are annotated.

        The keys of ``outputs`` are the ids that the events came with; it is empty if annotations are not kept. Raises
        CandidateError.
        """
        names = [self._rename(event) for event in events]
        processor, started = self._usage.seconds(), time.perf_counter()
        for name, event in zip(names, events, strict=True):
            self._send(name, event)
        self._wait(within)
        seconds = max(self._outputs.arrived[name] for name in names) - started
        return Burst(len(events), seconds, self._usage.seconds() - processor, {
            event["id"]: self._outputs.annotations[name]
            for name, event in zip(names, events, strict=True)
            if name in self._outputs.annotations
        })  # fmt: skip

    def load(self, events: Sequence[Event], times: Sequence[float], within: float = 120.0) -> list[float]:
        """Send each event at its time, in seconds from now, whatever comes out meanwhile; return when each arrived.

        ``within``: seconds after the last event was sent. Raises CandidateError.
        """
        names = [self._rename(event) for event in events]
        started = time.perf_counter()
        for name, event, at in zip(names, events, times, strict=True):
            while (left := started + at - time.perf_counter()) > 0:
                self._producer.poll(0)
                time.sleep(min(left, 0.001))
            self._send(name, event)
        self._wait(within)
        return [self._outputs.arrived[name] - started for name in names]

    def _rename(self, event: Event) -> str:
        self._sent += 1
        return f"{event['id']}.{self._sent}"

    def _send(self, name: str, event: Event) -> None:
        while True:
            try:
                self._producer.produce(self._topic, orjson.dumps({**event, "id": name}), name.encode())
                break
            except BufferError:
                self._producer.poll(0.01)
        self._producer.poll(0)

    def _wait(self, within: float) -> None:
        """Wait until everything sent so far has arrived. Counting costs the candidate no processor time."""
        deadline = time.perf_counter() + within
        while (missing := self._sent - len(self._outputs.arrived)) > 0:
            self._producer.poll(0)
            self._alive()
            if time.perf_counter() > deadline:
                raise CandidateError(f"{missing} events not annotated within {within:.0f} s")
            time.sleep(0.005)


@contextmanager
def running(
    candidate: Candidate,
    tasks: list[dict[str, Any]],
    kafka: Cluster,
    warm_up: Sequence[Event],
    threads: int | None = None,
    *,
    keep: bool = False,
) -> Iterator[Run]:
    """Start a candidate and wait until it has annotated ``warm_up``; end it with the ``with`` block.

    ``keep``: whether bursts have ``outputs``.
    Raises CandidateError if it does not start.
    """
    topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", PARTITIONS)
    kafka.create_topic(f"{topic}.out", PARTITIONS)
    kafka.create_topic(f"{topic}.dead", PARTITIONS)
    with tempfile.TemporaryDirectory() as name, (Path(name) / "log").open("w+b") as log:
        process = subprocess.Popen(
            command(candidate, tasks, kafka.bootstrap_servers, topic, Path(name)),
            env=environment(candidate, threads), cwd=candidate.checkout, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip

        def alive() -> None:
            if process.poll() is not None:
                raise CandidateError(f"ended with status {process.returncode}")

        outputs = Outputs(kafka.bootstrap_servers, f"{topic}.out", keep)
        try:
            with Usage(process.pid) as usage:
                run = Run(kafka.bootstrap_servers, topic, outputs, usage, alive)
                run.burst(warm_up, _START)
                yield run
        except CandidateError as error:
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()
            raise CandidateError("\n".join([str(error), *lines[-15:]])) from None
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            outputs.close()
