"""What a JSON Schema refers to is found however it is addressed, so that what it costs is known."""

from __future__ import annotations

from typing import Any

import pytest

from stream.codecs.json_schema_cost import cost

LARGE = {"anyOf": [{"const": number} for number in range(50)]}
"""A part of 52 places: itself, the list, and 50 alternatives."""


@pytest.mark.parametrize(
    ("schema", "reference"),
    [
        ({"$defs": {"a/b": LARGE}}, "#/$defs/a~1b"),
        ({"$defs": {"a b": LARGE}}, "#/$defs/a%20b"),
        ({"$defs": {"a": LARGE | {"$anchor": "here"}}}, "#here"),
        ({"$id": "http://x.test/s.json", "$defs": {"a": LARGE | {"$id": "a.json"}}}, "a.json"),
        ({"$id": "http://x.test/s.json", "$defs": {"a": LARGE | {"$id": "a.json"}}}, "http://x.test/a.json#"),
        ({"definitions": {"a": LARGE | {"id": "#old"}}}, "#old"),
        ({}, "other.json"),
        ({}, "http://y.test/other#/anyOf"),
    ],
)
def test_a_reference_counts_as_often_as_it_is_used(schema: dict[str, Any], reference: str) -> None:
    other = LARGE | {"$id": "http://y.test/other"}
    once, twice = (
        cost({**schema, "allOf": [{"$ref": reference}] * times}, [("other.json", other)]).steps for times in (1, 2)
    )
    assert 50 < twice - once < 55


@pytest.mark.parametrize(
    ("schema", "steps"),
    [
        ({"$ref": "#"}, 1),
        ({"$ref": "missing.json"}, float("inf")),
        ({"$ref": "#nowhere"}, float("inf")),
        ({"$ref": "http://json-schema.org/draft-07/schema#"}, 2),
        ({"enum": [[{}]], "const": {"$ref": "missing.json"}, "$defs": {"a": LARGE}}, 1),
    ],
)
def test_what_is_not_found_may_cost_anything(schema: dict[str, Any], steps: float) -> None:
    assert cost(schema, []).steps == steps


HIDDEN: list[dict[str, Any]] = [
    {"properties": {"const": LARGE, "default": LARGE}},
    {"$ref": "#here", "enum": [{"$anchor": "here"}], "$defs": {"a": LARGE | {"$anchor": "here"}}},
    {
        "$ref": "a.json",
        "$defs": {
            "a": {"$id": "a.json", "$defs": {"n": {"$dynamicAnchor": "n"}}, "$dynamicRef": "#n"},
            "b": {"$id": "b.json", **LARGE, "$dynamicAnchor": "n"},
        },
    },
    {"allOf": [{"$id": "decoy.json", "$defs": {"a": {}}, "$ref": "#/$defs/a"}], "$defs": {"a": LARGE}},
]


@pytest.mark.parametrize("schema", HIDDEN)
def test_nothing_hides_behind_a_name_or_an_address(schema: dict[str, Any]) -> None:
    assert cost(schema, []).steps > 50


def test_patterns_are_counted_once() -> None:
    schema = {"pattern": "a", "patternProperties": {"a": {"pattern": "b"}, "c": {}}}
    assert cost(schema, [("other", {"pattern": "d"})]).patterns == 4
