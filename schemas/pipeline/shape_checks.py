"""The rules for ``shape``. Like those in ``checks.py``, they work on plain mappings with mistakes elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.event import SCHEMA
from schemas.pipeline.unchecked import as_list, as_table
from schemas.pipeline.wording import did_you_mean
from schemas.taxonomies import names

Task: TypeAlias = Mapping[str, Any]
Path: TypeAlias = tuple[str | int, ...]

ATTRIBUTE = re.compile(r"[A-Z][A-Z_]*")
"""How the Perspective API spells its attributes, the experimental ones included."""

_SERVICES = ("perspective", "openai")


def problems(output: Mapping[str, Any], tasks: Sequence[Task]) -> Iterator[tuple[Path, str]]:
    """Yield every mistake in the shapes of ``output`` and its routes, as (path below ``output``, message)."""
    routes = [route for route in as_list(output.get("routes")) if isinstance(route, Mapping)]
    default = output.get("shape", "event")
    yield from ((("shape", *path), message) for path, message in _alone(default, tasks))
    yield from ((("format",), message) for message in _typeless(output.get("format"), default))
    for index, route in enumerate(as_list(output.get("routes"))):
        if not isinstance(route, Mapping) or route.get("drop") is True:
            continue
        place: Path = ("routes", index)
        if (shape := route.get("shape")) is not None:
            yield from (((*place, "shape", *path), message) for path, message in _alone(shape, tasks))
        yield from (((*place, "annotations"), message) for message in _left_out(route, shape or default, tasks))
        if shape is not None or route.get("format") is not None:
            chosen = route.get("format") or output.get("format")
            yield from (((*place, "format"), message) for message in _typeless(chosen, shape or default))
    published = [default, *(route.get("shape") or default for route in routes if route.get("drop") is not True)]
    if all(_name(shape) in _SERVICES for shape in published):
        for field, harmless in (("offset_unit", "utf16"), ("original_offsets", False)):
            if output.get(field, harmless) != harmless:
                yield (field,), "has no effect: no topic gets enriched events"


def serving(shape: object, tasks: Sequence[Task]) -> list[str]:
    """Return the names of the tasks whose scores are in the answers of ``shape``, as it is written; maybe none."""
    named = _options(shape).get("tasks")
    if isinstance(named, list):
        return [name for name in named if isinstance(name, str)]
    return _candidates(_name(shape), tasks)


def detecting(shape: object, tasks: Sequence[Task]) -> str | None:
    """Return the name of the task that detects the languages of ``shape``; None if there is none."""
    named = _options(shape).get("languages")
    if isinstance(named, str):
        return named
    return next((str(task.get("name")) for task in tasks if _detects(task)), None)


def _alone(shape: object, tasks: Sequence[Task]) -> Iterator[tuple[Path, str]]:
    """Yield the mistakes of one shape, with paths below it."""
    name, options = _name(shape), _options(shape)
    if name not in _SERVICES:
        return
    by_name = {str(task.get("name")): task for task in tasks}
    named = options.get("tasks")
    if named is None:
        yield from (((), message) for message in _undecided(name, tasks))
    seen: set[str] = set()
    for index, other in enumerate(as_list(named)):
        if not isinstance(other, str):
            continue
        if other in seen:
            yield (name, "tasks", index), "appears twice"
        elif other not in by_name:
            hint = did_you_mean(other, by_name) or f", only {', '.join(by_name)}"
            yield (name, "tasks", index), f"there is no task with that name{hint}"
        elif (reason := _unfit(by_name[other], name, by_name)) is not None:
            yield (name, "tasks", index), reason
        seen.add(other)
    if name == "perspective":
        yield from _languages(options.get("languages"), by_name)


def _undecided(name: str, tasks: Sequence[Task]) -> Iterator[str]:
    """Yield why it is not clear which task gives the scores of a shape that names none."""
    candidates = _candidates(name, tasks)
    if len(candidates) > 1:
        example = f"{{{name}: {{tasks: [{candidates[0]}]}}}}"
        yield f"could be made from {' or '.join(candidates)}; name the one to use, such as {example}"
    elif not candidates:
        needed = f"needs a task of kind moderation with taxonomy: {name}"
        others = [str(task.get("name")) for task in tasks if task.get("task") == "moderation"]
        yield needed + (f"; {', '.join(others)} has another one" if len(others) == 1 else "")


def _languages(named: object, by_name: Mapping[str, Task]) -> Iterator[tuple[Path, str]]:
    detectors = [name for name, task in by_name.items() if _detects(task)]
    if named is None and len(detectors) > 1:
        example = f"{{perspective: {{languages: {detectors[0]}}}}}"
        yield (), f"could take the languages from {' or '.join(detectors)}; name the one to use, such as {example}"
    elif isinstance(named, str) and named not in by_name:
        yield ("perspective", "languages"), "there is no task with that name" + did_you_mean(named, by_name)
    elif isinstance(named, str) and named not in detectors:
        yield (
            ("perspective", "languages"),
            f"names a task of kind {by_name[named].get('task')}, which detects no language",
        )


def _left_out(route: Mapping[str, Any], shape: object, tasks: Sequence[Task]) -> Iterator[str]:
    """Yield what is wrong with the annotations of a route that publishes answers."""
    kept = route.get("annotations")
    if _name(shape) in _SERVICES and isinstance(kept, list):
        absent = [name for name in serving(shape, tasks) if name not in kept]
        if absent:
            yield f"leaves out {', '.join(absent)}, which shape: {_name(shape)} is made from"


def _typeless(chosen: object, shape: object) -> Iterator[str]:
    """Yield what is wrong with a format that would call an answer an enriched event."""
    options = {} if chosen == "cloudevents" else as_table(chosen).get("cloudevents")
    if _name(shape) in (*_SERVICES, "osprey") and isinstance(options, Mapping) and options.get("type") is None:
        example = "{cloudevents: {type: com.example.scores}}"
        yield f"needs a type, such as {example}: its default, {SCHEMA}, is what shape: {_name(shape)} is not"


def _candidates(name: str | None, tasks: Sequence[Task]) -> list[str]:
    """Return the tasks that can give names of the service; of an ensemble and its members, the ensemble alone."""
    by_name = {str(task.get("name")): task for task in tasks}
    able = [other for other, task in by_name.items() if name in _SERVICES and _gives(task, name, by_name)]
    members = {member for other in able for member in _members(by_name[other])}
    return [other for other in able if other not in members]


def _unfit(task: Task, name: str, by_name: Mapping[str, Task]) -> str | None:
    """Return why ``task`` cannot give the scores of a shape; None if it can. Nothing is known of custom tasks."""
    if task.get("task") == "custom" or _gives(task, name, by_name):
        return None
    if task.get("shadow") is not None:
        return "names a shadow, which is published nowhere"
    if task.get("task") != "moderation":
        return f"names a task of kind {task.get('task')}; the scores of {name} come from moderation"
    if _members(task):
        return f"names an ensemble none of whose members has taxonomy: {name}"
    taxonomy = task.get("taxonomy", "standard")
    is_map = isinstance(taxonomy, Mapping)
    return f"names a task whose taxonomy {'maps to no name of' if is_map else f'is {taxonomy}, not'} {name}"


def _gives(task: Task, name: str, by_name: Mapping[str, Task]) -> bool:
    """Return whether the annotation of ``task`` can have names of the service."""
    if task.get("task") != "moderation" or task.get("shadow") is not None:
        return False
    if members := _members(task):
        # A member that is an ensemble itself is looked up without its ensemble's other members, so that a cycle ends.
        others = {other: by_name[other] for other in members if other in by_name}
        left = {other: known for other, known in by_name.items() if known is not task}
        return any(_gives(other, name, left) for other in others.values() if other is not task)
    taxonomy = task.get("taxonomy")
    if not isinstance(taxonomy, Mapping):
        return taxonomy == name
    if name == "perspective":
        return any(isinstance(value, str) and ATTRIBUTE.fullmatch(value) for value in taxonomy.values())
    return not set(names(name)).isdisjoint(value for value in taxonomy.values() if isinstance(value, str))


def _members(task: Task) -> list[str]:
    """Return the members of an ensemble; none if ``task`` is no ensemble."""
    return [name for name in as_list(as_table(task.get("ensemble")).get("of")) if isinstance(name, str)]


def _detects(task: Task) -> bool:
    return task.get("task") == "language" and task.get("shadow") is None


def _name(shape: object) -> str | None:
    """Return the name of a shape as it is written, as a name or as a mapping; None if it is neither."""
    names = [str(name) for name, options in shape.items() if options is not None] if isinstance(shape, Mapping) else []
    return shape if isinstance(shape, str) else names[0] if len(names) == 1 else None


def _options(shape: object) -> Mapping[str, Any]:
    return as_table(as_table(shape).get(_name(shape) or ""))
