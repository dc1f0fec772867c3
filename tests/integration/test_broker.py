"""Brokers that go away, topics that do not exist, offsets that are gone."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.errors import SettingError
from stream.kafka.broker import EmbeddedBroker
from tests.integration.lib import Case, eventually
from tests.kafka.cluster import Cluster
from tests.kafka.node import KafkaNode

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_a_broker_killed_in_mid_stream_is_waited_for(kafka_node: KafkaNode, delivery: str) -> None:
    case = Case(Cluster(kafka_node.bootstrap_servers, True, "of this test"), partitions=3, delivery=delivery)
    case.feed(3000)
    with case.member(delay=0.002) as member:
        eventually(lambda: case.count(case.output) > 300)
        kafka_node.kill()
        eventually(lambda: member.logged("no broker can be reached"))
        time.sleep(2)
        kafka_node.start()
        # The group may have expelled us meanwhile. Then events in flight come twice, unless delivery is exactly once.
        eventually(lambda: case.committed() == 3000, within=120)
        member.stop()
    counts = case.ids(case.output)
    assert set(counts) == set(range(3000))
    assert delivery == "at_least_once" or set(counts.values()) == {1}


def test_a_broker_that_is_not_up_yet_is_waited_for(kafka_node: KafkaNode) -> None:
    case = Case(Cluster(kafka_node.bootstrap_servers, True, "of this test"), partitions=3)
    case.feed(10)
    kafka_node.stop()
    with case.member() as member:
        eventually(lambda: member.logged(f"no broker answers at {kafka_node.bootstrap_servers} ("))
        kafka_node.start()
        eventually(lambda: case.count(case.output) == 10)
        member.stop()
    assert case.ids(case.output) == Counter(range(10))


def test_a_kraft_controller_is_not_taken_for_a_broker(kafka_node: KafkaNode, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(
        f"pipeline: p\nkafka: {{bootstrap.servers: {kafka_node.controller}}}\ninput: {{topics: [in]}}\n"
        "tasks: [{name: tone, task: sentiment, model: starter}]\noutput: {topic: out}\ntelemetry: {port: null}\n"
    )
    command = [sys.executable, "-m", "workers.cli.main", "run", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == SettingError.exit_status, done.stderr
    *log, line = done.stderr.splitlines()
    assert all(" INFO " in entry for entry in log)
    assert line.startswith(f"glossator: what answers at {kafka_node.controller} is a KRaft controller, not a broker")


def test_offsets_gone_from_the_log_stop_the_worker(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=1)
    case.feed(10)
    with case.member() as member:
        eventually(lambda: case.committed() == 10)
        member.stop()
    case.feed(10, start=10)
    admin = AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})
    (deleted,) = admin.delete_records([TopicPartition(case.input, 0, 15)]).values()
    deleted.result(30)
    with case.member() as member:
        member.process.wait(120)
        assert member.logged("OffsetError")
        assert member.logged("the committed offset is no longer in the log")
    assert case.count(case.output) == 10, "events behind the gap were read as if nothing had happened"


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ("bootstrap.servers: 127.0.0.1:1", 69, "no broker answers at 127.0.0.1:1 (127.0.0.1:1: Connection refused)"),
        ("bootstrap.servers: nowhere.invalid:9092", 69,
         "no broker answers at nowhere.invalid:9092 (nowhere.invalid:9092: the host name cannot be resolved); waited"),
        ("bootstrap.servers: {real}\n  security.protocol: SSL", 69, "SSL"),
        ("bootstrap.servers: {real}", 69, "topics nowhere, out and out.dead do not exist, and the cluster creates no"),
        ("bootstrap.servers: {real}\n  security.protocol: SASL_PLAINTEXT\n  sasl.mechanism: PLAIN\n"
         "  sasl.username: me\n  sasl.password: hunter2", 77, "the cluster denied access"),
        ("bootstrap.servers: {real}\n  securty.protocol: SSL", 78, "unknown setting of the Kafka client"),
        ("bootstrap.servers: {real}\n  transaction.timeout.ms: 1000000\ndelivery: exactly_once", 78,
         "transaction.timeout.ms is above the broker's transaction.max.timeout.ms"),
        ("bootstrap.servers: {embedded}\ndelivery: exactly_once", 69, "the embedded broker has no transactions"),
    ],
)  # fmt: skip
def test_what_keeps_a_worker_from_starting_is_one_line_and_a_status(
    real_kafka: Any, tmp_path: Path, line: str, status: int, says: str
) -> None:
    file = tmp_path / "pipeline.yaml"
    names = ("nowhere", "out", "out.dead")
    # A model that does not exist would be status 66: the cluster is looked at first.
    model = "starter" if "exactly" in line else "nobody/no-such-model"
    if "exactly" in line:
        names = tuple(real_kafka.create_topic(uuid.uuid4().hex) for _ in names)
    with EmbeddedBroker() as broker:
        kafka = line.format(real=real_kafka.bootstrap_servers, embedded=broker.bootstrap_servers)
        file.write_text(
            f"pipeline: p\nkafka:\n  {kafka}\ninput: {{topics: [{names[0]}]}}\n"
            f"tasks: [{{name: tone, task: sentiment, model: {model}}}]\n"
            f"output: {{topic: {names[1]}, dead_letter: {names[2]}}}\n"
        )
        command = [
            sys.executable,
            "-m",
            "workers.cli.main",
            "run",
            str(file),
            "--patience",
            "4",
            "--state",
            str(tmp_path / "state"),
            "--log-level",
            "error",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
