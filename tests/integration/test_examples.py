"""Some of the examples, unmodified, run with ``glossator run`` on a real broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.pipeline.loader import load
from tests import examples
from tests.examples import DOZEN, EXAMPLES, SCHEMA, events
from tests.integration.lib import eventually
from tests.kafka.cluster import Cluster
from tests.kafka.node import KafkaNode

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def place(tmp_path: Path) -> Iterator[None]:
    with examples.place(tmp_path):
        yield


def worked_off(name: str, cluster: Cluster, log: Path) -> list[dict[str, Any]]:
    """Run a dozen events and one that is not JSON, which becomes a dead letter, through ``glossator run``."""
    pipeline = load(EXAMPLES[name])
    (topic,), output, dead = pipeline.input.topics, pipeline.output.topic, pipeline.output.dead_letter_topic
    for created in (topic, output, dead):
        cluster.create_topic(created, 2)
    cluster.produce_all(topic, [*(json.dumps(event).encode() for event in events(name, DOZEN)), b"not json"])
    command = [sys.executable, "-m", "workers.cli.main", "run", f"examples/{name}.yaml"]
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap_servers}
    with log.open("w") as file:
        worker = subprocess.Popen(command, env=environment, stderr=file)

    def ended() -> bool:
        """Whether all outputs are in the log, or the process has ended."""
        landed = [sum(cluster.ends(written).values()) for written in (output, dead)]
        return landed == [len(DOZEN), 1] or worker.poll() is not None

    try:
        eventually(ended, within=120)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0, log.read_text()
    finally:
        worker.kill()
        worker.wait()
    return [json.loads(row.value or b"") for row in cluster.consume_all(output)]


def test_three_examples_run_unmodified_against_kafka(kafka_node: KafkaNode, tmp_path: Path) -> None:
    # The test has its own broker, because the files determine the names of topics and groups.
    cluster = Cluster(kafka_node.bootstrap_servers, True, "Apache Kafka on the JVM")
    for name in ("sentiment", "support-desk", "pii"):
        made = worked_off(name, cluster, tmp_path / f"{name}.log")
        several = len(load(EXAMPLES[name]).input.paths)
        assert sorted(event["text"] for event in made) == sorted("\n\n".join([text] * several) for text in DOZEN)
        for event in made:
            SCHEMA.validate(event)
            if name == "support-desk":
                assert ("tone" in event["annotations"]) == (event["annotations"]["language"]["label"] == "en")
