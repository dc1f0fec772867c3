"""Several texts of an event become one text and its parts."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Document
from schemas.paths import EVERYWHERE, follow, matches, parse_path, parse_pattern
from schemas.pipeline.config import Input
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from stream.codecs.texts import MOST_PARTS, SEPARATOR

SECRET = "s3cret-words"
NAMES = st.sampled_from(["a", "b", "c d", "ü"])
STRINGS = st.sampled_from(["", " \n", "x", "two\n\nlines", " edges ", "🙂 astral", "\u2028"]) | st.text(
    st.characters(codec="utf-8"), max_size=5
)
EVENTS = st.dictionaries(
    NAMES,
    st.recursive(
        STRINGS | st.none() | st.integers(0, 9) | st.booleans(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=12,
    ),
)
PATHS = ["$.a", "$.b[*]", "$['c d'][*].a", "$['ü'][1]", "$['ü'][0].b", "$['ü'][2][*][*]"]


def decoded(paths: str | list[str], event: Any, **settings: Any) -> Document:
    config = Input.model_validate({"topics": ["posts"], "text": paths, **settings})
    value = event if isinstance(event, bytes) else orjson.dumps(event)
    return codec(config).decode(Record(Assignment("posts", 0), 7, b"key", value))


def reason(document: Document) -> str:
    assert document.failure is not None
    assert SECRET not in document.failure.message
    assert document.parts is None
    return document.failure.message


def parts(document: Document) -> list[tuple[str, str]]:
    assert document.failure is None, document.failure.message
    assert document.parts is not None
    return [(part.path, document.text[part.start : part.end]) for part in document.parts]


def strings(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str]]:
    """All strings of ``value`` in the order of their appearance, each with its place."""
    if isinstance(value, str):
        return [(at, value)]
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [placed for step, entry in entries for placed in strings(entry, (*at, step))]


def test_the_texts_are_joined_in_the_order_of_the_paths_and_then_of_the_event() -> None:
    event = {"messages": [{"body": "First."}, {"body": "Second."}], "subject": "Both 🙂"}
    document = decoded(["$.subject", "$.messages[*].body"], event)
    assert document.text == "Both 🙂\n\nFirst.\n\nSecond."
    assert document.parts == (
        ("$.subject", 0, 6, ("subject",)),
        ("$.messages[0].body", 8, 14, ("messages", 0, "body")),
        ("$.messages[1].body", 16, 23, ("messages", 1, "body")),
    )
    assert document.notices == []
    assert document.event == orjson.dumps(event)


def test_every_string_comes_in_the_order_of_appearance_but_no_name() -> None:
    event = {"z": "1", "a": {"odd name": ["2", 3, None, True, ["4"]], "": "5"}, "b": [], "c": {}, "last": "6"}
    assert parts(decoded(EVERYWHERE, event)) == [
        ("$.z", "1"), ('$.a["odd name"][0]', "2"), ('$.a["odd name"][4][0]', "4"), ('$.a[""]', "5"), ("$.last", "6"),
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["$.body", "$['body']"])
def test_a_single_place_has_no_parts(path: str) -> None:
    for paths in (path, [path]):
        document = decoded(paths, {"body": "text"})
        assert (document.text, document.parts, document.notices) == ("text", None, [])


def test_a_single_path_of_several_places_has_parts_even_for_one_text() -> None:
    assert parts(decoded("$.m[*]", {"m": ["only"]})) == [("$.m[0]", "only")]


def test_a_plain_path_is_written_as_in_the_pipeline_file() -> None:
    assert parts(decoded(["$['a']", '$["b-c"]'], {"a": "1", "b-c": "2"})) == [("$['a']", "1"), ('$["b-c"]', "2")]


def test_texts_without_words_are_left_out_and_not_missing() -> None:
    document = decoded(["$.a", "$.b", "$.c[*]"], {"a": " \n", "b": "b", "c": ["", "c", "\u2003"]})
    assert parts(document) == [("$.b", "b"), ("$.c[1]", "c")]
    assert document.notices == []


def test_a_missing_path_is_a_notice_but_nothing_below_an_empty_list() -> None:
    document = decoded(["$.a", "$.b", "$.c[*]", "$['d']"], {"a": "a", "b": None, "c": []})
    assert parts(document) == [("$.a", "a")]
    assert document.notices == [{"kind": "missing", "paths": ["$.b", "$['d']"]}]


@pytest.mark.parametrize(
    ("paths", "event", "expected"),
    [
        (["$.a", "$.b"], {}, "there is no text at $.a, $.b"),
        (["$.a", "$.b"], {"a": None, "b": None}, "there is no text at $.a, $.b"),
        (["$.a", "$.b"], {"a": " "}, "there is only white space at $.a, $.b"),
        ("$.a[*]", {"a": []}, "there is no text at $.a[*]"),
        ("$.a[*].b", {"a": [{"c": SECRET}, SECRET, None]}, "there is no text at $.a[*].b"),
        (EVERYWHERE, {SECRET: 1}, "there is no text at $..*"),
        ([f"$.p{n}" for n in range(7)], {}, "there is no text at $.p0, $.p1, $.p2, $.p3, $.p4 and 2 more"),
        (["$.a", "$.b"], {"a": SECRET, "b": 5}, "the text at $.b is a number, not a string"),
        (["$.a", "$.b"], {"a": SECRET, "b": [SECRET]}, "the text at $.b is an array, not a string"),
        (["$.a", "$.b[*]"], {"b": {SECRET: True}}, "the text at $.b[*] is a boolean, not a string"),
        ("$..*", [], "the value is an array, not a JSON object"),
    ],
)
def test_bad_events(paths: str | list[str], event: Any, expected: str) -> None:
    assert reason(decoded(paths, event)) == expected


@pytest.mark.parametrize("bad", [rb'"\ud800 s3cret-words"', b"NaN", b"1e400", b'{"x": NaN}'])
@pytest.mark.parametrize("paths", [["$.a", "$.b"], ["$.b", "$.m[*]"], ["$.a", "$.b[*]"]])
def test_a_replaced_value_is_no_text(bad: bytes, paths: list[str]) -> None:
    named = next(path for path in paths if ".b" in path)
    value = b'{"a": "a", "m": ["m"], "b": %s}' % (b"[%s]" % bad if "*" in named else bad)
    start = f"the value at {named} is or contains what JSON cannot represent: "
    assert reason(decoded(paths, value)).startswith(start)


def test_a_replaced_value_elsewhere_does_no_harm() -> None:
    document = decoded(["$.a", "$.m[*]"], b'{"a": "a", "m": ["m"], "b": NaN}')
    assert parts(document) == [("$.a", "a"), ("$.m[0]", "m")]


def test_every_string_means_no_replaced_number_but_all_replaced_strings() -> None:
    assert parts(decoded(EVERYWHERE, b'{"a": "a", "b": [1e400, NaN, "b"]}')) == [("$.a", "a"), ("$.b[2]", "b")]
    start = "the value at $..* is or contains what JSON cannot represent: "
    assert reason(decoded(EVERYWHERE, rb'{"a": "a", "b": ["\udc00 s3cret-words"]}')).startswith(start)
    assert reason(decoded(EVERYWHERE, rb'{"a": "a", "s3cret-words \udc00": "b"}')).startswith(start)


def test_the_limit_of_characters_is_for_all_texts_together() -> None:
    event = {"a": "x" * 5, "b": "y" * 5}
    assert decoded(["$.a", "$.b"], event, max_characters=12).failure is None
    expected = "the text has 12 characters, input.max_characters is 11"
    assert reason(decoded(["$.a", "$.b"], event, max_characters=11)) == expected


def test_the_number_of_texts_is_limited() -> None:
    texts = ["x"] * MOST_PARTS
    for path in ("$.a[*]", EVERYWHERE):
        assert len(parts(decoded(path, {"a": [*texts, " "]}))) == MOST_PARTS
        assert reason(decoded(path, {"a": [*texts, SECRET]})) == "the event has more than 10000 texts"


def test_the_paths_of_a_hostile_event_are_short() -> None:
    # Spelling the whole name for each text would take minutes.
    name = "n" * 8_000_000
    document = decoded(EVERYWHERE, {name: [["x"]] * 9000})
    assert {len(path) for path, _ in parts(document)} == {201}
    assert document.parts is not None
    assert document.parts[8999].steps == (name, 8999, 0)


def test_an_event_may_be_as_deep_as_any() -> None:
    value = b'{"a":' + b"[" * 499 + b'"deep"' + b"]" * 499 + b"}"
    document = decoded(EVERYWHERE, value)
    assert document.text == "deep"
    assert document.parts is not None
    assert document.parts[0].steps == ("a", *[0] * 499)


@given(event=EVENTS, paths=st.lists(st.sampled_from(PATHS), min_size=1, unique=True) | st.just([EVERYWHERE]))
def test_parts_are_the_texts_at_their_paths(event: dict[str, Any], paths: list[str]) -> None:
    document = decoded(paths, event)
    places: list[tuple[tuple[str | int, ...], Any]] = []
    for path in paths:
        places += strings(event) if path == EVERYWHERE else matches(parse_pattern(path), event)
    places = [(steps, value) for steps, value in places if value is not None]
    texts = [(steps, value) for steps, value in places if isinstance(value, str) and value.strip()]
    if len(paths) == 1 and "*" not in paths[0]:
        assert document.parts is None
        assert document.failure is not None or texts == [(tuple(parse_path(paths[0])), document.text)]
        return
    if document.failure is not None:
        assert not texts or not all(isinstance(value, str) for _, value in places)
        return
    assert document.parts is not None
    assert [(part.steps, document.text[part.start : part.end]) for part in document.parts] == texts
    assert document.text == SEPARATOR.join(value for _, value in texts)
    for part in document.parts:
        assert follow(parse_path(part.path), json.loads(document.event or b"")) == document.text[part.start : part.end]
    missing = [path for path in paths if "*" not in path and not list(_values(path, event))]
    assert document.notices == ([{"kind": "missing", "paths": missing}] if missing else [])


def _values(path: str, event: Any) -> list[Any]:
    return [value for _, value in matches(parse_pattern(path), event) if value is not None]
