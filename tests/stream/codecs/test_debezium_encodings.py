"""Debezium's change events mean the same, whether they are JSON, or encoded with a schema of a registry."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from schemas.document import Document
from schemas.pipeline.config import Input
from stream.codecs.base import Codec
from stream.codecs.debezium import UNAVAILABLE
from stream.codecs.formats import codec
from stream.codecs.proto_text import parse_proto
from tests.protobuf import written
from tests.registry import AVRO, JSON, PROTOBUF, FakeRegistry, fake_registry, framed
from tests.stream.codecs.registered import codec_of, decoded

ROW = {
    "type": "record",
    "name": "Value",
    "fields": [{"name": "id", "type": "int"}, {"name": "text", "type": ["null", "string"], "default": None}],
}
SOURCE = {"type": "record", "name": "Source", "fields": [{"name": "table", "type": "string"}]}
ENVELOPE = {
    "type": "record",
    "name": "shop.public.reviews.Envelope",
    "fields": [
        {"name": "before", "type": ["null", ROW], "default": None},
        {"name": "after", "type": ["null", "Value"], "default": None},
        {"name": "source", "type": SOURCE},
        {"name": "op", "type": "string"},
    ],
}
PROTO = """syntax = "proto3"; package shop.reviews;
message Envelope { Value before = 1; Value after = 2; Source source = 3; string op = 4; }
message Value { int32 id = 1; optional string text = 2; }
message Source { string table = 1; }"""


def _avro(event: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(ENVELOPE), event)
    return stream.getvalue()


def _protobuf(event: dict[str, Any]) -> bytes:
    return b"\0" + written(PROTO, "shop.reviews.Envelope", **event)


ENCODINGS: dict[str, tuple[object, str, Callable[[dict[str, Any]], bytes]]] = {
    "avro": (ENVELOPE, AVRO, _avro),
    "protobuf": (PROTO, PROTOBUF, _protobuf),
    "json_schema": ({"type": "object"}, JSON, lambda event: json.dumps(event).encode()),
}
"""The encoding -> its schema, the schema's type, and what encodes a change event."""


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as served:
        yield served


def change(op: str, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"before": before, "after": after, "source": {"table": "reviews"}, "op": op}


def _decoded(registry: FakeRegistry, encoding: str, event: dict[str, Any], **source: Any) -> Document:
    schema, kind, encode = ENCODINGS[encoding]
    number = registry.add("reviews-value", schema, kind)
    settings = {"form": "debezium", "encoding": encoding, "text": "$.after.text", **source}
    return decoded(codec_of(registry, keep=True, **settings), framed(number, encode(event)))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("op", ["c", "r", "u"])
def test_the_text_of_a_change_is_in_the_row_after_it(registry: FakeRegistry, encoding: str, op: str) -> None:
    event = change(op, {"id": 1, "text": "old"}, {"id": 1, "text": "new"})
    document = _decoded(registry, encoding, event)
    assert document.failure is None
    assert document.text == "new"
    assert json.loads(document.event or b"") == document.fields == event


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_deleted_row_is_a_delete(registry: FakeRegistry, encoding: str) -> None:
    document = _decoded(registry, encoding, change("d", {"id": 1, "text": "old"}))
    assert document.deletes
    assert document.failure is not None
    assert document.failure.message == "the event is a delete, and has no text"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (change("t"), "the event is a truncate, which has no row and no key"),
        (change("u", {"id": 1, "text": "old"}), "there is no text at $.after.text"),
        (change("u", None, {"id": 1, "text": UNAVAILABLE}), "the database has not told Debezium the text"),
        (change("", None, {"id": 1, "text": "x"}), "the value is not a Debezium change event: its op is not one of"),
    ],
    ids=["truncate", "no row", "unavailable", "no op"],
)
def test_other_changes_fail_with_the_reason(
    registry: FakeRegistry, encoding: str, event: dict[str, Any], reason: str
) -> None:
    document = _decoded(registry, encoding, event)
    assert not document.deletes
    assert document.failure is not None
    assert document.failure.message.startswith(reason)
    if "no change event" in reason:
        assert document.failure.message.endswith(f"are for input.format: {encoding}")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_without_the_format_a_failure_names_it(registry: FakeRegistry, encoding: str) -> None:
    schema, kind, encode = ENCODINGS[encoding]
    number = registry.add("reviews-value", schema, kind)
    document = decoded(
        codec_of(registry, form=encoding, text="$.after.text"), framed(number, encode(change("d", {"id": 1})))
    )
    assert document.failure is not None
    assert not document.deletes
    assert document.failure.message == (
        "there is no text at $.after.text; it looks like an event for input.format: debezium, input.encoding: "
        f"{encoding}"
    )


def test_the_schema_must_have_the_row(registry: FakeRegistry) -> None:
    document = _decoded(registry, "avro", change("c", None, {"id": 1, "text": "new"}), text="$.after.body")
    assert document.failure is not None
    assert document.failure.message.startswith("there is no text: schema 1 of subject reviews-value has no field at")


def test_a_descriptor_set_can_describe_the_change(tmp_path: Path) -> None:
    file = tmp_path / "reviews.desc"
    file.write_bytes(FileDescriptorSet(file=[parse_proto(PROTO, "reviews.proto")]).SerializeToString())
    source = Input.model_validate(
        {
            "topics": ["in"], "format": "debezium", "encoding": "protobuf", "descriptor_set": str(file),
            "message": "shop.reviews.Envelope", "text": "$.after.text",
        }
    )  # fmt: skip
    reader: Codec = codec(source, encoded=True)
    assert decoded(reader, _protobuf(change("c", None, {"id": 1, "text": "new"}))[1:]).text == "new"
    assert decoded(reader, _protobuf(change("d", {"id": 1, "text": "new"}))[1:]).deletes
