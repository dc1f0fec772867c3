"""Evaluating a condition on the places that it uses gives what evaluating it on whole variables gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.condition_places import MISSING, WHOLE, Known
from schemas.conditions import Condition, variable
from schemas.document import Document
from schemas.errors import ConditionError
from schemas.record import Assignment, Record
from tests.thoroughness import examples

PARTS = (
    "event.a", "event.a == 1", "event.a == true", 'event.a == "x"', "event.b.c > 1", "event.b.c == 1.0", "has(event.a)",
    "has(event.b.c)", "has( event.b )", "size(event.a) > 1", "event.a.size() > 1", "event.b[0] == 1", "event.b[1].c",
    'event["a"] == null', 'event["a b"]', "event.b == {}", "event.b.c.startsWith('x')", '"a" in event', "text > 'm'",
    "size(text) > 2", "text.contains('a.b')", "tone.label == 'good'", "tone.score >= 0.5", "has(tone.label)",
    "tone.odd", "!tone.flag", "tone.flag == event.a", "event.l.exists(x, x == event.a)", "event.l.all(x, x > 1)",
    "headers.h == 'x'", "'h' in headers", "topic == 'in'", "key == null", "key == 'k'", "type(event.a) == int",
    "size(fields) == 0",
    "event.l.exists(event, event == 1)", "event.n == v", 'event.s == "event.a // not a comment"', "int(event.a) > 0",
)  # fmt: skip
CONDITIONS = st.recursive(
    st.sampled_from(PARTS),
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2, 1.0, 0.5, "", "x", "xy", "a" * 80]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "c", "a b"]), inner, max_size=2)
    ),
    max_leaves=4,
)
EVENTS = st.dictionaries(st.sampled_from(["a", "b", "l", "s", "n", "a b"]), VALUES, max_size=5)
TONES = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "label": st.sampled_from(["good", "bad"]),
            "score": st.sampled_from([0.25, 1.0]),
            "flag": st.booleans(),
        },
    ),
)


def document_of(event: Any, tone: Any, text: str = "a.b", key: bytes | None = b"k") -> Document:
    document = Document(Record(Assignment("in", 0), 0, key, b"", [("h", b"x")], 5), text)
    document.fields = event
    document.annotations = {"v": {"v0": 1}}
    if tone is not None:
        document.annotations["tone"] = tone
    return document


def _outcome(call: Any) -> bool | str:
    try:
        return bool(call())
    except ConditionError as error:
        return str(error)


@settings(deadline=None, max_examples=examples(400))
@given(CONDITIONS, st.lists(st.tuples(EVENTS, TONES), min_size=1, max_size=4))
def test_a_condition_says_of_places_what_it_says_of_whole_variables(source: str, given: Any) -> None:
    condition = Condition(source)
    for event, tone in [*given, *given]:  # the second time, results are known
        document = document_of(event, tone)
        whole = {name: variable(name, document) for name in condition.names}
        assert _outcome(lambda d=document: condition.holds_for(d, {})) == _outcome(lambda w=whole: condition(w))


def test_values_that_python_takes_for_equal_are_told_apart() -> None:
    condition = Condition("event.a == 1")
    for _ in range(2):
        assert _outcome(lambda: condition.holds_for(document_of({"a": 1}, None))) is True
        assert _outcome(lambda: condition.holds_for(document_of({"a": True}, None))) is False
    condition = Condition("event.a")
    assert _outcome(lambda: condition.holds_for(document_of({"a": True}, None))) is True
    assert _outcome(lambda: condition.holds_for(document_of({"a": 1}, None))) == (
        "the condition returned int, not a boolean"
    )


def test_what_is_not_used_cannot_fail_a_condition() -> None:
    """Whole events may hold numbers that CEL does not have, and be deeper than it can convert."""
    assert Condition("event.a == 1").holds_for(document_of({"a": 1, "long": 2**70}, None))


def test_variables_that_are_made_for_an_event_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    document = document_of({}, None)
    shared: dict[str, Any] = {}
    assert Condition('headers.h == "x"').holds_for(document, shared)
    assert shared == {"headers": {"h": "x"}}
    shared["headers"] = {"h": "y"}
    assert Condition('headers.h == "y"').holds_for(document, shared)


def test_a_result_that_needs_whole_variables_is_marked() -> None:
    document = document_of(
        {}, {}
    )  # an empty annotation, as of a task that did not run, makes a failing condition false
    shared: dict[str, Any] = {}
    assert not Condition("has(event.a) && event.a == 1").holds_for(document, shared)
    assert WHOLE not in shared
    assert not Condition('tone.label == "good"').holds_for(document, shared)
    assert WHOLE in shared


def test_only_booleans_and_short_texts_are_remembered_and_not_for_ever() -> None:
    known: Known[str] = Known([("topic", (), "value"), ("text", (), "value")])
    for values in ((1,), (1.0,), (None,), ([1],), ("x" * 65,), (object(),)):
        known.put(values, "no")
        assert known.get(values) is None
    known.put((MISSING, "x"), "missing")
    assert known.get((MISSING, "x")) == "missing"
    always_booleans: Known[str] = Known([("event", ("a",), "has")])
    always_booleans.put((True,), "yes")
    assert always_booleans.get((True,)) == "yes"
    assert always_booleans.get((False,)) is None
    known.put((True, "x"), "yes")
    assert known.get((True, "x")) == "yes"
    assert known.get((1, "x")) is None
    assert known.get(([], "x")) is None
    for number in range(5000):
        known.put((str(number),), "yes")
    assert len(known._known) <= 4096
    assert known.get(("4999",)) == "yes"
