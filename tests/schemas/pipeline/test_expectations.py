"""Expectations are partial, have ranges, and name what they do not find."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.annotations import Answers, Classification, Coreference, Moderation, NearDuplicate, Spans
from schemas.event import Notice, Replacement
from schemas.pipeline.expectations import MISSING, differences, mistakes

ANNA, BOB = {"text": "Anna", "label": "PERSON", "score": 0.9}, {"text": "Bob", "label": "PERSON", "score": 0.8}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=12, max_size=13), inner, max_size=4),
    max_leaves=12,
)


def places(expected: Any, actual: Any) -> list[tuple[str | int, ...]]:
    return [difference.path for difference in differences(expected, actual)]


@given(json_values)
def test_every_value_is_as_itself(value: Any) -> None:
    assert places(value, value) == []


@given(st.dictionaries(st.text(min_size=12, max_size=13), json_values, min_size=1), st.data())
def test_what_is_not_named_is_not_compared_and_what_is_named_is(actual: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(actual)))
    assert places({name: actual[name]}, actual) == []
    wrong = {name: "another text" if actual[name] != "another text" else 7}
    assert places(wrong, actual) == [(name,)]


@pytest.mark.parametrize(
    ("expected", "actual", "equal"),
    [
        ("positive", "positive", True),
        ("positive", "Positive", False),
        ({"contains": "osi"}, "positive", True),
        ({"contains": "neg"}, "positive", False),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (None, None, True),
        (None, MISSING, True),
        (None, "x", False),
        ("x", None, False),
        ("x", MISSING, False),
        ("x", 1, False),
        (1, "1", False),
        (3, 3, True),
        (3, 4, False),
        (0.7, 0.7005, True),
        (0.7, 0.702, False),
        (1, 0.9995, True),
        (1, 0.99, False),
        (">= 0.8", 0.8, True),
        ("> 0.8", 0.8, False),
        ("<0.8", 0.7, True),
        ("<= .5", 0.5, True),
        ("> 0.2, < 0.4", 0.3, True),
        ("> 0.2, < 0.4", 0.5, False),
        ("> 0.2, < 0.4", 0.1, False),
        (">= 1e-3", 0.0, False),
        (">= 0.8", "0.9", False),
        (">= 0.8", ">= 0.8", True),
        ({"a": 1}, [1], False),
        ([1], {"a": 1}, False),
        ({"contains": [1]}, 1, False),
        ({"text": {"contains": "a"}}, {"text": "banana", "label": "FRUIT"}, True),
    ],
)
def test_values(expected: Any, actual: Any, equal: bool) -> None:
    assert (places(expected, actual) == []) == equal


@pytest.mark.parametrize(
    ("expected", "actual", "where"),
    [
        ([], [], []),
        ([], [ANNA], [()]),
        ([{"text": "Anna"}], [BOB, ANNA], []),
        ([{"text": "Anna"}, {"label": "PERSON"}], [ANNA], [(1,)]),
        # An entry that fits both must not take the only one that fits the other.
        ([{"label": "PERSON"}, {"text": "Anna"}], [ANNA, BOB], []),
        ([{"text": "Carl"}], [ANNA], [(0,)]),
        ({"contains": [{"text": "Anna"}]}, [ANNA, BOB], []),
        ({"exact": [{"text": "Anna"}]}, [ANNA, BOB], [("exact",)]),
        ({"exact": [{"text": "Bob"}, {"text": "Anna"}]}, [ANNA, BOB], []),
        ({"exact": []}, [ANNA], [("exact",)]),
        ({"excludes": [{"text": "Carl"}]}, [ANNA, BOB], []),
        ({"excludes": [{"text": "Carl"}, {"text": "Bob"}]}, [ANNA, BOB], [("excludes", 1)]),
        ({"contains": [{"text": "Anna"}], "excludes": [{"score": "< 0.5"}]}, [ANNA], []),
        ([1, 1], [1, 2], [(1,)]),
    ],
)
def test_lists(expected: Any, actual: Any, where: list[Any]) -> None:
    assert places(expected, actual) == where


def test_what_is_left_is_shown_with_the_most_similar_entry_first() -> None:
    expected = [{"text": "Anna"}, {"text": "Bob", "label": "PLACE", "score": 0.8}]
    carl = {"text": "Carl", "label": "PERSON", "score": 0.1}
    (difference,) = differences(expected, [carl, ANNA, BOB])
    assert difference.path == (1,)
    assert difference.expected == expected[1]
    assert difference.actual == (BOB, carl)


@given(st.lists(st.sets(st.integers(0, 5), max_size=4), max_size=5), st.integers(0, 6))
def test_entries_are_assigned_whenever_they_can_be(wanted: list[set[int]], size: int) -> None:
    """Entry N of the expectation fits the actual entries in ``wanted[N]``; compare with trying every assignment."""

    def assignable(rows: list[set[int]], free: frozenset[int]) -> bool:
        return not rows or any(assignable(rows[1:], free - {column}) for column in rows[0] & free)

    actual = [{str(row): column in fits for row, fits in enumerate(wanted)} for column in range(size)]
    expected = [{str(row): True} for row in range(len(wanted))]
    assert (places({"contains": expected}, actual) == []) == assignable(wanted, frozenset(range(size)))


@pytest.mark.parametrize(
    ("expected", "kind", "problems"),
    [
        ({"label": "positive", "score": ">= 0.8", "scores": {"negative": "< 0.1"}}, Classification, {}),
        ({"lable": "x"}, Classification, {("lable",): 'unknown field, did you mean "label"?'}),
        ({"label": 7}, Classification, {("label",): "must be text, put it in quotes"}),
        ({"label": None}, Classification, {("label",): "must not be empty"}),
        ({"label": {"contains": "x"}}, Classification, {}),
        ({"label": {"has": "x"}}, Classification, {("label", "has"): "unknown field, only contains"}),
        ({"scores": {"negative": "low"}}, Classification,
         {("scores", "negative"): 'must be a number, or a comparison such as ">= 0.8" or "> 0.2, < 0.4"'}),
        ("positive", Classification, {(): "must be a mapping of fields"}),
        ({"label": "posative"}, Classification, {("label",): 'is not a label of this task, did you mean "positive"?'}),
        ({"label": "x"}, Classification, {("label",): "is not a label of this task, only negative, positive"}),
        ({"scores": {"posative": 0.1}}, Classification,
         {("scores", "posative"): 'is not a label of this task, did you mean "positive"?'}),
        ({"spans": []}, Spans, {}),
        ({"spans": "Paris"}, Spans, {("spans",): "must be a list, or a mapping with contains, exact, excludes"}),
        ({"spans": {"exactly": []}}, Spans, {("spans", "exactly"): 'unknown field, did you mean "exact"?'}),
        ({"spans": {"exact": []}}, Spans, {}),
        ({"spans": {"excludes": []}}, Spans,
         {("spans", "excludes"): "must not be empty; for no entries at all, write []"}),
        ({"spans": {"exact": {}}}, Spans, {("spans", "exact"): "must be a list"}),
        ({"spans": {"exact": [{"txt": "a"}]}}, Spans,
         {("spans", "exact", 0, "txt"): 'unknown field, did you mean "text"?'}),
        ({"flagged": "yes"}, Moderation, {("flagged",): "must be true or false"}),
        ({"clusters": [{"spans": [{"text": "she"}, {"text": "Anna"}]}]}, Coreference, {}),
        ({"answers": [{"answer": None}]}, Answers, {}),
        ({"duplicate_of": None, "score": None}, NearDuplicate, {}),
        ([{"task": "tone", "kind": "truncated"}, {"kind": "replaced", "count": 1}], list[Notice | Replacement], {}),
        ([{"task": "tone", "kind": "cut"}], list[Notice | Replacement],
         {(0, "kind"): "must be one of truncated, replaced"}),
        ([{"kind": "replacd"}], list[Notice | Replacement],
         {(0, "kind"): 'must be one of truncated, replaced, did you mean "replaced"?'}),
        ({"anything": {"goes": [1]}}, Any, {}),
    ],
)  # fmt: skip
def test_mistakes(expected: Any, kind: Any, problems: dict[Any, str]) -> None:
    reported = mistakes(expected, kind, {"positive", "negative"})
    assert {mistake.path: mistake.message for mistake in reported} == problems
