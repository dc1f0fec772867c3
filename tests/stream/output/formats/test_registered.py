"""Events are written in a schema of the registry, which each value names; what is wrong is known at the start."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest

from schemas.document import Document
from schemas.errors import AccessError, EncodeError, RegistryError, SettingError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.event_proto import proto_schema
from schemas.record import Assignment, Record
from stream.output.event_builder import EventBuilder
from stream.output.formats.registered import RegisteredEncoder
from tests.noop import pipeline
from tests.registry import FakeRegistry, fake_registry

MODELS = {
    name: {"model": "m", "revision": "r", "precision": "bfloat16"} for name in ("tone", "entities", "safety", "mine")
}
ANNOTATIONS: dict[str, Any] = {
    "tone": {"label": "positive", "score": 0.9, "scores": {"positive": 0.9, "negative": 0.1}},
    "entities": {"spans": [{"start": 0, "end": 2, "label": "PER", "score": 0.5, "text": "Jo"}]},
    "mine": {"custom": {"any": [1, "thing"]}},
}
NOTICES: list[dict[str, Any]] = [
    {"task": "tone", "kind": "truncated", "kept": 1, "of": 2},
    {"task": "tone", "kind": "unread", "share": 0.5},
    {"kind": "missing", "paths": ["$.b"]},
]


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as served:
        yield served


def pipeline_with(url: str, form: str = "avro", **options: Any) -> Pipeline:
    return pipeline(
        registry={"url": url},
        output={"topic": "out", "format": {form: options}},
        tasks=[
            {"name": "tone", "task": "sentiment", "model": "starter"},
            {"name": "entities", "task": "ner", "model": "starter"},
            {"name": "safety", "task": "moderation", "model": "starter"},
            {"name": "mine", "task": "custom", "use": "a:B"},
        ],
    )


def encoder_of(config: Pipeline) -> RegisteredEncoder:
    encoder = EventBuilder(config, MODELS).encoders[None]
    assert isinstance(encoder, RegisteredEncoder)
    return encoder


def event_of(config: Pipeline) -> tuple[bytes, Record]:
    record = Record(Assignment("posts", 0), 7, b"k", b"", [("__value_schema_id", b"\x00\x00\x00\x00\x09"), ("h", b"1")])
    document = Document(record, "Jo is fine", b'{"text":"Jo is fine","n":12345678901234567890}')
    document.annotations, document.notices = ANNOTATIONS, NOTICES
    return EventBuilder(config, MODELS).build(document), record


@pytest.mark.parametrize("form", ["avro", "protobuf", "json_schema"])
def test_a_schema_is_registered_if_that_is_asked_for(registry: FakeRegistry, form: str) -> None:
    config = pipeline_with(registry.url, form, auto_register=True, compatibility="full")
    encoder = encoder_of(config)
    encoder.prepare()
    encoder.prepare()
    assert registry.requests == ["PUT /config/out-value", "POST /subjects/out-value/versions"]
    assert registry.compatibility == {"out-value": "FULL"}
    event, record = event_of(config)
    value, headers = encoder.encode(event, b"k", record.headers or [], record)
    assert value[:5] == b"\x00\x00\x00\x00\x01"
    assert headers == [("h", b"1")]
    again = json.loads(encoder_of(config).decode(value))
    original = json.loads(event)
    if form == "json_schema":
        assert again == original
        return
    _, answer = registry.answer("GET", "/schemas/ids/1", None)
    assert json.loads(again["event"]) == original["event"]
    assert json.loads(again["annotations"].pop("mine")) == ANNOTATIONS["mine"]
    if form == "protobuf":
        assert answer["schema"] == proto_schema(config, "glossator.EnrichedEvent")
        lists = {"spans": ANNOTATIONS["entities"]["spans"]}
        assert again["annotations"] == {"tone": ANNOTATIONS["tone"], "entities": lists}
        assert again.pop("notices") == [{"paths": [], **notice} for notice in NOTICES]
        del original["source"]["timestamp_ms"]  # it is null
        for name in ("schema", "id", "pipeline", "source", "text", "models"):
            assert again[name] == original[name], name
        return
    schema = fastavro.parse_schema(json.loads(answer["schema"]))
    read: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
    read["annotations"].pop("mine")
    assert json.loads(json.dumps(read)) == again
    assert again["annotations"].pop("safety") is None
    assert again["annotations"]["entities"]["spans"][0].items() >= ANNOTATIONS["entities"]["spans"][0].items()
    for name in ("schema", "id", "pipeline", "source", "text", "models", "notices"):
        assert again[name] == original[name], name


def test_the_newest_schema_of_the_subject_is_used(registry: FakeRegistry) -> None:
    small = {"type": "record", "name": "Small", "fields": [{"name": "id", "type": "string"}]}
    registry.add("out-value", '"string"')
    number = registry.add("out-value", small)
    config = pipeline_with(registry.url)
    encoder = encoder_of(config)
    encoder.prepare()
    event, record = event_of(config)
    value, _ = encoder.encode(event, b"k", [], record)
    assert value[:5] == b"\x00" + number.to_bytes(4)
    assert json.loads(encoder.decode(value)) == {"id": json.loads(event)["id"]}


def test_of_several_messages_the_one_with_the_name_is_used_or_the_first(registry: FakeRegistry) -> None:
    text = 'syntax = "proto3"; package a; message First { string id = 1; message B { string text = 1; } }'
    number = registry.add("out-value", text, "PROTOBUF")
    cases: list[tuple[dict[str, str], bytes, dict[str, str]]] = [
        ({}, b"\0", {"id": "posts-0-7-"}),
        ({"record": "a.First"}, b"\0", {"id": "posts-0-7-"}),
        ({"record": "a.First.B"}, b"\x04\0\0", {"text": "Jo is fine"}),
    ]
    for options, start, expected in cases:
        config = pipeline_with(registry.url, "protobuf", **options)
        encoder = encoder_of(config)
        encoder.prepare()
        event, source = event_of(config)
        value, _ = encoder.encode(event, b"k", [], source)
        assert value.startswith(b"\x00" + number.to_bytes(4) + start)
        ((name, text),) = json.loads(encoder.decode(value)).items()
        assert text.startswith(expected[name])


def test_what_is_wrong_with_protobuf_is_known_before_the_first_event(registry: FakeRegistry) -> None:
    encoder = encoder_of(pipeline_with(registry.url, "protobuf"))
    with pytest.raises(SettingError, match="register what glossator schema --format protobuf prints"):
        encoder.prepare()
    for text, reason in (
        ("message M {", "is not a .proto file: it ends too early"),
        ("message M { optional Secret s = 1; }", "has types that are missing or do not fit"),
        ("enum E { A = 0; }", "has no message"),
    ):
        registry.add("out-value", text, "PROTOBUF")
        with pytest.raises(SettingError, match=f"the schema of subject out-value {reason}"):
            encoder_of(pipeline_with(registry.url, "protobuf")).prepare()
    number = registry.add("out-value", "message M { optional int32 id = 1; }", "PROTOBUF")
    for name, hint in (("Mn", ', did you mean "M"?'), ("shop.Post", "$")):
        with pytest.raises(SettingError, match=f"the schema of subject out-value has no message {name}{hint}"):
            encoder_of(pipeline_with(registry.url, "protobuf", record=name)).prepare()
    config = pipeline_with(registry.url, "protobuf")
    encoder = encoder_of(config)
    encoder.prepare()
    event, record = event_of(config)
    with pytest.raises(EncodeError, match=r"does not fit its Protobuf schema: \$\.id is not a whole number"):
        encoder.encode(event, None, [], record)
    for bad in (b"\0" + number.to_bytes(4), b"\0" + number.to_bytes(4) + b"\x02\x09", b"\0\0\0\0\x63\0"):
        with pytest.raises(ValueError, match=r"value|schema"):
            encoder.decode(bad)


@pytest.mark.parametrize(
    ("strategy", "subject"), [("topic", "out-value"), ("record", "a.B"), ("topic_record", "out-a.B")]
)
def test_subjects(registry: FakeRegistry, strategy: str, subject: str) -> None:
    encoder = encoder_of(pipeline_with(registry.url, subject=strategy, record="a.B", auto_register=True))
    encoder.prepare()
    assert registry.requests == [f"POST /subjects/{subject}/versions"]


def test_what_is_wrong_is_known_before_the_first_event(registry: FakeRegistry) -> None:
    encoder = encoder_of(pipeline_with(registry.url))
    with pytest.raises(SettingError, match="has no subject out-value: register what glossator schema --format avro"):
        encoder.prepare()
    registry.add("out-value", {"type": "object"}, "JSON")
    with pytest.raises(SettingError, match="the schema of subject out-value is of type JSON, not AVRO"):
        encoder_of(pipeline_with(registry.url)).prepare()
    registry.add("out-value", {"type": "recrod"})
    with pytest.raises(SettingError, match="the schema of subject out-value is not an Avro schema"):
        encoder_of(pipeline_with(registry.url)).prepare()
    for status, error, words in (
        (409, SettingError, "it is not compatible with the one before"),
        (422, SettingError, "it is not valid there"),
        (401, AccessError, "HTTP 401"),
        (503, RegistryError, "HTTP 503"),
    ):
        registry.status = status
        with pytest.raises(error, match=words):
            encoder_of(pipeline_with(registry.url, auto_register=True)).prepare()


def test_an_event_that_does_not_fit_is_an_error_of_that_event(registry: FakeRegistry) -> None:
    registry.add("out-value", {"type": "record", "name": "R", "fields": [{"name": "id", "type": "int"}]})
    config = pipeline_with(registry.url)
    encoder = encoder_of(config)
    encoder.prepare()
    event, record = event_of(config)
    with pytest.raises(EncodeError, match=r"does not fit its Avro schema: \$.id is not a whole number"):
        encoder.encode(event, None, [], record)
    for bad in (b"", b"{}", b"\x00\x00\x00\x00\x63", b"\x00\x00\x00\x00\x01"):
        with pytest.raises(ValueError, match=r"value|schema"):
            encoder.decode(bad)


def _doubling(levels: int) -> Any:
    """A record whose default has twice as many numbers as that of the record in it."""
    kind: Any = {"type": "record", "name": "R0", "fields": [{"name": "a", "type": "int", "default": 1}]}
    for level in range(1, levels):
        fields = [{"name": "a", "type": kind, "default": {}}, {"name": "b", "type": f"R{level - 1}", "default": {}}]
        kind = {"type": "record", "name": f"R{level}", "fields": fields}
    return kind


def _holding(kind: Any, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "E", "fields": [{"name": "x", "type": kind, **more}]}


WIDE = [{"type": "enum", "name": f"U{i}", "symbols": [f"s{i}"]} for i in range(1001)]


@pytest.mark.parametrize(
    ("form", "schema", "reason"),
    [
        ("avro", _holding(_doubling(60), default={}), "that has defaults with which it is longer than 1000000 bytes"),
        ("avro", _holding({"type": "array", "items": WIDE}), "has a union of more than 1000 types"),
        ("avro", _holding("E", default={}), "is nested too deep, or has a default that contains itself"),
        ("avro", _holding("string", doc="x" * 4_000_000), "has more than 4000000 characters, with all that"),
        ("avro", _holding("Missing"), "is not an Avro schema"),
        (
            "protobuf",
            "message A0 { A1 a = 1; } "
            + "".join(f"message A{i} {{ A{i + 1} a = 1; }} " for i in range(1, 2000))
            + "message A2000 {}",
            "has types that contain each other in too long a chain",
        ),
    ],
    ids=["defaults", "union", "itself", "large", "missing", "chain"],
)
def test_a_hostile_schema_is_a_mistake_at_the_start(
    registry: FakeRegistry, form: str, schema: object, reason: str
) -> None:
    registry.add("out-value", schema, form.upper())
    with pytest.raises(SettingError, match=f"^the schema of subject out-value .*{reason}"):
        encoder_of(pipeline_with(registry.url, form)).prepare()


def test_defaults_do_not_make_a_short_event_huge(registry: FakeRegistry) -> None:
    registry.add("out-value", _holding({"type": "array", "items": _doubling(16)}))
    encoder = encoder_of(pipeline_with(registry.url))
    encoder.prepare()
    record = Record(Assignment("in", 0), 1, None, b"", None)
    assert len(encoder.encode(b'{"x":[{},{}]}', None, [], record)[0]) == 5 + 1 + 2 * 2**15 + 1
    with pytest.raises(EncodeError, match="has defaults with which it is longer than 100000000 bytes"):
        encoder.encode(json.dumps({"x": [{}] * 5000}).encode(), None, [], record)
