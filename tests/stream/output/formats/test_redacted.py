"""Personal data is redacted whatever format events are read in and written in; another library reads the result."""

from __future__ import annotations

import hmac
import io
import json
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass

from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Headers, Outbound, Record
from stream.codecs.formats import codec
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.formats.registered import RegisteredEncoder
from stream.output.publisher import Publisher
from stream.output.redaction.keys import Key, Keys
from stream.output.routes import router
from stream.telemetry.stats import Stats
from tests.protobuf import descriptor, written
from tests.registry import AVRO, JSON, PROTOBUF, FakeRegistry, fake_registry, framed

MAIL = "ada@x.org"
TEXT = f"Mail {MAIL} now"
POST = {
    "text": TEXT, "author": {"mail": "Ada@x.org", "name": "Ada L"}, "notes": {"of ada@x.org": "a", "b": f"<{MAIL}>"},
    "tags": ["x", MAIL], "id": 2**60,
}  # fmt: skip
AVRO_SCHEMA = {
    "type": "record", "name": "Post", "fields": [
        {"name": "text", "type": "string"},
        {"name": "author", "type": {"type": "record", "name": "Author", "fields": [
            {"name": "mail", "type": "string"}, {"name": "name", "type": "string"}]}},
        {"name": "notes", "type": {"type": "map", "values": "string"}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "id", "type": "long"},
    ],
}  # fmt: skip
PROTO = """syntax = "proto3"; package shop;
message Post {
  message Author { string mail = 1; string name = 2; }
  string text = 1; Author author = 2; map<string, string> notes = 3; repeated string tags = 4; int64 id = 5;
}"""
HASHED = hmac.digest(b"0123456789abcdef", b"Ada L", "sha256").hex()[:32]
EXPECTED = {
    "text": "Mail <EMAIL_ADDRESS> now", "author": {"mail": "<EMAIL_ADDRESS>", "name": HASHED},
    "notes": {"of <EMAIL_ADDRESS>": "a", "b": "<<EMAIL_ADDRESS>>"}, "tags": ["x", "<EMAIL_ADDRESS>"], "id": 2**60,
}  # fmt: skip


def _posted(registry: FakeRegistry, form: str) -> bytes:
    """Return the post as producers write it."""
    if form == "protobuf":
        return framed(registry.add("in-value", PROTO, PROTOBUF), b"\0" + written(PROTO, "shop.Post", **POST))
    if form == "avro":
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, fastavro.parse_schema(AVRO_SCHEMA), POST)
        return framed(registry.add("in-value", AVRO_SCHEMA, AVRO), stream.getvalue())
    return framed(registry.add("in-value", {"type": "object"}, JSON), json.dumps(POST).encode())


def _read(registry: FakeRegistry, form: str, value: bytes) -> dict[str, Any]:
    """Return an enriched event as consumers read it."""
    schema = registry.answer("GET", f"/schemas/ids/{int.from_bytes(value[1:5])}", None)[1]["schema"]
    if form == "protobuf":
        message = GetMessageClass(descriptor(schema, "glossator.EnrichedEvent")).FromString(value[6:])
        return dict(MessageToDict(message, preserving_proto_field_name=True))
    if form == "avro":
        read: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), fastavro.parse_schema(json.loads(schema)), None)
        return dict(read)
    return dict(json.loads(value[5:]))


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as served:
        yield served


def _pipeline(url: str, source: str, target: str) -> Pipeline:
    return Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "registry": {"url": url},
        "input": {"topics": ["in"], "format": source}, "tasks": [{"name": "pii", "task": "pii"}],
        "output": {
            "topic": "out", "text": "redacted", "format": {target: {"auto_register": True}},
            "routes": [{"topic": "events", "copy": True, "format": {"cloudevents": {"mode": "structured"}}}],
        },
        "redact": {
            "fields": {"$.author.name": "hash"}, "key": "hash", "headers": {"who": "remove"},
            "keys": {"hash": {"env": "KEY"}},
        },
    })  # fmt: skip


def _published(config: Pipeline, value: bytes) -> dict[str, Outbound]:
    headers: Headers = [("who", b"Ada"), ("mail", MAIL.encode())]
    record = Record(Assignment("in", 0), 7, MAIL.encode(), value, headers, 5)
    reader = codec(config.input, True, config.registry)
    reader.fetch_schemas([record])
    document = reader.decode(record)
    assert document.failure is None
    at = document.text.index(MAIL)
    span = {"start": at, "end": at + len(MAIL), "label": "EMAIL_ADDRESS", "score": 1.0, "text": MAIL}
    document.annotations["pii"] = {"spans": [span]}
    builder = EventBuilder(config, {}, Keys(Key(b"0123456789abcdef")))
    for encoder in builder.encoders.values():
        if isinstance(encoder, RegisteredEncoder):
            encoder.prepare()
    outbounds = Publisher(config, Stats()).outbounds(MicroBatch(0, [document], 0), builder, router(config.output))
    return {outbound.topic: outbound for outbound in outbounds}


@pytest.mark.parametrize("target", ["avro", "protobuf", "json_schema"])
@pytest.mark.parametrize("source", ["avro", "protobuf", "json_schema"])
def test_nothing_personal_is_left(registry: FakeRegistry, source: str, target: str) -> None:
    published = _published(_pipeline(registry.url, source, target), _posted(registry, source))
    assert published.keys() == {"events", "out"}
    for outbound in published.values():
        for part in (outbound.value or b"", outbound.key or b"", repr(outbound.headers).encode()):
            assert b"ada@" not in part.lower()
            assert b"Ada" not in part
    event = _read(registry, target, published["out"].value or b"")
    assert event["text"] == EXPECTED["text"]
    inner = event["event"] if target == "json_schema" else json.loads(event["event"])
    assert inner == EXPECTED
    assert event["annotations"]["pii"]["spans"][0]["text"] == "<EMAIL_ADDRESS>"
    assert event["redacted"].keys() >= {"EMAIL_ADDRESS", "$.author.name", "key"}
    assert json.loads(published["events"].value or b"")["data"]["event"] == EXPECTED
