"""Evaluating conditions together gives what evaluating them one by one gives, or nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.condition_group import ConditionGroup
from schemas.conditions import Condition
from schemas.document import Document
from schemas.errors import ConditionError
from schemas.pipeline.config import Pipeline
from schemas.replaced import Replaced
from stream.output.routes import router
from tests.schemas.test_condition_places import CONDITIONS, EVENTS, TONES, document_of
from tests.thoroughness import examples


def _results(conditions: list[Condition], document: Document) -> dict[Condition, bool | str]:
    results: dict[Condition, bool | str] = {}
    for condition in conditions:
        try:
            results[condition] = condition.holds_for(document)
        except ConditionError as error:
            results[condition] = str(error)
    return results


@settings(max_examples=examples(1000), deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=6), EVENTS, TONES)
def test_one_call_gives_the_results_of_many_or_none(sources: list[str], event: Any, tone: Any) -> None:
    conditions = [Condition(source) for source in sources for _ in range(2)]  # so that there are enough for each value
    group, document = ConditionGroup(conditions), document_of(event, tone)
    expected = _results(conditions, document)
    together = group.results(document, {})
    assert together.items() <= expected.items()
    if together:
        assert {condition for condition in conditions if condition.can_be_grouped} == together.keys()


def test_conditions_are_evaluated_together() -> None:
    sources = [
        "tone.score > 0.9",
        'tone.score > 0.5 && text != "no"',
        "size(text) < 3 || tone.score < 0.1",
        "text == ''",
    ]
    conditions = [*map(Condition, sources), *map(Condition, sources)]
    document = document_of({}, {"score": 0.7})
    assert list(ConditionGroup(conditions).results(document, {}).values()) == [False, True, False, False] * 2


def test_conditions_that_share_too_little_have_macros_or_are_constant_are_not_in_a_group() -> None:
    assert not ConditionGroup([])
    assert not ConditionGroup([Condition("event.a == 1"), Condition("event.b == 1")])
    assert not ConditionGroup([Condition("event.l.exists(x, x == 1)")] * 4)
    assert not ConditionGroup([Condition("true")] * 4)
    assert ConditionGroup([Condition("event.a == 1"), Condition("event.a == 2")])


def test_a_missing_value_a_replaced_one_and_a_failure_leave_the_work_to_each_condition() -> None:
    conditions = [Condition("event.a > 1"), Condition("event.a > 2")]
    group = ConditionGroup(conditions)
    assert group.results(document_of({"a": 2}, None), {}) == dict(zip(conditions, (True, False), strict=True))
    assert group.results(document_of({}, None), {}) == {}
    assert group.results(document_of({"a": "x"}, None), {}) == {}
    replaced = document_of({"a": 2}, None)
    replaced.replaced = Replaced()
    assert group.results(replaced, {}) == {}
    odd = [Condition("event.a"), Condition("!event.a")]
    assert ConditionGroup(odd).results(document_of({"a": 1}, None), {}) == {}


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=3), EVENTS, TONES)
def test_routes_decide_alike_with_and_without_a_group(sources: list[str], event: Any, tone: Any) -> None:
    routes = [{"when": source, "topic": f"t{index}"} for index, source in enumerate(sources * 2)]
    pipeline = Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["in"]},
        "tasks": [{"name": "tone", "task": "sentiment", "model": "none"}], "output": {"topic": "out", "routes": routes},
    })  # fmt: skip
    together, alone = router(pipeline.output), router(pipeline.output)
    assert together is not None
    assert alone is not None
    alone._group = ConditionGroup([])
    document = document_of(event, tone)
    outcomes = []
    for each in (together, together, alone):
        try:
            outcomes.append(str(each.decide(document)))
        except Exception as error:
            outcomes.append(f"{type(error).__name__} {error}")
    assert outcomes[0] == outcomes[1] == outcomes[2]
