"""Members of JSON objects are found where they are written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DecodeError
from stream.codecs.members import members, string_at

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), ANY, max_size=5), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_every_member_is_found_as_it_is_written(value: dict[str, Any], indent: Any, escapes: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escapes)
    places = members(f" {text}\r\n")
    assert places is not None
    assert {name: json.loads(f" {text}"[slice(*place)]) for name, place in places.items()} == value


@given(st.text(alphabet='{}[]":,\\ \t\na1.-eE', max_size=20) | st.text(max_size=20))
def test_no_text_is_taken_for_an_object_that_is_none(text: str) -> None:
    try:
        expected = json.loads(text, strict=False, parse_int=str, parse_float=str)
    except ValueError:
        expected = None
    split = members(text)
    assert (None if split is None else list(split)) == (list(expected) if isinstance(expected, dict) else None)


def test_what_a_parser_changes_or_refuses_is_passed_over() -> None:
    long = "1" * 10_000
    text = f'{{"a":{long},"b":1e999,"c":NaN,"d":"\\ud800","\\u0065":[-Infinity],"a":"last"}}'
    places = members(text)
    assert places is not None
    assert [text[slice(*place)] for place in places.values()] == ['"last"', "1e999", "NaN", '"\\ud800"', "[-Infinity]"]
    assert list(places) == ["a", "b", "c", "d", "e"]
    assert string_at(text, places["a"]) == "last"
    assert string_at(text, places["b"]) is None


def test_an_object_that_is_nested_too_deeply_is_a_failure_of_the_event() -> None:
    depth = 200_000
    with pytest.raises(DecodeError, match="nested too deeply"):
        members('{"a":' + "[" * depth + "]" * depth + "}")
