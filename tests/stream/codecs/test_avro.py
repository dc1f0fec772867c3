"""Avro becomes the JSON that docs/schema-registry.md describes; whatever is wrong with a value is a failed document."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from schemas.errors import SettingError
from schemas.record import Headers
from stream.codecs.avro_survey import DEEPEST
from tests.registry import FakeRegistry, fake_registry, framed
from tests.stream.codecs.registered import codec_of, decoded
from tests.thoroughness import examples

POST = {
    "type": "record",
    "name": "Post",
    "namespace": "com.example",
    "fields": [{"name": "text", "type": "string"}, {"name": "likes", "type": ["null", "long"], "default": None}],
}


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as served:
        yield served


_codec = partial(codec_of, form="avro")


def _written(schema: object, value: object) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(schema))), value)
    return stream.getvalue()


def _reason(document: Document) -> str:
    assert document.failure is not None
    assert document.failure.stage == "decode"
    return document.failure.message


def _record(*fields: tuple[str, object]) -> dict[str, Any]:
    entries = [{"name": "text", "type": "string"}, *({"name": name, "type": kind} for name, kind in fields)]
    return {"type": "record", "name": "Event", "fields": entries}


def _event(registry: FakeRegistry, kind: object, value: object) -> Any:
    """Return what the field ``x`` of the type ``kind`` becomes."""
    schema = _record(("x", kind))
    number = registry.add("posts-value", schema)
    document = decoded(_codec(registry), framed(number, _written(schema, {"text": "here", "x": value})))
    assert document.failure is None, document.failure.message
    assert document.text == "here"
    assert document.event is not None
    return json.loads(document.event)["x"]


@pytest.mark.parametrize("place", ["prefix", "guid", "header", "header-guid"])
def test_the_id_is_in_the_prefix_or_in_a_header(registry: FakeRegistry, place: str) -> None:
    number = registry.add("posts-value", POST)
    payload = _written(POST, {"text": "here", "likes": 3})
    guid = b"\x01" + UUID(registry.guid(number)).bytes
    name = guid if "guid" in place else b"\x00" + number.to_bytes(4)
    headers: Headers | None = [("other", b"x"), ("__value_schema_id", name)] if "header" in place else None
    document = decoded(_codec(registry, keep=True), payload if headers else name + payload, headers)
    assert document.failure is None
    assert (document.text, document.event) == ("here", b'{"text":"here","likes":3}')
    assert document.fields == {"text": "here", "likes": 3}


INNER = {"type": "record", "name": "Inner", "fields": [{"name": "a", "type": "int"}]}
OTHER = {"type": "record", "name": "Other", "fields": [{"name": "b", "type": "string"}]}


def _logical(kind: str, logical: str, /, **more: object) -> dict[str, object]:
    return {"type": kind, "logicalType": logical, **more}


MAPPING: dict[str, tuple[Any, Any, Any]] = {
    "null": ("null", None, None),
    "boolean": ("boolean", True, True),
    "int": ("int", -5, -5),
    "long": ("long", 2**63 - 1, 2**63 - 1),
    "float": ("float", 0.5, 0.5),
    "double": ("double", 0.1, 0.1),
    "bytes": ("bytes", b"\x00\xff", "AP8="),
    "fixed": ({"type": "fixed", "name": "F", "size": 2}, b"ab", "YWI="),
    "enum": ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B"),
    "array": ({"type": "array", "items": "string"}, ["a", "b"], ["a", "b"]),
    "map": ({"type": "map", "values": "int"}, {"a b": 1}, {"a b": 1}),
    "record": (INNER, {"a": 1}, {"a": 1}),
    "union-null": (["null", "string"], None, None),
    "union-string": (["null", "string"], "s", "s"),
    "union-of-records": ([INNER, OTHER], ("Other", {"b": "x"}), {"b": "x"}),
    "date": (_logical("int", "date"), 19782, "2024-02-29"),
    "date-beyond-9999": (_logical("int", "date"), 2**31 - 1, 2**31 - 1),
    "time-millis": (_logical("int", "time-millis"), 3_723_004, "01:02:03.004"),
    "time-micros": (_logical("long", "time-micros"), 3_723_000_004, "01:02:03.000004"),
    "millis": (_logical("long", "timestamp-millis"), 1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
    "before-1970": (_logical("long", "timestamp-millis"), -1, "1969-12-31T23:59:59.999Z"),
    "millis-beyond-9999": (_logical("long", "timestamp-millis"), 2**62, 2**62),
    "micros": (_logical("long", "timestamp-micros"), 1, "1970-01-01T00:00:00.000001Z"),
    "nanos": (_logical("long", "timestamp-nanos"), 1, "1970-01-01T00:00:00.000000001Z"),
    "local": (_logical("long", "local-timestamp-millis"), 0, "1970-01-01T00:00:00.000"),
    "uuid-string": (_logical("string", "uuid"), "not a uuid", "not a uuid"),
    "uuid-fixed": (_logical("fixed", "uuid", name="U", size=16), bytes(16), str(UUID(int=0))),
    "duration": (_logical("fixed", "duration", name="D", size=12), struct.pack("<III", 1, 2, 3004), "P1M2DT3.004S"),
    "decimal": (_logical("bytes", "decimal", precision=4, scale=2), b"\x01\x02", "2.58"),
    "decimal-negative": (_logical("bytes", "decimal", precision=4, scale=2), b"\xff", "-0.01"),
    "decimal-whole": (_logical("bytes", "decimal", precision=4), b"\x01\x02", "258"),
    "too-precise": (_logical("bytes", "decimal", precision=2, scale=1), b"\x7f\xff\xff", "838860.7"),
    "decimal-fixed": (
        _logical("fixed", "decimal", name="D", size=4, precision=9, scale=3),
        b"\x00\x00\x00\x01",
        "0.001",
    ),
    "unknown-logical-type": (_logical("string", "unheard-of"), "s", "s"),
    "misplaced-logical-type": (_logical("string", "decimal", precision=1), "s", "s"),
}
"""For each case: a type of Avro, a value as Avro writes it without logical types, and what it is in JSON."""


def _without_logical_types(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != "logicalType"}


@pytest.mark.parametrize("case", MAPPING)
def test_the_mapping(registry: FakeRegistry, case: str) -> None:
    kind, value, expected = MAPPING[case]
    schema = _record(("x", kind))
    plain = json.loads(json.dumps(schema), object_hook=_without_logical_types)
    number = registry.add("posts-value", schema)
    value = _written(plain, {"text": "here", "x": value})
    document = decoded(_codec(registry), framed(number, value))
    assert document.failure is None, document.failure.message
    assert document.event is not None
    assert json.loads(document.event) == {"text": "here", "x": expected}


@settings(max_examples=examples(50))
@given(when=st.datetimes(timezones=st.just(UTC)), number=st.decimals(-(10**6), 10**6, places=3))
def test_times_and_decimals_keep_their_values(when: datetime, number: Any) -> None:
    with fake_registry() as registry:
        micros = _event(registry, _logical("long", "timestamp-micros"), when)
        assert datetime.fromisoformat(micros) == when
        decimal = _event(registry, _logical("bytes", "decimal", precision=20, scale=3), number)
        assert decimal == f"{number:.3f}"


def test_what_json_cannot_represent_is_null_and_noticed(registry: FakeRegistry) -> None:
    schema = _record(("x", {"type": "map", "values": ["null", "double"]}))
    number = registry.add("posts-value", schema)
    value = _written(schema, {"text": "null", "x": {"a": float("nan"), "b": None, "c": float("inf")}})
    document = decoded(_codec(registry, keep=True), framed(number, value))
    assert document.fields == {"text": "null", "x": {"a": None, "b": None, "c": None}}
    assert document.replaced is not None
    assert document.replaced.notice()["paths"] == ["$.x.a", "$.x.c"]


def test_several_texts_nested_and_in_maps(registry: FakeRegistry) -> None:
    schema = _record(("user", _record(("tags", {"type": "map", "values": "string"})) | {"name": "User"}))
    number = registry.add("posts-value", schema)
    value = _written(schema, {"text": "one", "user": {"text": "two", "tags": {"k": "three"}}})
    decoder = _codec(registry, text=["$.text", "$.user.text", "$.user.tags[*]"])
    document = decoded(decoder, framed(number, value))
    assert document.text == "one\n\ntwo\n\nthree"


def test_a_text_may_be_what_a_logical_type_becomes(registry: FakeRegistry) -> None:
    schema = _record(("day", _logical("int", "date")), ("raw", "bytes"))
    number = registry.add("posts-value", schema)
    value = framed(number, _written(schema, {"text": "", "day": 0, "raw": b"abc"}))
    assert decoded(_codec(registry, text="$.day"), value).text == "1970-01-01"
    assert decoded(_codec(registry, text="$.raw"), value).text == "YWJj"


def test_references_are_read_in_the_order_of_need(registry: FakeRegistry) -> None:
    registry.add("a", {"type": "record", "name": "x.A", "fields": [{"name": "t", "type": "string"}]})
    a = {"name": "x.A", "subject": "a", "version": 1}
    registry.add("b", {"type": "record", "name": "x.B", "fields": [{"name": "a", "type": "x.A"}]}, references=[a])
    b = {"name": "x.B", "subject": "b", "version": 1}
    fields = [{"name": "b", "type": "x.B"}, {"name": "a", "type": "x.A"}]
    number = registry.add("p", {"type": "record", "name": "x.C", "fields": fields}, references=[b, a])
    document = decoded(_codec(registry, text="$.b.a.t"), framed(number, b"\x06abc\x06xyz"))
    assert document.event == b'{"b":{"a":{"t":"abc"}},"a":{"t":"xyz"}}'
    union = registry.add("u", ["x.B", "x.A"], references=[b, a])
    assert decoded(_codec(registry, text="$.t"), framed(union, b"\x02\x06abc")).text == "abc"


def test_the_readers_schema_decides(registry: FakeRegistry, tmp_path: Path) -> None:
    old = registry.add("p", {"type": "record", "name": "P", "fields": [{"name": "body", "type": "string"}]})
    text = {"name": "text", "type": "string", "aliases": ["body"]}
    lang = {"name": "lang", "type": "string", "default": "en"}
    path = tmp_path / "reader.avsc"
    path.write_text(json.dumps({"type": "record", "name": "P", "fields": [text, lang]}))
    decoder = _codec(registry, reader_schema=str(path))
    assert decoded(decoder, framed(old, b"\x06abc")).event == b'{"text":"abc","lang":"en"}'
    unfit = registry.add("q", {"type": "record", "name": "P", "fields": [{"name": "n", "type": "int"}]})
    assert _reason(decoded(decoder, framed(unfit, b"\x02"))).startswith(f"the value is not Avro of schema {unfit}")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "cannot be read: no such file or directory", id="absent"),
        pytest.param("{", "is not an Avro schema", id="no-json"),
        pytest.param('{"type": "recrod", "name": "P"}', "is not an Avro schema", id="no-schema"),
    ],
)
def test_a_readers_schema_that_is_none_is_a_mistake(
    registry: FakeRegistry, tmp_path: Path, content: str | None, reason: str
) -> None:
    path = tmp_path / "reader.avsc"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingError, match=f"the file of input.reader_schema {reason}"):
        _codec(registry, reader_schema=str(path))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "the value is null (a tombstone)"),
        (b"", "the value is not framed for a Schema Registry"),
        (b'{"text": "x"}', "the value is not framed for a Schema Registry: its first byte is neither 0 nor 1"),
        (b"\x00\x00", "the value has only 2 bytes, fewer than the id of a schema"),
        (framed(99, b"\x06abc\x00"), "the Schema Registry has no schema 99"),
        (framed(2**32 - 1, b""), "no schema can have the id 4294967295"),
        (framed(1, b""), "the value is not Avro of schema 1 (EOFError)"),
        (framed(1, b"\x06ab"), "the value is not Avro of schema 1 (EOFError)"),
        (framed(1, b"\x06abc\x00s3cret"), "the value is not Avro of schema 1: 6 bytes are left over"),
        (framed(1, b"\x06\xff\xff\xff\x00"), "the value is not Avro of schema 1 (UnicodeDecodeError)"),
        (framed(1, b"\x06abc\x08"), "the value is not Avro of schema 1 (IndexError)"),
        (framed(1, b"\x00\x00"), "the text is empty"),
        (framed(2, b"\x02"), "there is no text: schema 2 of subject other-value has no field at $.text"),
        (framed(3, b"{}"), "schema 3 is of type JSON: set input.format: json_schema"),
        (framed(4, b"x"), "schema 4 of subject broken-value is not an Avro schema"),
        (framed(5, b"x"), "schema 5 of subject bomb-value has an array of values without content"),
        (framed(6, b"\x00\x02x"), "the value becomes a string, not a JSON object"),
        (framed(7, b"\x00"), "the text at $.text is null, not a string"),
    ],
)
def test_a_bad_value_is_a_failure_in_its_place(registry: FakeRegistry, value: bytes | None, reason: str) -> None:
    registry.add("posts-value", POST)
    registry.add("other-value", {"type": "record", "name": "O", "fields": [{"name": "n", "type": "int"}]})
    registry.add("json-value", {"type": "object"}, "JSON")
    registry.add("broken-value", {"type": "recrod", "name": "B"})
    empty = {"type": "record", "name": "None", "fields": [{"name": "n", "type": "null"}]}
    registry.add("bomb-value", {"type": "array", "items": empty})
    registry.add("plain-value", ["string", {"type": "map", "values": "string"}])
    registry.add("null-value", _record() | {"fields": [{"name": "text", "type": ["null", "string"]}]})
    decoder = _codec(registry)
    assert _reason(decoded(decoder, value)).startswith(reason)
    assert _reason(decoded(decoder, value)).startswith(reason)


def test_an_unknown_schema_is_asked_for_once_a_while(registry: FakeRegistry) -> None:
    decoder = _codec(registry)
    for _ in range(5):
        decoded(decoder, framed(99, b"\x00"))
    assert registry.requests == ["GET /schemas/ids/99"]


def test_json_that_is_too_large_is_refused(registry: FakeRegistry) -> None:
    schema = _record(("x", {"type": "array", "items": INNER}))
    number = registry.add("p", schema)
    value = framed(number, _written(schema, {"text": "here", "x": [{"a": 1}] * 300}))
    reason = _reason(decoded(_codec(registry, max_bytes=1000), value))
    assert reason == "as JSON the value has 2421 bytes, input.max_bytes is 1000"


def test_the_scale_of_a_decimal_is_limited(registry: FakeRegistry) -> None:
    """A billion digits behind the point would take a gigabyte for one byte of the value."""
    reasons = []
    for scale in (1000, 1001, 10**9):
        schema = _record(("x", _logical("bytes", "decimal", precision=2 * 10**9, scale=scale)))
        value = framed(registry.add(f"p{scale}", schema), _written(_record(("x", "bytes")), {"text": "t", "x": b"\5"}))
        failure = decoded(_codec(registry), value).failure
        reasons.append(failure and failure.message)
    assert reasons == [
        None,
        "the scale of a decimal is 1001, more than 1000",
        "the scale of a decimal is 1000000000, more than 1000",
    ]


@pytest.mark.parametrize("leaf", ["null", {"type": "record", "name": "Leaf", "fields": []}], ids=["null", "record"])
def test_a_value_of_no_bytes_cannot_be_large(registry: FakeRegistry, leaf: Any) -> None:
    """Each record has twice as many values as the next one."""

    def doubled(levels: int) -> Any:
        inner, kind = leaf, leaf if leaf == "null" else "Leaf"
        for level in range(levels):
            fields = [{"name": "a", "type": inner}, {"name": "b", "type": kind}]
            inner, kind = {"type": "record", "name": f"R{level}", "fields": fields}, f"R{level}"
        return inner

    value = _written(_record(), {"text": "here"})
    small, large = (registry.add(f"p{levels}", _record(("x", doubled(levels)))) for levels in (6, 40))
    assert decoded(_codec(registry), framed(small, value)).failure is None
    reason = _reason(decoded(_codec(registry), framed(large, value)))
    assert reason.endswith("has more than 100 values without content within one value")


NODE = {
    "type": "record",
    "name": "Node",
    "fields": [
        {"name": "text", "type": "string"},
        {"name": "next", "type": ["null", "Node"]},
        {"name": "all", "type": {"type": "array", "items": "Node"}},
        {"name": "by", "type": {"type": "map", "values": "Node"}},
    ],
}


def _nested(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {"text": "end", "next": None, "all": [], "by": {}}
    for level in range(levels):
        inner: dict[str, Any] = {"text": "x", "next": None, "all": [], "by": {}}
        name, value = (("next", node), ("all", [node]), ("by", {"k": node}))[level % 3]
        node = inner | {name: value}
    return node


def test_recursive_values_are_read_as_far_as_they_can_be_written(registry: FakeRegistry) -> None:
    number = registry.add("p", NODE)
    decoder = _codec(registry)
    for levels in (0, 1, 5, 50):
        document = decoded(decoder, framed(number, _written(NODE, _nested(levels))))
        assert document.failure is None
        assert document.event is not None
        assert json.loads(document.event) == _nested(levels)
    too_deep = b"\x02x\x02" * 1_000_000
    assert _reason(decoded(decoder, framed(number, too_deep))) == f"the value is nested more than {DEEPEST} levels deep"
    for bad in (b"\x02x\x02" * 5, b"\x02x\x07", b"\x02x\x00\xff" + b"\xff" * 100_000, b"\x02x\x00\xfe\xff\xff\xff\x0f"):
        assert _reason(decoded(decoder, framed(number, bad))).startswith("the value is not Avro")
