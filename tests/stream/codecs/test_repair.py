"""What common readers of JSON refuse is replaced, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pipeline.config import Input
from schemas.record import Assignment, Record
from schemas.replaced import MOST_PATHS
from stream.codecs.json import JsonCodec
from stream.codecs.repair import repair

LONG = "9" * 400


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ('{"a":NaN}', '{"a":null}', ["$.a"]),
        ('{"a": -Infinity , "b":[Infinity]}', '{"a": null , "b":[null]}', ["$.a", "$.b[0]"]),
        ('{"a":1e400,"b":-1E+400}', '{"a":"1e400","b":"-1E+400"}', ["$.a", "$.b"]),
        (f'{{"a":{LONG}}}', f'{{"a":"{LONG}"}}', ["$.a"]),
        ('{"a":1.7976931348623159e308}', '{"a":"1.7976931348623159e308"}', ["$.a"]),
        (r'{"a":"x \ud83d y"}', r'{"a":"x \ufffd y"}', ["$.a"]),
        (r'{"a":"\uDE00\uD83D\ude00\ud83d\ud83D\uDE00\ude00"}',
         r'{"a":"\ufffd\uD83D\ude00\ufffd\ud83D\uDE00\ufffd"}', ["$.a"]),
        (r'{"a\ud83d":{"\"]":[[],{"c":NaN}]}}', r'{"a\ufffd":{"\"]":[[],{"c":null}]}}',
         ['$["a\ufffd"]', '$["a\ufffd"]["\\"]"][1].c']),
    ],
)  # fmt: skip
def test_what_is_replaced(before: str, after: str, paths: list[str]) -> None:
    repaired, replaced = repair(before)
    assert repaired == after
    assert (replaced.paths, replaced.count) == (paths, len(paths))
    orjson.loads(repaired)


@pytest.mark.parametrize(
    "text",
    [
        r'{"a":"NaN 1e400 \\ud83d \ud83d\ude00 é"}',
        '{"a":1.7976931348623157e308,"b":1e-400,"c":-0.0,"n":123456789012345678901234567890}',
        '{"NaN":1}', "{NaN:1}", "{1e400 : 1}", "{nan:nan}", '{"a":+Infinity}', '{"a":-NaN}', '{"a":xNaN}', '{"a":NaNs}',
        '{"a":01e400}', '{"a":1e400.5}', '{"a":.1e400}', '{"a":1e400x}', '{"a":"\\', '"', "\\ud83d", "]]}}", "",
    ],
)  # fmt: skip
def test_what_stays(text: str) -> None:
    repaired, replaced = repair(text)
    assert (repaired, replaced.count, replaced.paths) == (text, 0, [])


def test_after_many_replacements_every_use_counts_as_a_use_of_one() -> None:
    _, replaced = repair('{"a":[' + "NaN," * 5000 + '1],"b":1}')
    assert replaced.count == 5000
    assert replaced.paths == [f"$.a[{index}]" for index in range(MOST_PATHS)]
    assert replaced.touches(("b",))
    _, few = repair('{"a":[' + "NaN," * 50 + '1],"b":1}')
    assert few.touches(("a",))
    assert few.touches(("a", 49))
    assert not few.touches(("a", 50))
    assert not few.touches(("b",))


def test_a_long_path_is_cut() -> None:
    _, replaced = repair('{"' + "k" * 5000 + '":NaN}')
    assert [len(path) for path in replaced.paths] == [201]


@pytest.mark.parametrize(
    "garbage", ['"\\"' * 200_000, "{" * 300_000, '"' * 300_001, "1" * 300_000 + "x", "\\u" * 99_999]
)
def test_garbage_takes_linear_time(garbage: str) -> None:
    """In quadratic time this would not end within minutes."""
    repair(garbage)


BAD = ["NaN", "Infinity", "-Infinity", "1e400", LONG, r'"\udc00"']
VALUES = [*BAD, "1", "-2.5e3", "true", "null", r'"a\\\"[,"', r'"\ud83d\ude00"']
leaves = st.integers(0, len(VALUES) - 1).map(lambda index: VALUES[index])
names = st.text(st.sampled_from('ab[]{}",:\\'), max_size=3).map(json.dumps)


def _written(container: tuple[bool, list[tuple[str, str]]]) -> str:
    is_object, members = container
    if is_object:
        return "{" + ", ".join(f"{name}: {value}" for name, value in members) + "}"
    return f"[{','.join(value for _, value in members)}]"


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.lists(st.tuples(names, inner), max_size=4, unique_by=lambda member: member[0])
    return st.tuples(st.booleans(), members).map(_written)


documents = st.recursive(leaves, _containers, max_leaves=20)


def _places(before: Any, after: Any, steps: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Compare what Python's tolerant parser reads with what a strict one reads of the result."""
    if isinstance(before, dict):
        assert before.keys() == after.keys()
        return {place for name in before for place in _places(before[name], after[name], (*steps, name))}
    if isinstance(before, list):
        assert len(before) == len(after)
        return {place for n, item in enumerate(before) for place in _places(item, after[n], (*steps, n))}
    if type(before) is type(after) and before == after:
        return set()
    if isinstance(before, str):
        assert (before, after) == ("\udc00", "\ufffd")
    elif isinstance(before, int):
        assert after == str(before)
    else:
        assert after in {None, "1e400"}
    return {steps}


@given(documents)
def test_any_document_is_repaired_where_it_must_be_and_nowhere_else(value: str) -> None:
    text = f'{{"text": "x", "rest": {value}}}'
    document = JsonCodec(Input(topics=["posts"]), keep_fields=True).decode(
        Record(Assignment("posts", 0), 7, b"key", text.encode())
    )
    assert document.failure is None
    places = _places(json.loads(text), document.fields)
    count = document.replaced.count if document.replaced else 0
    assert count == len(places)
    assert not places or document.replaced is not None
    for place in places:
        assert document.replaced is not None
        assert document.replaced.touches(place)
    assert json.loads(document.event or b"", parse_constant=pytest.fail) == document.fields
