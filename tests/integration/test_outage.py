"""Something a worker needs goes away and may come back: the only broker, for a minute, or the disk for its logs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.integration.lib import PROTOCOLS, Case, eventually
from tests.kafka.cluster import Cluster
from tests.kafka.node import KafkaNode

# Each of these tests has a broker and several workers with a model: two at once are too much for two cores.
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("many workers")]

DELIVERIES = ("at_least_once", "exactly_once")
OWN: dict[str, Any] = {
    "tasks": [{"name": "tone", "task": "sentiment", "model": "starter"}],
    "telemetry": {"port": None},
}
AWAY = 60.0
"""Seconds; longer than any session, and twice ``transaction.timeout.ms``."""
QUIET = 50
"""Seconds; longer than the watchdog waits, which in turn waits longer than a group takes to form on a busy machine."""
EVENTS = 4000
_PAUSE = 0.01  # seconds, twice between events: some events come after the broker is back


class Load(threading.Thread):
    """Sends ``EVENTS`` events to each case, before, during and after the outage."""

    def __init__(self, servers: str, cases: list[Case]) -> None:
        super().__init__(daemon=True)
        self._producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "log_level": 0})
        self._cases = cases
        self.refused: list[str] = []

    def run(self) -> None:
        for number in range(EVENTS):
            for case in self._cases:
                value = json.dumps({"id": number, "text": f"event number {number}"}).encode()
                self._producer.produce(case.input, value, b"%d" % (number % 97), on_delivery=self._heard)
            self._producer.poll(_PAUSE)
            time.sleep(_PAUSE)
        if left := self._producer.flush(120):
            self.refused.append(f"{left} without an answer")

    def _heard(self, error: object, _: object) -> None:
        if error is not None:
            self.refused.append(str(error))


@contextmanager
def worker(case: Case, folder: Path, log: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """``glossator run``, which logs to ``log``."""
    file = folder / f"{case.group}.yaml"
    file.write_text(json.dumps(case.settings))  # JSON is YAML
    command = [sys.executable, "-m", "workers.cli.main", "run", str(file), "--state", str(folder / "state"), *options]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stderr=stderr)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_minute_without_a_broker_needs_nobody(kafka_node: KafkaNode, tmp_path: Path) -> None:
    cluster = Cluster(kafka_node.bootstrap_servers, True, "of this test")
    cases = [Case(cluster, 3, delivery=delivery, **OWN) for delivery in DELIVERIES]
    logs = [tmp_path / f"{delivery}.log" for delivery in DELIVERIES]
    load = Load(kafka_node.bootstrap_servers, cases)
    with worker(cases[0], tmp_path, logs[0]) as first, worker(cases[1], tmp_path, logs[1]) as second:
        workers = [first, second]
        load.start()
        eventually(lambda: all(case.count(case.output) > 100 for case in cases), within=120)
        kafka_node.kill()
        time.sleep(AWAY)
        assert all("no broker can be reached" in each.read_text() for each in logs)
        kafka_node.start()
        load.join(240)
        assert not load.is_alive()
        assert load.refused == []
        eventually(lambda: all(case.committed() == EVENTS for case in cases), within=240)
        assert [each.poll() for each in workers] == [None, None], "a worker has not lived through it"
        for each in workers:
            each.send_signal(signal.SIGTERM)
        assert [each.wait(120) for each in workers] == [0, 0]
    for case in cases:
        assert case.ids(case.output).keys() == set(range(EVENTS))
        assert case.count(case.dead) == 0
    once = cases[1]
    assert once.ids(once.output) == Counter(range(EVENTS))


def test_a_worker_told_to_stop_while_there_is_no_broker_leaves_in_time(kafka_node: KafkaNode, tmp_path: Path) -> None:
    """Nothing is in flight and everything is committed, but there is still a last commit and a group to leave."""
    cluster = Cluster(kafka_node.bootstrap_servers, True, "of this test")
    cases = [
        Case(cluster, 3, protocol, delivery=delivery, drain_timeout_ms=2000, **OWN)
        for delivery in DELIVERIES
        for protocol in PROTOCOLS
    ]
    logs = [tmp_path / f"{number}.log" for number in range(len(cases))]
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(case, tmp_path, log)) for case, log in zip(cases, logs, strict=True)]
        for case in cases:
            case.feed(100)
        eventually(lambda: all(case.committed() == 100 for case in cases), within=120)
        kafka_node.kill()
        eventually(lambda: all("no broker can be reached" in log.read_text() for log in logs))
        for each in workers:
            each.send_signal(signal.SIGTERM)
        # The drain, the last commit and closing may take two, five and fifteen seconds.
        statuses = [each.wait(120) for each in workers]
    assert set(statuses) <= {0, 69, 70}, statuses
    assert all("Traceback" not in log.read_text() for log in logs)


def test_quiet_after_an_outage_is_no_outage(kafka_node: KafkaNode, tmp_path: Path) -> None:
    """No event arrives that would show the consumer or the producer that the broker is back."""
    cluster = Cluster(kafka_node.bootstrap_servers, True, "of this test")
    marks: dict[str, Any] = {"watchdog": {"warn_after_ms": 3000, "leave_after_ms": QUIET * 800}}
    cases = [Case(cluster, 1, delivery=delivery, **marks, **OWN) for delivery in DELIVERIES]
    # The second worker of a case has no partition, so it learns even less.
    logs = [tmp_path / f"{number}.log" for number in range(2 * len(cases))]
    with ExitStack() as stack:
        workers = [
            stack.enter_context(worker(case, tmp_path, log, "--slot", str(number % 2)))
            for number, (case, log) in enumerate(zip((cases[0], cases[0], cases[1], cases[1]), logs, strict=True))
        ]
        for case in cases:
            case.feed(20)
        eventually(lambda: all(case.committed() == 20 for case in cases), within=120)
        eventually(lambda: all(len(cluster.members(case.group)) == 2 for case in cases))
        kafka_node.kill()
        eventually(lambda: all("no broker can be reached" in log.read_text() for log in logs))
        kafka_node.start()
        time.sleep(QUIET)
        assert [each.poll() for each in workers] == [None] * 4, [log.read_text()[-2000:] for log in logs]
        for each in workers:
            each.send_signal(signal.SIGTERM)
        assert [each.wait(120) for each in workers] == [0] * 4


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_full_disk_for_logs_stops_nothing(real_kafka: Cluster, tmp_path: Path, delivery: str) -> None:
    case = Case(real_kafka, 2, delivery=delivery, **OWN)
    case.feed(100)
    with worker(case, tmp_path, Path("/dev/full")) as process:
        eventually(lambda: case.committed() == 100)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert case.ids(case.output) == Counter(range(100))


def test_a_full_disk_for_logs_leaves_the_status(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("nonsense: 1\n")
    command = [sys.executable, "-m", "workers.cli.main", "--debug", "run", str(file)]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(command, stderr=full, check=False, timeout=120).returncode == 78
