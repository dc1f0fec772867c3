"""The rules between cases and their pipeline. Each violation is reported at the field that is wrong.

Like those in ``checks.py``, the rules work on plain mappings, and values of the wrong type pass here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from schemas.errors import EventError, every_error
from schemas.event import EnrichedEvent
from schemas.pipeline.cases import PUBLISHED_ANSWERS, Published
from schemas.pipeline.config import Pipeline
from schemas.pipeline.expectations import Mistake, mistakes
from schemas.pipeline.outputs import Output
from schemas.pipeline.trial import Labels, configured_labels, shape
from schemas.pipeline.unchecked import as_list, as_table
from schemas.pipeline.wording import did_you_mean

INPUTS = ("text", "event", "record")
"""The fields of a case of which exactly one must be present."""

_STAGES = frozenset(
    kind.stage for kind in every_error(EventError) if issubclass(kind, EventError)
) - {"unknown", "crash", "produce"}  # fmt: skip
"""The steps that can fail without Kafka."""
_NOTICES = EnrichedEvent.model_fields["notices"].annotation


def case_problems(pipeline: Pipeline, cases: Sequence[Any], labels: Labels) -> Iterator[Mistake]:
    """Yield every mistake in ``cases``, plain values, against their ``pipeline``; paths begin with a case's number.

    ``labels``: those of the tasks with a model, as far as they are known.
    """
    tasks = [task.model_dump() for task in pipeline.tasks]
    shapes = {str(task["name"]): shape(task) for task in tasks if task["shadow"] is None}
    known = {**labels, **configured_labels(tasks)}
    published, routes = _published(pipeline.output), [route.label for route in pipeline.output.routes or ()]
    for index, case in enumerate(map(as_table, cases)):
        expected = _expected(as_table(case.get("expect")), published, routes, shapes, known)
        for path, message, at_key in (*_input(pipeline, case), *expected):
            yield Mistake((index, *path), message, at_key)


def _input(pipeline: Pipeline, case: Mapping[str, Any]) -> Iterator[Mistake]:
    if sum(name in case for name in INPUTS) != 1:
        yield Mistake((), f"needs exactly one of {', '.join(INPUTS)}")
    if "event" in case and pipeline.input.format == "text":
        yield Mistake(("event",), "cannot be used with format: text, where the whole record is the text; use text")
    record, expect = as_table(case.get("record")), case.get("expect")
    topic = record.get("topic")
    if isinstance(topic, str) and topic not in pipeline.reads:
        hint = did_you_mean(topic, pipeline.input.topics)
        yield Mistake(("record", "topic"), f"is not one of input.topics{hint}")
    if expect == {}:
        yield Mistake(("expect",), "must not be empty")
    if "tombstone" in as_table(expect) and record.get("value", "") is not None:
        yield Mistake(("expect", "tombstone"), "needs a record whose value is null")


def _published(output: Output) -> dict[str, Any]:
    """Return topic -> the model of what is published there."""
    published: dict[str, Any] = {}
    for route in (None, *(output.routes or ())):
        topic = output.topic if route is None else route.topic
        if topic is not None:
            shape = output.shape_of(route)
            model = Published if shape is None else PUBLISHED_ANSWERS[shape.name]
            published[topic] = published[topic] | model if topic in published else model
    return published


def _expected(
    expect: Mapping[str, Any],
    published: Mapping[str, Any],
    routes: Sequence[str],
    shapes: Mapping[str, Any],
    labels: Labels,
) -> Iterator[Mistake]:
    annotations = as_table(expect.get("annotations"))
    for name, value in annotations.items():
        path = ("expect", "annotations", name)
        if name not in shapes:
            yield Mistake(path, _no_task(name, shapes), at_key=True)
        elif shapes[name] is not None:
            yield from mistakes(value, shapes[name], labels.get(name, ()), path)
    for index, name in enumerate(as_list(expect.get("absent"))):
        if isinstance(name, str) and name not in shapes:
            yield Mistake(("expect", "absent", index), _no_task(name, shapes))
        elif isinstance(name, str) and name in annotations:
            yield Mistake(("expect", "absent", index), "is also in annotations")
    if "notices" in expect:
        yield from mistakes(expect["notices"], _NOTICES, (), ("expect", "notices"))
    for index, name in enumerate(as_list(expect.get("routes"))):
        if isinstance(name, str) and name not in routes:
            known = f", only {', '.join(routes)}" if routes else ": the pipeline has none"
            yield Mistake(("expect", "routes", index), f"there is no such route{did_you_mean(name, routes) or known}")
    for topic, value in as_table(expect.get("outputs")).items():
        path = ("expect", "outputs", topic)
        if topic not in published:
            hint = did_you_mean(topic, published) or f", only {', '.join(published)}"
            yield Mistake(path, f"is not a topic of enriched events{hint}", at_key=True)
        elif value is not None:
            yield from mistakes(value, published[topic], (), path)
    letter = as_table(expect.get("dead_letter"))
    stage, task = letter.get("stage"), letter.get("task")
    if isinstance(stage, str) and stage not in _STAGES:
        known = did_you_mean(stage, _STAGES) or f", only {', '.join(sorted(_STAGES))}"
        yield Mistake(("expect", "dead_letter", "stage"), f"is not a stage that can fail here{known}")
    if isinstance(task, str) and task not in shapes and task not in routes:
        yield Mistake(("expect", "dead_letter", "task"), _no_task(task, shapes))
    outcome = next((name for name in ("dead_letter", "tombstone") if name in expect), None)
    for name in expect if outcome else ():
        if name not in {outcome, "nowhere"}:
            yield Mistake(("expect", name), f"cannot be expected together with {outcome}", at_key=True)


def _no_task(name: str, tasks: Iterable[str]) -> str:
    return "there is no such task" + (did_you_mean(name, tasks) or f", only {', '.join(tasks)}")
