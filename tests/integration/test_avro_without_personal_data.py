"""Avro of a real Schema Registry in, without personal data out: as Avro, and as CloudEvents in a second topic.

Whatever happens to the workers, each event is once in both topics. What is read here is read by other libraries.
"""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.apicurio import NoApicurioError, apicurio
from tests.integration.lib import Case, eventually
from tests.kafka.cluster import Row

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

KEY = "5e" * 32
KILLS = 2
"""At least: it goes on until one has hit an open transaction."""
AUTHOR = {"type": "record", "name": "Author", "fields": [{"name": "mail", "type": "string"}]}
POST = {
    "type": "record",
    "name": "shop.Post",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "author", "type": AUTHOR},
        {"name": "body", "type": ["null", "string"], "default": None},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    ],
}


def mail(number: int) -> str:
    return f"reader{number:04}@example.com"


def post(number: int) -> dict[str, Any]:
    return {
        "id": 2**60 + number,
        "author": {"mail": mail(number)},
        "body": f"Call +1 (202) 555-0143 or write to {mail(number)} soon.",
        "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "price": Decimal("12.50"),
    }


def hashed(value: str) -> str:
    """What anybody with the key computes, as ``docs/redaction.md`` says."""
    return hmac.digest(bytes.fromhex(KEY), value.encode(), "sha256").hex()[:32]


def test_each_event_is_once_in_both_topics_without_personal_data(real_kafka: Any, tmp_path: Path) -> None:
    try:
        with apicurio(tmp_path) as url, SchemaRegistryClient({"url": url}) as registry:
            _require_each_event_once(real_kafka, url, registry, tmp_path / "pipeline.yaml")
    except NoApicurioError as error:
        pytest.skip(str(error))


def _require_each_event_once(broker: Any, url: str, registry: SchemaRegistryClient, file: Path) -> None:
    case, aside = _case(broker, url)
    file.write_text(json.dumps(case.settings))
    schema = subprocess.run([*GLOSSATOR, "schema", "--format", "avro", str(file)], capture_output=True, check=True)
    number = registry.register_schema(f"{case.output}-value", Schema(schema.stdout.decode(), "AVRO"))
    lost = kills = 0
    with _feeding(case, AvroSerializer(registry, json.dumps(POST))) as feed:
        while kills < KILLS or not lost:
            with _worker(file) as worker:
                eventually(lambda: case.committed() > 0 and _unseen(case) > lost, within=300)  # noqa: B023 - called at once
                worker.kill()
                worker.wait()
            lost, kills = _unseen(case), kills + 1
    with _worker(file) as worker:
        eventually(lambda: case.committed() == feed.count, within=300)
        worker.terminate()
        assert worker.wait(120) == 0
    assert case.read(case.dead) == []
    posts = list(range(feed.count))
    assert sorted(_from_avro(case.read(case.output), AvroDeserializer(registry), number)) == posts
    assert sorted(_from_cloud_events(case.read(aside))) == posts


class Feed:
    """Sends posts until it is stopped, so that whenever a worker is killed, it is in the middle of something."""

    def __init__(self, case: Case, write: AvroSerializer) -> None:
        self.count = 0
        self.over = threading.Event()
        self._case, self._write = case, write

    def run(self) -> None:
        context = SerializationContext(self._case.input, MessageField.VALUE)
        while not self.over.wait(0.1):
            numbers = range(self.count, self.count + 10)
            records = ((mail(n), self._write(post(n), context), [("reader", mail(n).encode())]) for n in numbers)
            self._case.broker.produce_all(self._case.input, records)
            self.count = numbers.stop


@contextmanager
def _feeding(case: Case, write: AvroSerializer) -> Iterator[Feed]:
    feed = Feed(case, write)
    thread = threading.Thread(target=feed.run)
    thread.start()
    try:
        yield feed
    finally:
        feed.over.set()
        thread.join()


