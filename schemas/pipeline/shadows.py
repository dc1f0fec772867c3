"""The rules for shadows: tasks that run on the live stream, and are compared with another task instead of published.

Like those in ``checks.py``, the rules work on plain mappings, and values of the wrong type pass here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.annotations import ANNOTATIONS, Classification, Moderation, Paraphrase, Spans
from schemas.pipeline.dependencies import condition, spans_needed
from schemas.pipeline.ensembles import members
from schemas.pipeline.outputs import Output
from schemas.pipeline.unchecked import as_list, as_table
from schemas.pipeline.wording import TASKS, did_you_mean

Path: TypeAlias = tuple[str | int, ...]
Mistakes: TypeAlias = Iterator[tuple[Path, str]]

COMPARABLE = tuple(
    kind for kind, shape in ANNOTATIONS.items() if shape in {Classification, Moderation, Paraphrase, Spans}
)
"""The kinds of tasks that can have a shadow: it is known when two of their annotations say the same."""
_UNPUBLISHED = "is a shadow, whose annotation is in no event"


def problems(raw: Mapping[str, Any]) -> Mistakes:
    """Yield every violation of a rule about shadows; ``raw`` is the file as plain Python values."""
    tasks = [as_table(task) for task in as_list(raw.get("tasks"))]
    shadows = {task["name"] for task in tasks if task.get("shadow") is not None and isinstance(task.get("name"), str)}
    yield from _pairs(tasks, shadows)
    output = as_table(raw.get("output"))
    yield from _topic(as_table(raw.get("input")), output)
    if not shadows:
        return
    for index, task in enumerate(tasks):
        yield from _condition(("tasks", index), task, shadows)
        for path, name in (*spans_needed(task), *members(task)):
            if name in shadows and name != task.get("name"):
                yield ("tasks", index, *path), f"names a task that {_UNPUBLISHED}"
    for index, route in enumerate(map(as_table, as_list(output.get("routes")))):
        place = ("output", "routes", index)
        yield from _condition(place, route, shadows)
        yield from _listed((*place, "annotations"), route.get("annotations"), shadows)
    yield from _listed(("redact", "tasks"), as_table(raw.get("redact")).get("tasks"), shadows)


def _pairs(tasks: Sequence[Mapping[str, Any]], shadows: set[str]) -> Mistakes:
    """Yield the shadows whose field ``shadow`` names no task that they can be compared with."""
    kinds = {str(task.get("name")): str(task.get("task")) for task in tasks}
    candidates = [name for name in kinds if name not in shadows]
    for index, task in enumerate(tasks):
        other, kind, path = task.get("shadow"), task.get("task"), ("tasks", index, "shadow")
        if not isinstance(other, str) or not other:
            continue
        if other == task.get("name"):
            yield path, "must name another task, not the task itself"
        elif other not in kinds:
            known = did_you_mean(other, candidates) or (f", only {', '.join(candidates)}" if candidates else "")
            yield path, f"there is no task with that name{known}"
        elif other in shadows:
            yield path, "names a task that is a shadow itself; name the task that events are annotated by"
        elif kinds[other] != kind:
            if kind in TASKS and kinds[other] in TASKS:  # otherwise reported elsewhere
                yield path, f"names a task of kind {kinds[other]}; a shadow must be of the same kind"
        elif kind in TASKS and kind not in COMPARABLE:
            yield path, f"cannot be used with {kind}: only {', '.join(COMPARABLE)} can be compared"


def _condition(place: Path, owner: Mapping[str, Any], shadows: set[str]) -> Mistakes:
    """Yield the shadows that the condition of ``owner``, a task or a route, uses."""
    try:
        compiled = condition(owner)
    except ValueError:  # reported elsewhere
        return
    for name in sorted(compiled.tasks & shadows) if compiled is not None else ():
        if name != owner.get("name"):
            yield (*place, "when"), f'uses "{name}", which {_UNPUBLISHED}'


def _listed(place: Path, names: Any, shadows: set[str]) -> Mistakes:
    for index, name in enumerate(as_list(names)):
        if isinstance(name, str) and name in shadows:
            yield (*place, index), _UNPUBLISHED


def _topic(source: Mapping[str, Any], output: Mapping[str, Any]) -> Mistakes:
    """Yield what is wrong with the topic of the disagreements: its events are not those of other topics."""
    topic, path = output.get("disagreements"), ("output", "disagreements")
    if not isinstance(topic, str):
        return
    dead = output.get("dead_letter")
    dead = dead.get("topic") if isinstance(dead, Mapping) else dead
    default = Output.model_construct(topic=str(output.get("topic"))).dead_letter_topic
    if topic in as_list(source.get("topics")):
        yield path, "is also an input topic: the pipeline would read its own output in an endless loop"
    elif topic == output.get("topic"):
        yield path, "is also the output topic; disagreements need a separate topic"
    elif topic == (dead or default):
        yield path, "is also the dead-letter topic; disagreements need a separate topic"
    for index, route in enumerate(map(as_table, as_list(output.get("routes")))):
        if route.get("topic") == topic:
            yield path, f"is also the topic of routes[{index}]; disagreements need a separate topic"
            break
