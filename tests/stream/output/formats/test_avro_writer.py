"""What is written is what fastavro writes, and reading it again gives the same JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import EncodeError
from schemas.pipeline.event_schema import avro_schema
from stream.codecs.avro import AvroReader
from stream.codecs.avro_schema import AvroSchema
from stream.output.formats.avro_writer import AvroWriter
from stream.registry.schema_errors import UnusableSchemaError
from tests.noop import pipeline
from tests.stream.codecs.test_avro import MAPPING, NODE
from tests.thoroughness import examples


def _record(kind: Any) -> str:
    return json.dumps({"type": "record", "name": "R", "fields": [{"name": "x", "type": kind}]})


def _again(text: str, value: bytes) -> Any:
    reader = AvroReader(AvroSchema(text), None, "schema")
    return orjson.loads(reader.as_json(reader.read(value, 0))[0])


@pytest.mark.parametrize("case", [name for name in MAPPING if name not in ("duration", "too-precise")])
def test_what_is_read_can_be_written(case: str) -> None:
    kind, _, expected = MAPPING[case]
    text = _record(kind)
    event = {"x": expected, "unknown to the schema": 1}
    assert _again(text, AvroWriter(AvroSchema(text)).write(event)) == {"x": expected}


LEAVES = st.one_of(
    st.tuples(st.just("long"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("int"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("double"), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("string"), st.text()),
    st.tuples(st.just("boolean"), st.booleans()),
    st.tuples(st.just(["null", "string"]), st.none() | st.text()),
    st.tuples(st.just({"type": "array", "items": "long"}), st.lists(st.integers(-(2**40), 2**40))),
    st.tuples(st.just({"type": "map", "values": "string"}), st.dictionaries(st.text(), st.text())),
)


@settings(max_examples=examples(200))
@given(fields=st.lists(LEAVES, max_size=6))
def test_the_bytes_are_those_of_fastavro(fields: list[tuple[Any, Any]]) -> None:
    names = [f"f{number}" for number in range(len(fields))]
    entries = [{"name": name, "type": kind} for name, (kind, _) in zip(names, fields, strict=True)]
    schema = {"type": "record", "name": "R", "fields": entries}
    event = {name: value for name, (_, value) in zip(names, fields, strict=True)}
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), event)
    assert AvroWriter(AvroSchema(json.dumps(schema))).write(event) == stream.getvalue()


def test_recursive_types_and_unions_of_records() -> None:
    text = json.dumps(NODE)
    event = {"text": "a", "next": {"text": "b", "next": None, "all": [], "by": {}}, "all": [], "by": {}}
    assert _again(text, AvroWriter(AvroSchema(text)).write(event)) == event
    kinds = [{"type": "record", "name": n, "fields": [{"name": n.lower(), "type": "int"}]} for n in ("A", "B")]
    text = _record(kinds)
    assert _again(text, AvroWriter(AvroSchema(text)).write({"x": {"b": 1}})) == {"x": {"b": 1}}


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("int", "s3cret", "$.x is not a whole number"),
        ({"type": "array", "items": "int"}, [1, "s3cret"], "$.x[1] is not a whole number"),
        ({"type": "map", "values": "int"}, {"k": "s3cret"}, "$.x.k is not a whole number"),
        ({"type": "array", "items": "int"}, "s3cret", "$.x is not an array"),
        ({"type": "map", "values": "int"}, "s3cret", "$.x is not an object"),
        (["null", "int"], "s3cret", "$.x is of no type of its union"),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_has_its_place_and_is_not_quoted(kind: Any, value: Any, reason: str) -> None:
    with pytest.raises(EncodeError) as caught:
        AvroWriter(AvroSchema(_record(kind))).write({"x": value})
    assert str(caught.value).startswith(f"the event does not fit its Avro schema: {reason}")
    assert "s3cret" not in str(caught.value)


def test_a_missing_field_needs_a_default() -> None:
    fields = [{"name": "a", "type": "int", "default": 7}, {"name": "b", "type": ["null", "int"], "default": None}]
    text = json.dumps({"type": "record", "name": "R", "fields": fields})
    assert _again(text, AvroWriter(AvroSchema(text)).write({})) == {"a": 7, "b": None}
    with pytest.raises(EncodeError, match=r"\$ lacks \.x, which has no default"):
        AvroWriter(AvroSchema(_record("int"))).write({})


DEFAULTS: dict[str, tuple[Any, Any, Any]] = {
    "bytes": ("bytes", "abcd\u00ff", b"abcd\xff"),
    "fixed": ({"type": "fixed", "name": "F", "size": 2}, "\u0000\u00ff", b"\x00\xff"),
    "decimal": ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, "\u0001\u0002", b"\1\2"),
    "json": ({"type": "string", "logicalType": "json"}, '{"a": 1}', '{"a": 1}'),
    "a later branch": (["null", "int"], 5, 5),
    "record": (
        {"type": "record", "name": "E", "fields": [{"name": "b", "type": "bytes", "default": "x"}]}, {}, {"b": b"x"},
    ),
}  # fmt: skip
"""For each case: a type of Avro, a default as a schema spells it, and the same as fastavro reads it."""


@pytest.mark.parametrize("case", DEFAULTS)
def test_defaults_are_those_of_the_schema(case: str) -> None:
    """They are spelled as Avro spells them: bytes are characters, and no Base64."""
    kind, default, expected = DEFAULTS[case]
    text = json.dumps({"type": "record", "name": "R", "fields": [{"name": "x", "type": kind, "default": default}]})
    value = AvroWriter(AvroSchema(text)).write({})
    plain = json.loads(text.replace('"logicalType"', '"without"'))
    assert fastavro.schemaless_reader(io.BytesIO(value), plain, None) == {"x": expected}


@pytest.mark.parametrize(
    ("kind", "default", "reason"),
    [
        ({"type": "fixed", "name": "F", "size": 2}, "abc", r"has a default at \$\.x that does not have 2 bytes"),
        ("bytes", "\u0100", r"has a default at \$\.x that cannot be read as bytes"),
        (
            {"type": "record", "name": "E", "fields": [{"name": "b", "type": "int"}]}, {},
            r"has a default at \$\.x that lacks \.b",
        ),
    ],
    ids=["size", "characters", "missing"],
)  # fmt: skip
def test_a_default_that_does_not_fit_makes_the_schema_unusable(kind: Any, default: Any, reason: str) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": kind, "default": default}]}
    with pytest.raises(UnusableSchemaError, match=reason):
        AvroWriter(AvroSchema(json.dumps(schema)))


KINDS: list[dict[str, Any]] = [
    {"task": "sentiment"}, {"task": "ner"}, {"task": "pos"}, {"task": "moderation"}, {"task": "coreference"},
    {"task": "embedding"}, {"task": "language"}, {"task": "pii"}, {"task": "paraphrase", "against": "$.b"},
    {"task": "similarity", "against": "$.b"}, {"task": "similarity", "window": 10},
    {"task": "similarity", "references": {"a": "b"}}, {"task": "question-answering", "questions": ["why?"]},
    {"task": "nli", "hypothesis": "$.b"}, {"task": "nli", "hypotheses": ["x"]},
    {"task": "zero-shot", "labels": ["a", "b"]}, {"task": "aspect-sentiment", "aspects": ["a"]},
    {"task": "custom", "use": "a:B"},
]  # fmt: skip


def test_every_kind_of_task_has_a_type() -> None:
    tasks = [
        {"name": f"t{n}", "model": None if kind["task"] in ("language", "pii", "custom") else "starter", **kind}
        for n, kind in enumerate(KINDS)
    ]
    schema = avro_schema(pipeline(tasks=[{k: v for k, v in task.items() if v is not None} for task in tasks]), "a.B")
    parsed = fastavro.parse_schema(json.loads(json.dumps(schema)))
    assert isinstance(parsed, dict)
    assert parsed["name"] == "a.B"
    annotations = next(field for field in schema["fields"] if field["name"] == "annotations")["type"]
    kinds = {field["name"]: field["type"][1] for field in annotations["fields"]}
    named = [kind if isinstance(kind, str) else kind.get("logicalType") or kind["name"] for kind in kinds.values()]
    assert named == [
        "Classification", "Spans", "Spans", "Moderation", "Coreference", "Embedding", "Classification", "Spans",
        "Paraphrase", "Similarity", "NearDuplicate", "Classification", "Answers", "Classification", "Hypotheses",
        "Classification", "Aspects", "json",
    ]  # fmt: skip
