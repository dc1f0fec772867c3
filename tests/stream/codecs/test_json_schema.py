"""JSON with a schema of a registry is validated if that is asked for, as another library does; nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import DecodeError
from stream.codecs.json_schema import JsonSchema
from stream.registry.client import Registered
from tests.registry import JSON, FakeRegistry, fake_registry, framed
from tests.stream.codecs.registered import codec_of, decoded
from tests.thoroughness import examples

POST: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["text", "id"],
    "properties": {
        "id": {"type": "integer", "minimum": 0},
        "text": {"type": "string"},
        "mail": {"type": "string", "format": "email"},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2},
        "near": {"$ref": "#"},
    },
}
SECRET = "s3cret"


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry() as served:
        yield served


def _reason(registry: FakeRegistry, event: object, schema: object = POST, **source: Any) -> str | None:
    number = registry.add(f"posts-{json.dumps(schema)[:20]}", schema, JSON, source.pop("references", None))
    decoder = codec_of(registry, form="json_schema", **{"validate": True, **source})
    document = decoded(decoder, framed(number, json.dumps(event).encode()))
    return None if document.failure is None else document.failure.message


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({"text": "x"}, "#/required"),
        ({"text": "x", "id": SECRET}, "#/properties/id/type"),
        ({"text": "x", "id": -1}, "#/properties/id/minimum"),
        ({"text": "x", "id": 1, "mail": SECRET}, "#/properties/mail/format"),
        ({"text": "x", "id": 1, "tags": ["a", SECRET]}, "#/properties/tags/items/enum"),
        ({"text": "x", "id": 1, "counts": {SECRET: SECRET}}, "#/properties/counts/additionalProperties/type"),
        ({"text": "x", "id": 1, "near": {"id": 1}}, "#/properties/near/$ref/required"),
    ],
)
def test_an_event_that_does_not_fit_names_the_rule(registry: FakeRegistry, event: dict[str, Any], place: str) -> None:
    assert _reason(registry, event) == f'the value does not fit schema 1: "{place}"'
    assert _reason(registry, event, validate=False) is None


def test_an_event_that_fits_is_read(registry: FakeRegistry) -> None:
    number = registry.add("posts-value", POST, JSON)
    event = b'{"text":"here","id":12345678901234567890,"a":1,"a":2}'
    for keep in (False, True):
        document = decoded(codec_of(registry, keep, form="json_schema", validate=True), framed(number, event))
        assert document.failure is None
        assert document.event == event
        assert document.fields == (json.loads(event) if keep else None)


def test_a_change_event_is_validated(registry: FakeRegistry) -> None:
    schema = {"type": "object", "properties": {"after": {"required": ["id"]}}}
    settings = {"form": "debezium", "encoding": "json_schema", "text": "$.after.text", "validate": True}
    number = registry.add("reviews-value", schema, JSON)
    event = {"op": "c", "after": {"text": "x"}}
    document = decoded(codec_of(registry, **settings), framed(number, json.dumps(event).encode()))  # type: ignore[arg-type]
    assert document.failure is not None
    assert document.failure.message == 'the value does not fit schema 1: "#/properties/after/required"'


@pytest.mark.parametrize("root", [{}, {"$id": "http://example.com/schemas/post.json"}])
@pytest.mark.parametrize("referenced", [{}, {"$id": "http://example.com/schemas/other.json"}])
def test_schemas_may_refer_to_others(registry: FakeRegistry, root: dict[str, str], referenced: dict[str, str]) -> None:
    registry.add("other", {**referenced, "type": "object", "required": ["id"]}, JSON)
    references = [{"name": "other.json", "subject": "other", "version": 1}]
    schema = {**root, "properties": {"user": {"$ref": "other.json"}}}
    assert _reason(registry, {"text": "x", "user": {"id": 1}}, schema, references=references) is None
    message = _reason(registry, {"text": "x", "user": {}}, schema, references=references)
    assert message == 'the value does not fit schema 2: "#/properties/user/$ref/required"'


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "http://127.0.0.1:9/other.json"}, ": it refers to one that is not registered with it"),
        ({"$ref": "file:///etc/passwd"}, ": it refers to one that is not registered with it"),
        ({"type": SECRET}, " (ValidationError)"),
        ({"pattern": "("}, " (ValidationError)"),
        ({"pattern": "((a{1000}){1000}){1000}"}, " (ValidationError)"),
        ({"$schema": f"http://{SECRET}"}, " (ValidationError)"),
        ([SECRET], " (ValidationError)"),
        ("{", " (JSONDecodeError)"),
    ],
)
def test_a_schema_that_cannot_be_used_is_told(registry: FakeRegistry, schema: object, why: str) -> None:
    message = _reason(registry, {"text": "x"}, schema)
    assert message is not None
    assert message.startswith("schema 1 of subject posts-")
    assert message.endswith(f" is not a JSON Schema that can be used{why}")
    assert _reason(registry, {"text": "x"}, schema, validate=False) is None


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"properties": {"a": {"$ref": "#"}}}])
def test_schemas_that_contain_themselves_end(registry: FakeRegistry, schema: object) -> None:
    event: dict[str, Any] = {"text": "x"}
    for _ in range(490):
        event = {"text": "x", "a": event}
    assert _reason(registry, event, schema) is None


def _nested(levels: int, innermost: dict[str, Any]) -> dict[str, Any]:
    event = innermost
    for _ in range(levels):
        event = {"text": "x", "a": event}
    return event


def test_events_that_are_too_deep_for_errors_do_not_fit_either(registry: FakeRegistry) -> None:
    assert _reason(registry, _nested(400, {}), {"required": ["id"]}) == "the value does not fit schema 1"


@pytest.mark.parametrize("kind", ["anyOf", "oneOf"])
def test_recursive_alternatives_do_not_take_for_ever(registry: FakeRegistry, kind: str) -> None:
    schema = {kind: [{"properties": {"a": {"$ref": "#"}}, "required": [name]} for name in ("b", "c")]}
    assert _reason(registry, _nested(400, {"text": "x"}), schema) == "the value does not fit schema 1"
    assert _reason(registry, _nested(2, {"text": "x"}), schema) == f'the value does not fit schema 1: "#/{kind}"'


def test_many_errors_of_an_event_are_not_all_collected(registry: FakeRegistry) -> None:
    schema = {"properties": {"a": {"items": {"type": "integer"}}}}
    event = {"text": "x", "a": ["x"] * 1_000_000}
    assert _reason(registry, event, schema) == 'the value does not fit schema 1: "#/properties/a/items/type"'
    alternatives = {"anyOf": [schema, schema]}
    assert _reason(registry, event, alternatives) == "the value does not fit schema 2"


def test_a_pattern_cannot_take_for_ever(registry: FakeRegistry) -> None:
    schema = {"properties": {"text": {"pattern": r"^(?=a)(a|a?)+\1$"}}}
    assert _reason(registry, {"text": "a" * 60 + "!"}, schema) == (
        'the value does not fit schema 1: "#/properties/text/pattern"'
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "text", "x"]), inner),
    max_leaves=8,
)
kinds = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
schemas = st.recursive(
    st.booleans()
    | st.fixed_dictionaries({}, optional={"type": kinds | st.lists(kinds, min_size=1, unique=True)})
    | st.fixed_dictionaries({}, optional={"enum": st.lists(values, min_size=1, max_size=3)})
    | st.fixed_dictionaries({}, optional={"minimum": st.integers(-2, 2), "maxLength": st.integers(0, 2)})
    | st.fixed_dictionaries({}, optional={"required": st.lists(st.sampled_from(["id", "text"]), unique=True)}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from(["id", "text", "x"]), inner, max_size=3),
            "additionalProperties": inner, "items": inner, "not": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2), "oneOf": st.lists(inner, min_size=1, max_size=2),
        },
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=examples(300))
@given(schema=schemas, value=values)
def test_another_library_agrees(schema: Any, value: Any) -> None:
    expected = jsonschema.Draft202012Validator(schema).is_valid(value)
    fits = True
    try:
        JsonSchema(Registered("JSON", json.dumps(schema)), "schema 1").require_fit(value, json.dumps(value).encode())
    except DecodeError:
        fits = False
    assert fits is expected
