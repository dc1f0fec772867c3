"""A worker reads and writes formats of a registry, waits while it is away, and ends if it rejects the credentials."""

from __future__ import annotations

import io
import json

import fastavro
import pytest

from schemas.pipeline.config import Pipeline
from stream.output.formats.encoders import make_encoders
from tests.integration.lib import Case, eventually
from tests.kafka.cluster import Cluster
from tests.protobuf import written
from tests.registry import PROTOBUF, FakeRegistry, fake_registry, framed

pytestmark = pytest.mark.integration

SCHEMA = {
    "type": "record",
    "name": "Post",
    "fields": [
        {"name": "id", "type": "int"},
        {"name": "text", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}


PROTO = """syntax = "proto3"; import "google/protobuf/timestamp.proto";
message Post { int32 id = 1; string text = 2; google.protobuf.Timestamp at = 3; }"""


def _add(registry: FakeRegistry, form: str) -> int:
    if form == "protobuf":
        return registry.add("posts-value", PROTO, PROTOBUF)
    return registry.add("posts-value", SCHEMA)


def _post(number: int, schema: int, form: str = "avro") -> bytes:
    if form == "protobuf":
        return framed(schema, b"\0" + written(PROTO, "Post", id=number, text="an event", at={}))
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(SCHEMA), {"id": number, "text": "an event", "at": 0})
    return framed(schema, stream.getvalue())


@pytest.mark.parametrize("form", ["avro", "protobuf"])
def test_events_wait_for_the_registry(real_kafka: Cluster, form: str) -> None:
    with fake_registry() as registry:
        schema = _add(registry, form)
        registry.close()
        settings = {"url": registry.url, "username": "me", "password": "right"}
        case = Case(real_kafka, partitions=2, registry=settings, input={"format": form})
        case.send([*(_post(number, schema, form) for number in range(100)), _post(0, 99, form), b'{"text": "no Avro"}'])
        with case.member() as member:
            eventually(lambda: member.logged("events wait until it can be asked again"))
            assert case.count(case.output) == case.count(case.dead) == 0
            registry.login = ("me", "right")
            registry.open()
            eventually(lambda: case.committed() == 102)
            assert member.stop() == {"polled": 102, "enriched": 100, "drained": True}
        assert dict(case.ids(case.output)) == dict.fromkeys(range(100), 1)
        event = json.loads(case.read(case.output)[0].value or b"")["event"]
        assert event["at"] == ("1970-01-01T00:00:00.000Z" if form == "avro" else "1970-01-01T00:00:00Z")
        dead = {dict(row.headers or ())["__glossator.errors.exception.message"] for row in case.read(case.dead)}
        assert len(dead) == case.count(case.dead) == 2
        assert b"the Schema Registry has no schema 99" in dead
        registry.login = ("me", "changed")
        case.send([_post(100, schema, form)])
        with case.member() as member:
            eventually(lambda: member.process.poll() is not None)
            assert member.process.returncode == 77
            assert member.logged("rejects the credentials of registry (HTTP 401)")
        assert case.count(case.dead) == 2


def test_a_worker_that_waits_stops_when_it_is_asked_to(real_kafka: Cluster) -> None:
    with fake_registry() as registry:
        registry.close()
        case = Case(real_kafka, partitions=1, registry={"url": registry.url}, input={"format": "avro"})
        case.send([_post(0, 1)])
        with case.member() as member:
            eventually(lambda: member.logged("events wait until it can be asked again"))
            assert member.stop()["enriched"] == 0
        assert case.committed() == case.count(case.dead) == 0


@pytest.mark.parametrize("form", ["avro", "protobuf"])
def test_a_format_in_and_out_and_cloudevents_each_once_though_a_worker_is_killed(
    real_kafka: Cluster, form: str
) -> None:
    with fake_registry() as registry:
        schema = _add(registry, form)
        case = Case(
            real_kafka, partitions=3, delivery="exactly_once", registry={"url": registry.url}, input={"format": form},
            commit_interval_ms=50, batching={"max_events": 20, "linger_ms": 5},
        )  # fmt: skip
        aside = real_kafka.create_topic(f"{case.group}.aside", 3)
        case.settings["output"] = {
            "topic": case.output,
            "dead_letter": case.dead,
            "format": {form: {"auto_register": True}},
            "routes": [{"topic": aside, "copy": True, "format": "cloudevents"}],
        }
        count = 600
        case.send(_post(number, schema, form) for number in range(count))
        with case.member(delay=0.0005) as member:
            eventually(lambda: 0 < case.committed() < count)
            member.process.kill()
            member.process.wait()
        with case.member() as member:
            eventually(lambda: case.committed() == count)
            member.stop()
        decode = make_encoders(Pipeline.model_validate(case.settings), "")[None].decode
        for topic, read in ((case.output, decode), (aside, bytes)):
            events = [json.loads(read(row.value or b"")) for row in case.read(topic)]
            inputs = [json.loads(event["event"]) if topic == case.output else event["event"] for event in events]
            assert sorted(event["id"] for event in inputs) == list(range(count))
        assert case.count(case.dead) == 0
        assert "ce_id" in dict(case.read(aside)[0].headers or ())
