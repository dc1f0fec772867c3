"""Shared by the integration tests: a case's topics and group, its worker processes, and counting outputs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.kafka.cluster import Cluster, Row
from tests.noop import TASKS

PROTOCOLS = ("classic", "consumer")


class Case:
    """A test's own topics and group."""

    def __init__(self, broker: Cluster, partitions: int = 6, protocol: str = "classic", **settings: Any) -> None:
        self.broker = broker
        self.group = f"g-{uuid.uuid4().hex[:12]}"
        self.input, self.output = f"{self.group}.in", f"{self.group}.out"
        self.dead = f"{self.output}.dead"
        for topic in (self.input, self.output, self.dead):
            broker.create_topic(topic, partitions)
        client = {"bootstrap.servers": broker.bootstrap_servers, **settings.pop("kafka", {})}
        if protocol == "consumer":
            client["group.protocol"] = "consumer"
        self.settings: dict[str, Any] = {
            "pipeline": self.group,
            "kafka": client,
            "input": {"topics": [self.input], **settings.pop("input", {})},
            "tasks": TASKS,
            "output": {"topic": self.output},
            "batching": {"max_events": 50, "linger_ms": 5},
            **settings,
        }

    def feed(self, count: int, start: int = 0) -> None:
        """Produce events ``start`` to ``start + count - 1``, spread over the partitions by key."""
        self.send(json.dumps({"id": i, "text": f"event number {i}"}).encode() for i in range(start, start + count))

    def send(self, values: Iterable[bytes | None]) -> None:
        records = ((str(number % 97).encode(), value) for number, value in enumerate(values))
        self.broker.produce_all(self.input, records, **{"message.max.bytes": 50_000_000})

    def read(self, topic: str) -> list[Row]:
        return self.broker.consume_all(topic)

    def ids(self, topic: str) -> Counter[int]:
        """Count how often each event is in ``topic``, by its id."""
        return Counter(json.loads(row.value or b"")["event"]["id"] for row in self.read(topic))

    def committed(self) -> int:
        """Count the input events before the group's committed offsets."""
        return sum(self.broker.committed(self.group, self.input).values())

    def count(self, topic: str) -> int:
        """Count the records in ``topic``."""
        return sum(self.broker.ends(topic).values())

    @contextmanager
    def member(
        self, delay: float = 0.0, slot: int = 0, state: Path | None = None, patience: float = 120.0,
        program: str = "member",
    ) -> Iterator[Member]:  # fmt: skip
        """Run a worker; ``program``: the module beside this one that has the meaning of ``delay``."""
        member = Member(program, self.settings, delay, slot, patience, state)
        try:
            yield member
        except BaseException:
            print(Path(member.log.name).read_text())  # pytest shows it with the failure
            raise
        finally:
            member.process.kill()
            member.process.communicate()
            member.log.close()


class Member:
    """A worker process."""

    def __init__(
        self, program: str, settings: dict[str, Any], delay: float, slot: int, patience: float, state: Path | None
    ) -> None:
        command = [sys.executable, "-m", f"tests.integration.{program}", json.dumps(settings)]
        command += [str(delay), str(slot), str(patience), *([str(state)] if state else [])]
        self.log = tempfile.NamedTemporaryFile("r", suffix=".log")  # noqa: SIM115 - closed with the member
        with Path(self.log.name).open("w") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)

    def logged(self, words: str) -> bool:
        return self.times_logged(words) > 0

    def times_logged(self, words: str) -> int:
        return Path(self.log.name).read_text().count(words)

    def stop(self, timeout: float = 120) -> dict[str, Any]:
        """Send SIGTERM and return the final line of a graceful end, whose status must be 0."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0
        return dict(json.loads(out))


def eventually(condition: Callable[[], bool], within: float = 120.0) -> None:
    """Wait until ``condition`` is true; fail after ``within`` seconds, so that a test cannot hang."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)
