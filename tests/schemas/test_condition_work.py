"""The work of a condition is estimated before it is evaluated, so that no event occupies a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import condition_work
from schemas.conditions import Condition
from schemas.errors import ConditionError

LONG = list(range(16_000))
EVENT = {"l": LONG, "m": [LONG]}
SPAN = {"start": 12, "end": 25, "label": "PERSON", "score": 0.998, "text": "Angela Merkel"}


def refuses(source: str, **variables: Any) -> bool:
    condition = Condition(source)
    try:
        condition(variables)
    except ConditionError as error:
        if "2 seconds" not in str(error):
            raise
        return True
    return False


@pytest.mark.parametrize(
    "source",
    [
        "event.l.all(a, event.l.all(b, a + b >= 0))",
        "event.l.exists(a, event.l.exists(b, a == b + 100000))",
        "event.l.all(a, size(event.l) > 0)",
        "event['l'].all(a, a in event.l)",
        "event.l.map(a, event.l).size() == 0",
        "event.l.map(a, a).size() == 0",
        "(event.l + event.l).filter(a, a > 0).size() == 0",
        "event.l.map(a, [event.l.all(b, b >= 0)]).all(c, c[0])",
        "[event.l].all(a, a.all(b, a.size() > 0))",
        "event[topic].all(a, event[topic].all(b, true))",
        "event.l.all(a, event[topic].all(b, true))",
        r"event.l.all(a, string(a).matches('\\w{90}'))",
        "event.l.all(a, string(a).matches(topic))",
        "event.l // (\n . all // (\n (a, event.l.all(b, true))",
        "(((event)).l).all(a, ((event.l)).all(b, true))",
        "(event.m + event.m)[0].all(a, (event).l.all(b, true))",
        "(topic == 'l' ? event : event).l.all(a, event.l.all(b, true))",
        "{'a': event.l}.a.all(a, {'a': event}.a.l.all(b, true))",
    ],
)
def test_what_takes_too_long_is_refused_beforehand(source: str) -> None:
    names = Condition(source).names
    variables = {name: value for name, value in {"event": EVENT, "topic": "l"}.items() if name in names}
    assert refuses(source, **variables)


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("event.l.all(a, a >= 0)", {"event": {"l": LONG}}),
        ("event.l.all(a, a != event.n)", {"event": {"l": LONG, "n": -1}}),
        ("event.tags.exists(t, event.tags.exists(u, u == t))", {"event": {"l": LONG, "tags": ["a", "b"]}}),
        ("event.tags.exists(t, t == text)", {"event": {"l": LONG, "tags": ["a"]}, "text": "x" * 1_000_000}),
        ("event.tags.map(t, t + text).size() == 2", {"event": {"tags": ["a", "b"]}, "text": "x" * 1_000_000}),
        ("event.l.all(r, r.all(x, x > 0))", {"event": {"l": [[1, 2, 3]] * 5000}}),
        ("event.l.all(r, r.filter(x, x > 0).size() == 3)", {"event": {"l": [[1, 2, 3]] * 5000}}),
        ("event.l.exists(a, string(a).matches('^[0-9]{3,40}$'))", {"event": {"l": LONG[:2000]}}),
        ("who.spans.all(s, s.label == 'X' || who.spans.all(t, t.end > s.start))", {"who": {"spans": [SPAN] * 300}}),
        ("who.spans.filter(s, s.score > 0.5).map(s, s.text).size() > 2", {"who": {"spans": [SPAN] * 1000}}),
    ],
)  # fmt: skip
def test_what_is_fast_enough_runs(source: str, variables: dict[str, Any]) -> None:
    assert not refuses(source, **variables)


def test_what_has_no_macros_is_never_refused() -> None:
    assert not refuses("event.l == event.l && 5 in event.l && text.matches('x+$')", event={"l": LONG}, text="x" * 10**6)


def test_a_value_too_deep_to_measure_is_refused() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert refuses("event.all(a, true)", event={"a": deep})


RANGES: dict[str, Callable[[dict[str, list[int]]], list[int]]] = {
    "event.a": lambda event: event["a"],
    "event['b']": lambda event: event["b"],
    "[1, 2, 3]": lambda event: [1, 2, 3],
    "(event.a + event.b)": lambda event: event["a"] + event["b"],
    "event.a.filter(f, f > 3)": lambda event: [number for number in event["a"] if number > 3],
}
numbers = st.lists(st.integers(0, 9), max_size=6)
loops = st.lists(st.tuples(st.sampled_from(list(RANGES)), st.sampled_from(["all", "map", "filter"])), max_size=2)


@settings(deadline=None)
@given(event=st.fixed_dictionaries({"a": numbers, "b": numbers}), nested=loops, siblings=loops)
def test_the_estimate_is_at_least_the_number_of_iterations(
    event: dict[str, list[int]], nested: list[tuple[str, str]], siblings: list[tuple[str, str]]
) -> None:
    inner, iterations = "true", 0
    for depth, (entries, kind) in enumerate(nested):
        inner = f"{entries}.{kind}(x{depth}, {inner} == true)"
        iterations = len(RANGES[entries](event)) * (1 + iterations)
    sources = [inner]
    for entries, kind in siblings:
        sources.append(f"{entries}.{kind}(y, y == y)")
        iterations += len(RANGES[entries](event))
    condition = Condition(f"[{', '.join(sources)}] == [] || event == {{}}")
    assert condition._work.estimate({"event": event}) >= iterations * condition_work._PER_ITERATION
