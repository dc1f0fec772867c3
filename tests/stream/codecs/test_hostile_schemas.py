"""Schemas of a registry that no producer should have: events that name them are failures in their place, soon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.registry import AVRO, JSON, PROTOBUF, FakeRegistry, fake_registry, framed
from tests.stream.codecs.registered import codec_of, decoded

FORMS = {AVRO: "avro", JSON: "json_schema", PROTOBUF: "protobuf"}
TEXT = b"\4hi"
"""A string in Avro."""


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as served:
        yield served


def outcome(registry: FakeRegistry, kind: str, schema: object, value: bytes, **source: Any) -> str | None:
    """Return why an event with a hostile schema is a failure, None if it is a document."""
    number = registry.add("posts-value", schema, kind, source.pop("references", None))
    settings = {"validate": True} if kind == JSON else {}
    document = decoded(codec_of(registry, form=FORMS[kind], **settings, **source), framed(number, value))
    return None if document.failure is None else document.failure.message


def record(name: str, *fields: tuple[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": field, "type": kind} for field, kind in fields]}


def post(kind: Any) -> dict[str, Any]:
    return record("Post", ("text", "string"), ("x", kind))


def long(number: int) -> bytes:
    """A number in Avro that is not negative."""
    number, out = number << 1, bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def many(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


FIELDS = "the value has more than 100000 fields"
NULLS = [(f"n{number}", "null") for number in range(99)]


@pytest.mark.parametrize(
    ("items", "size", "reason"),
    [
        (record("I", ("n" * 10_000, "int")), 50_000, FIELDS),
        ({"type": "enum", "name": "E", "symbols": ["s" * 100_000]}, 50_000, FIELDS),
        (record("I", ("a", "int"), *NULLS), 50_000, FIELDS),
        ({"type": "map", "values": "null"}, 110_000, FIELDS),
        (many("int"), 110_000, FIELDS),
        (record("I", ("a", many("I"))), 110_000, FIELDS),
        ({"type": "fixed", "name": "F", "size": -1}, 50_000, "schema 1 of subject posts-value has a type of less"),
        (record("I", ("a", "int")), 40_000, None),
    ],
    ids=["name", "symbol", "nulls", "maps", "arrays", "recursive", "negative", "usual"],
)
def test_a_short_avro_value_does_not_become_huge(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch, items: Any, size: int, reason: str | None
) -> None:
    monkeypatch.setattr("stream.codecs.avro_bounds.MOST_FIELDS", 100_000)
    failure = outcome(registry, AVRO, post(many(items)), TEXT + long(size) + bytes(size + 1))
    assert failure is None if reason is None else str(failure).startswith(reason)


def test_avro_types_may_contain_each_other_in_long_chains_and_wide_layers(registry: FakeRegistry) -> None:
    chain = [record("R0", ("a", "int")), *(record(f"R{i}", ("a", f"R{i - 1}")) for i in range(1, 3000))]
    layers = [
        record(f"L{level}_{i}", *((f"f{j}", f"L{level - 1}_{(i + j) % 100}" if level else "int") for j in range(10)))
        for level in range(20)
        for i in range(100)
    ]
    doubled = [record("D0", ("a", "int"))]
    doubled += [record(f"D{i}", ("a", f"D{i - 1}"), ("b", f"D{i - 1}")) for i in range(1, 60)]
    for types in (chain, layers, doubled):
        assert outcome(registry, AVRO, post(types), TEXT + long(0) + bytes(10)) in {None, _LEFT[len(types)]}
    deep = outcome(registry, AVRO, post([*chain]), TEXT + long(2999) + bytes(10))
    assert deep == "the value is nested more than 200 levels deep"


_LEFT: dict[int, str | None] = {
    3000: "the value is not Avro of schema 1: 9 bytes are left over",
    2000: None,
    60: "the value is not Avro of schema 3: 9 bytes are left over",
}


def test_a_path_through_unions_of_many_types_is_found_at_once(registry: FakeRegistry) -> None:
    names = [f"B{i}" for i in range(300)]
    types = [record(name, ("u", ["null", *names[:i]]), ("text", "string")) for i, name in enumerate(names)]
    value = TEXT + long(0) + long(0) + TEXT
    assert (
        outcome(registry, AVRO, post(types), value, text="$.x.u.u.u.u.text") == "there is no text at $.x.u.u.u.u.text"
    )


def test_avro_that_is_nested_too_deep_is_no_schema(registry: FakeRegistry) -> None:
    kind: Any = "int"
    for _ in range(900):
        kind = many(kind)
    reason = outcome(registry, AVRO, post(kind), TEXT + b"\0")
    assert reason == "schema 1 of subject posts-value is nested too deep"
    text = json.dumps(post("X")).replace('"X"', '{"type":"array","items":' * 100_000 + '"int"' + "}" * 100_000)
    reason = outcome(registry, AVRO, text, TEXT + b"\0")
    assert reason == "schema 2 of subject posts-value is not an Avro schema (JSONDecodeError)"


@pytest.mark.parametrize("kind", FORMS)
def test_a_schema_of_megabytes_is_not_used(registry: FakeRegistry, kind: str) -> None:
    schema = json.dumps({"type": "string", "doc": "x" * 4_000_000})
    reason = "schema 1 of subject posts-value has more than 4000000 characters, with all that it refers to"
    assert outcome(registry, kind, schema, b"\0") == reason


@pytest.mark.parametrize("kind", FORMS)
def test_schemas_that_refer_to_each_other_in_a_circle_are_not_used(registry: FakeRegistry, kind: str) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        registry.add(name, f'"{name}"', kind, [{"name": other, "subject": other, "version": 1}])
    reason = outcome(registry, kind, '"string"', b"\0", references=[{"name": "a", "subject": "a", "version": 1}])
    assert reason == "schema 3 of subject posts-value refers to version 1 of subject a, which refers to itself"
    assert len(registry.requests) < 10


def doubling(levels: int, leaf: object, word: str = "allOf") -> dict[str, Any]:
    """A JSON Schema each of whose parts applies the next one twice."""
    parts: dict[str, Any] = {f"d{i}": {word: [{"$ref": f"#/definitions/d{i + 1}"}] * 2} for i in range(levels)}
    return {"definitions": {**parts, f"d{levels}": leaf}, "allOf": [{"$ref": "#/definitions/d0"}]}


SLOW = "validating values as large by schema 1 takes more than 1 s"


@pytest.mark.parametrize(
    ("schema", "event", "reason"),
    [
        (doubling(60, {"type": "object"}), {}, SLOW),
        (doubling(60, {"type": "string"}, "anyOf"), {}, SLOW),
        ({"properties": {"text": {"pattern": "(?=x)x*x*x*y"}}}, {"text": "x" * 900_000}, SLOW),
        (doubling(60, {"type": "string"}), {}, "the value does not fit schema 1"),
        ({"properties": {"text": {"pattern": "(?=x)x*x"}}}, {"text": "x" * 200_000}, None),
        ({"properties": {"text": {"pattern": "(x+x+)+y"}}}, {"text": "x" * 900_000}, "the value does not fit schema 1"),
    ],
    ids=["all", "any", "pattern", "unfit", "fit", "linear"],
)
def test_validating_never_takes_for_ever(
    registry: FakeRegistry,
    monkeypatch: pytest.MonkeyPatch,
    schema: object,
    event: dict[str, Any],
    reason: str | None,
) -> None:
    monkeypatch.setattr("stream.codecs.json_schema.SECONDS", 1)
    failure = outcome(registry, JSON, schema, json.dumps({"text": "x", **event}).encode())
    assert failure is None if reason is None else str(failure).startswith(reason)


def test_a_schema_that_took_long_is_not_tried_again(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[bytes] = []

    def takes_long(*of: Any, event: bytes, seconds: int) -> None:
        tries.append(event)

    monkeypatch.setattr("stream.codecs.json_schema.SECONDS", 1)
    monkeypatch.setattr("stream.codecs.json_schema.fits_within_time", takes_long)
    number = registry.add("posts-value", doubling(60, {"type": "object"}), JSON)
    decoder = codec_of(registry, form="json_schema", validate=True)
    for _ in range(3):
        failure = decoded(decoder, framed(number, b'{"text":"x"}')).failure
        assert failure is not None
        assert failure.message == SLOW
    assert tries == [b'{"text":"x"}']


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (doubling(6000, {}, "oneOf"), " applies more than 10000 schemas in a chain"),
        (
            {"patternProperties": {f"^{i}(a{{1,200}}b{{1,200}}){{1,20}}$": {} for i in range(1000)}},
            " is not a JSON Schema that can be used (ValidationError)",
        ),
    ],
    ids=["chain", "patterns"],
)
def test_a_json_schema_that_takes_long_to_prepare_is_not_used(
    registry: FakeRegistry, schema: object, reason: str
) -> None:
    assert outcome(registry, JSON, schema, b'{"text":"x"}') == f"schema 1 of subject posts-value{reason}"


HEAD = 'syntax = "proto3"; message Post { string text = 1; X x = 2; } '
HI = b"\0\x0a\2hi"


def test_protobuf_types_in_circles_chains_and_numbers_are_read(registry: FakeRegistry) -> None:
    circle = "message X { Y y = 1; } message Y { X x = 1; Post p = 2; }"
    chain = "message X { A0 a = 1; } " + "".join(f"message A{i} {{ A{i + 1} b = 2; }} " for i in range(1000))
    numbers = "message X { " + "".join(f"Post f{i} = {i};" for i in range(1, 300)) + " } "
    numbers += "".join(f"message B{i} {{ Post p = 1; }} " for i in range(1000))
    for file in (circle, f"{chain} message A1000 {{}}", numbers):
        assert outcome(registry, PROTOBUF, HEAD + file, HI, text=["$.text", "$.x[*][*][*][*].text"]) is None


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("message X { " + "".join(f"int32 f{i} = {i};" for i in range(1, 100_000)) + "}", "types that are missing or"),
        ("message X { " + "message Y { " * 2000 + "}" * 2002, "messages that are nested more than 30 levels deep"),
        ("message X { Missing y = 1; }", "types that are missing or"),
    ],
    ids=["fields", "nested", "missing"],
)
def test_a_protobuf_schema_that_cannot_be_used_says_why(registry: FakeRegistry, file: str, reason: str) -> None:
    failure = outcome(registry, PROTOBUF, HEAD + file, HI)
    assert str(failure).startswith(f"schema 1 of subject posts-value has {reason}")
