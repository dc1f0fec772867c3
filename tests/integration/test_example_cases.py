"""A worker on a real broker publishes what ``glossator test`` says of the examples that act on what they find."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from schemas.pipeline.case_files import load_cases
from schemas.pipeline.loader import load
from schemas.record import Headers
from stream.output.redaction.envelope import MAGIC, unseal
from stream.output.redaction.keys import Key
from tests.examples import KEYS, ROOT
from tests.integration.lib import eventually
from tests.kafka.cluster import Cluster, Row
from tests.kafka.node import KafkaNode
from workers.chain.chain import Chain
from workers.cli.testing.inputs import record_of
from workers.process.offline import Offline

pytestmark = pytest.mark.integration


def told(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, str | bytes | None]]) -> Any:
    """A record without what only the broker knows, and what is encrypted in the clear."""
    content: Any = value
    if value is not None and value.startswith(MAGIC):
        original = unseal(value, {"k1": Key(bytes.fromhex(KEYS["GLOSSATOR_DEAD_KEY"]))})
        content = [original.offset, original.key, original.value, original.headers or None]
    elif value is not None:
        with suppress(ValueError):
            content = json.loads(value)
    if isinstance(content, dict) and "source" in content:
        del content["source"]["timestamp_ms"]
    return (
        key,
        _near(content),
        sorted((name, text.encode() if isinstance(text, str) else text) for name, text in headers),
    )


def _near(value: Any) -> Any:
    """The value with its scores approximate, because they depend a little on what is computed together."""
    if isinstance(value, dict):
        return {name: _near(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_near(entry) for entry in value]
    return pytest.approx(value, abs=1e-4) if isinstance(value, float) else value


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
@pytest.mark.parametrize("name", ["moderation-routes", "pii-redaction"])
def test_a_worker_publishes_what_the_cases_say(
    name: str, delivery: str, kafka_node: KafkaNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The test has its own broker, because the file determines the names of topics and group.
    cluster = Cluster(kafka_node.bootstrap_servers, True, "Apache Kafka on the JVM")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", cluster.bootstrap_servers)
    for variable, secret in KEYS.items():
        monkeypatch.setenv(variable, secret)
    example = Path("examples") / f"{name}.yaml"
    path = tmp_path / example.name
    path.write_text(f"{example.read_text()}\ndelivery: {delivery}\n")
    pipeline = load(path)
    files, problems = load_cases(example)
    assert problems == []
    cases = [case for file in files for _, case in file.cases]
    records = [record_of(case, pipeline.input, offset) for offset, case in enumerate(cases)]
    expected = defaultdict(list)
    for processed in Offline(pipeline, Chain.load(pipeline)).process(records):
        for outbound in processed.outbounds:
            expected[outbound.topic].append(told(outbound.key, outbound.value, outbound.headers))

    (topic,), outputs = pipeline.input.topics, [*pipeline.output.topics, pipeline.output.dead_letter_topic]
    for created in (topic, *outputs):
        cluster.create_topic(created, 1)
    cluster.produce_all(topic, [(record.key, record.value, _sent(record.headers)) for record in records])
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "workers.cli.main", "run", str(path)]
    with log.open("w") as file:
        worker = subprocess.Popen(command, env=dict(os.environ), stderr=file)
    wanted = [len(expected[output]) for output in outputs]

    def ended() -> bool:
        """Whether all outputs are in the log, or the process has ended."""
        return [len(cluster.consume_all(output)) for output in outputs] == wanted or worker.poll() is not None

    try:
        eventually(ended, within=120)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0, log.read_text()
    finally:
        worker.kill()
        worker.wait()
    hidden = [text.encode() for case in cases for text in case.expect.nowhere or ()]
    for output in outputs:
        rows = cluster.consume_all(output)
        assert [told(row.key, row.value, row.headers) for row in rows] == expected[output]
        assert [text for text in hidden for row in rows if text in b"".join(part or b"" for part in _parts(row))] == []


def _parts(row: Row) -> list[bytes | None]:
    """The bytes of a record. In these files nothing hidden has a character that JSON escapes."""
    return [row.key, row.value, *(part for name, value in row.headers for part in (name.encode(), value))]


def _sent(headers: Headers | None) -> list[tuple[str, bytes | None]]:
    return [(name, text.encode() if isinstance(text, str) else text) for name, text in headers or ()]
