"""Bad input becomes a failed document with a precise reason; all other input keeps its bytes."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pipeline.config import Input
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from stream.codecs.json import MAX_DEPTH

SECRET = "s3cret-words"


def _record(value: bytes | None) -> Record:
    return Record(Assignment("posts", 0), 7, b"key", value)


def _input(**settings: object) -> Input:
    return Input.model_validate({"topics": ["posts"], **settings})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "the value is null (a tombstone)"),
        (b"", "the value is empty, not a JSON object"),
        (b" \r\n", "the value is only white space, not a JSON object"),
        (b"\xff\xfe{}", "the value is not UTF-8: bad byte at position 0"),
        (b'{"text": "\xc3("}', "the value is not UTF-8: bad byte at position 10"),
        (b'{"text": "\xed\xa0\x80"}', "the value is not UTF-8: bad byte at position 10"),
        (f"{{{SECRET}".encode(), "the value is not JSON: unexpected character"),
        (b'{"text": "s3cret-words"', "the value is not JSON: "),
        (b'{"text": NaN}', "the value at $.text is or contains what JSON cannot represent"),
        (b'{"text": 1e400}', "the value at $.text is or contains what JSON cannot represent"),
        (b'{"text": "x", "a": [NaN,]}', "the value is not JSON: "),
        (b'{"text": "x", 1e400: 1}', "the value is not JSON: "),
        (b"[1e400]", "the value is an array, not a JSON object"),
        (b'["s3cret-words"]', "the value is an array, not a JSON object"),
        (b'"s3cret-words"', "the value is a string, not a JSON object"),
        (b"17", "the value is a number, not a JSON object"),
        (b"true", "the value is a boolean, not a JSON object"),
        (b"null", "the value is null, not a JSON object"),
        (b"{}", "there is no text at $.text"),
        (b'{"text": null}', "the text at $.text is null, not a string"),
        (b'{"text": 5}', "the text at $.text is a number, not a string"),
        (b'{"text": {"s3cret-words": 1}}', "the text at $.text is an object, not a string"),
        (b'{"text": ""}', "the text is empty"),
        (b'{"text": " \\n\\u2003"}', "the text is only white space"),
        (b'{"text": "\\ud800s3cret-words"}', "the value at $.text is or contains what JSON cannot represent"),
        (b'{"text":' + b"[" * 5000 + b"]" * 5000 + b"}", "the value is not JSON: "),
        (orjson.dumps({"text": "x" * 101}), "the text has 101 characters, input.max_characters is 100"),
        (b"{" + b" " * 2000 + b"}", "the value has 2002 bytes, input.max_bytes is 2000"),
    ],
)
def test_bad_json_is_a_failure_in_its_place(value: bytes | None, reason: str) -> None:
    limits = (
        {"max_characters": 100}
        if value is None or len(value) < 2000
        else {"max_bytes": 2000 if b" " in value else 20000}
    )
    document = codec(_input(**limits)).decode(_record(value))
    assert document.failure is not None
    assert document.failure.message.startswith(reason)
    assert (document.failure.stage, document.failure.error) == ("decode", "DecodeError")
    assert SECRET not in document.failure.message
    assert document.record is not None
    assert document.record.value == value


def test_a_null_value_without_a_key_is_told_apart_from_a_tombstone() -> None:
    document = codec(_input()).decode(Record(Assignment("posts", 0), 7, None, None))
    assert document.failure is not None
    assert document.failure.message == "the value is null, and a tombstone needs a key"


def test_the_event_keeps_its_own_bytes() -> None:
    value = b'\xef\xbb\xbf{"n": 123456789012345678901234567890,\r\n "a": 1, "a": 2,\n "text": "one\\ntwo"}'
    document = codec(_input()).decode(_record(value))
    assert document.failure is None
    assert document.text == "one\ntwo"
    assert document.event == b'{"n": 123456789012345678901234567890,   "a": 1, "a": 2,  "text": "one\\ntwo"}'


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("$.a.b", {"a": {"b": "here"}}),
        ("$['odd key'][1]", {"odd key": ["no", "here"]}),
        ('$["a.b"].c', {"a.b": {"c": "here"}}),
    ],
)
def test_paths(path: str, event: object) -> None:
    assert codec(_input(text=path)).decode(_record(orjson.dumps(event))).text == "here"


@pytest.mark.parametrize("event", [{"a": "b"}, {"a": ["x"]}, {"a": {"c": "x"}}, {"a": 3}])
def test_a_path_that_leads_nowhere(event: object) -> None:
    document = codec(_input(text="$.a.b")).decode(_record(orjson.dumps(event)))
    assert document.failure is not None
    assert document.failure.message == "there is no text at $.a.b"


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("$.a[0]", {"a": "no list"}),
        ("$.a[0][0]", {"a": ["no list"]}),
        ("$.a[0]", {"a": {"0": "no list"}}),
        ("$.a['0']", {"a": ["no object"]}),
        ("$.a[1]", {"a": ["short"]}),
    ],
)
def test_a_number_leads_into_a_list_alone_and_a_name_into_an_object(path: str, event: object) -> None:
    document = codec(_input(text=path)).decode(_record(orjson.dumps(event)))
    assert document.failure is not None
    assert document.failure.message == f"there is no text at {path}"


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: not text.isspace()))
def test_every_text_survives_both_codecs(text: str) -> None:
    as_json = codec(_input()).decode(_record(json.dumps({"text": text}).encode()))
    as_text = codec(_input(format="text")).decode(_record(text.encode()))
    assert as_json.text == as_text.text == text
    assert as_text.event is None
    assert json.loads(as_json.event or b"") == {"text": text}


@given(st.binary(max_size=60))
def test_no_bytes_crash_a_codec(value: bytes) -> None:
    for form in ("json", "text"):
        document = codec(_input(format=form)).decode(_record(value))
        assert (document.failure is None) == bool(document.text)


def _nested(levels: int, opening: str, middle: str, closing: str) -> bytes:
    return f'{{"text": "x", "deep": {opening * (levels - 1)}{middle}{closing * (levels - 1)}}}'.encode()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ("[0,\n", ",0]")])
@pytest.mark.parametrize("middle", ["1", r'"[[{\"[[\\"'])
def test_an_event_may_be_nested_to_a_limit(opening: str, middle: str, closing: str) -> None:
    levels = MAX_DEPTH
    assert codec(_input()).decode(_record(_nested(levels, opening, middle, closing))).failure is None
    for too_deep in (levels + 1, 1000, 1023):
        document = codec(_input()).decode(_record(_nested(too_deep, opening, middle, closing)))
        assert document.failure is not None
        assert document.failure.message == f"the value is nested more than {MAX_DEPTH} levels deep"


def test_brackets_side_by_side_or_in_a_text_are_not_deep() -> None:
    value = {"text": "[" * 2000 + '\\"{', "flat": [[]] * 2000, "[[[": [{}] * 2000}
    assert codec(_input()).decode(_record(orjson.dumps(value))).failure is None


json_values = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(st.sampled_from('[]{}"\\ab'), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.sampled_from('[]{}"\\'), max_size=3), inner),
)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


@given(value=json_values, levels=st.integers(MAX_DEPTH - 8, MAX_DEPTH))
def test_the_depth_of_any_event_is_counted(value: Any, levels: int) -> None:
    event = _nested(levels, "[", json.dumps(value), "]")
    document = codec(_input()).decode(_record(event))
    assert (document.failure is not None) == (levels + _depth(value) > MAX_DEPTH)