def _unseen(case: Case) -> int:
    """Return how many events in the output topic are of a transaction that is open or was aborted."""
    return len(case.broker.consume_all(case.output, read_committed=False)) - len(case.read(case.output))


def _case(broker: Any, url: str) -> tuple[Case, str]:
    """Return a case whose transactions are open for seconds, and its second topic."""
    case = Case(
        broker, partitions=3, delivery="exactly_once", registry={"url": url}, commit_interval_ms=2000,
        input={"format": "avro", "text": "$.body"},
        tasks=[{"name": "personal", "task": "pii"}],
        redact={
            "labels": {"PHONE_NUMBER": {"replace": {"numbered": True}}, "EMAIL_ADDRESS": "hash"},
            "fields": {"$.author.mail": "hash"}, "key": "hash", "headers": {"reader": "remove"},
            "keys": {"hash": {"env": "HASH_KEY"}},
        },
        batching={"max_events": 10}, telemetry={"port": None},
    )  # fmt: skip
    aside = broker.create_topic(f"{case.group}.aside", 3)
    case.settings["output"] = {
        "topic": case.output,
        "dead_letter": case.dead,
        "text": "redacted",
        "format": "avro",
        "routes": [
            {"topic": aside, "copy": True, "format": {"cloudevents": {"mode": "structured", "type": "shop.post"}}}
        ],
    }
    return case, aside


GLOSSATOR = [sys.executable, "-m", "workers.cli.main"]


@contextmanager
def _worker(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = file.with_suffix(".log")
    with log.open("wb") as output:
        command = [*GLOSSATOR, "run", str(file), "--slot", "0"]
        worker = subprocess.Popen(command, env={**os.environ, "HASH_KEY": KEY}, stdout=output, stderr=output)
    try:
        yield worker
    except BaseException:
        print(log.read_text())  # pytest shows it with the failure
        raise
    finally:
        worker.kill()
        worker.wait()


def _from_avro(rows: list[Row], read: AvroDeserializer, number: int) -> Iterator[int]:
    """Yield the numbers of the posts in ``rows``, whose values have the schema ``number``."""
    for row in rows:
        assert row.value is not None
        assert row.value[:5] == b"\0" + number.to_bytes(4), "the schema that was registered"
        event: Any = read(row.value, SerializationContext("", MessageField.VALUE))
        event["event"] = json.loads(event["event"])
        yield _masked(row, event)


def _from_cloud_events(rows: list[Row]) -> Iterator[int]:
    """Yield the numbers of the posts in ``rows``."""
    ids = set()
    for row in rows:
        headers = {name: content or b"" for name, content in row.headers}
        event = from_kafka_event(KafkaMessage(headers=headers, key=None, value=row.value or b""))
        assert event.get_type() == "shop.post"
        ids.add(event.get_id())
        data = event.get_data()
        assert isinstance(data, dict)
        yield _masked(row, data)
    assert len(ids) == len(rows)


def _masked(row: Row, event: dict[str, Any]) -> int:
    """Return the number of a post, in which nothing of its author may be left; ``event`` is what was read."""
    number = int(event["event"]["id"]) - 2**60
    secret = hashed(mail(number))
    assert event["text"] == f"Call <PHONE_NUMBER_1> or write to {secret} soon."
    assert event["event"] == {
        "id": 2**60 + number, "author": {"mail": secret}, "body": event["text"], "at": "2026-01-02T03:04:05.000Z",
        "price": "12.50",
    }  # fmt: skip
    labels = {span["label"] for span in event["annotations"]["personal"]["spans"]}
    assert labels == {"PHONE_NUMBER", "EMAIL_ADDRESS"}
    assert row.key == secret.encode()
    published = b"|".join([row.value or b"", row.key, repr(row.headers).encode()])
    for personal in (b"555-0143", mail(number).encode()[:10], b"@example"):
        assert personal not in published
    return number
