"""What tasks need from one another and from the event, and the order that follows.

All functions take tasks as plain mappings, so that they also work on a file with mistakes elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.annotations import ANNOTATIONS, Spans
from schemas.conditions import RESERVED, VARIABLES, Condition
from schemas.pipeline.config import Pipeline
from schemas.pipeline.ensembles import members
from schemas.pipeline.wording import did_you_mean

Task: TypeAlias = Mapping[str, Any]
Path: TypeAlias = tuple[str | int, ...]

# Constants of other languages -> those of CEL.
_CONSTANTS = {"True": "true", "False": "false", "TRUE": "true", "FALSE": "false"}
_CONSTANTS |= dict.fromkeys(("None", "nil", "NULL", "Null", "undefined"), "null")
# The fields of tasks that can be a path in the event.
_PATHS = ("premise", "hypothesis", "against", "question", "aspects")


def spans_needed(task: Task) -> list[tuple[Path, str]]:
    """Return (path of the field, name of the task) for every task whose spans ``task`` uses as its input."""
    aspects, spans = task.get("aspects"), task.get("spans")
    needed: list[tuple[Path, str]] = []
    if isinstance(aspects, Mapping) and isinstance(aspects.get("spans"), str):
        needed.append((("aspects", "spans"), aspects["spans"]))
    if isinstance(spans, Sequence) and not isinstance(spans, str):
        needed += [(("spans", index), name) for index, name in enumerate(spans) if isinstance(name, str)]
    return needed


def condition(task: Task) -> Condition | None:
    """Compile the condition of ``task``, None if it has none. Raises ValueError if it is not valid CEL."""
    when = task.get("when")
    return Condition(when) if isinstance(when, str) and when else None


def requires(task: Task) -> list[str]:
    """Return the names of the tasks that must run before ``task``, without duplicates. Raises like ``condition``."""
    compiled = condition(task)
    names = [name for _, name in (*spans_needed(task), *members(task))]
    return list(dict.fromkeys(names + sorted(compiled.tasks if compiled else ())))


def reads_fields(task: Task) -> bool:
    """Return whether ``task`` or its condition uses fields of the event other than the text."""
    if any(isinstance(task.get(field), str) for field in _PATHS):
        return True
    try:
        compiled = condition(task)
    except ValueError:
        return False
    return compiled is not None and "event" in compiled.names


def any_reads_fields(pipeline: Pipeline) -> bool:
    """Return whether any task or condition of ``pipeline`` uses fields of the event other than the text."""
    return any(reads_fields(task.model_dump()) for task in pipeline.tasks)


def problems(tasks: Sequence[Task], is_json: bool) -> Iterator[tuple[Path, str]]:
    """Yield every mistake in what tasks need, as (path below ``tasks``, message); ``is_json``: events have fields."""
    kinds = {str(task.get("name")): str(task.get("task")) for task in tasks}
    graph: dict[str, list[str]] = {}
    for index, task in enumerate(tasks):
        name = str(task.get("name"))
        if name in VARIABLES:
            yield (index, "name"), "is reserved: conditions use this name for a part of the event; choose another name"
        if name in RESERVED:
            yield (index, "name"), "is a reserved word of CEL, so no condition could use the task; choose another name"
        for field, other in spans_needed(task):
            yield from _spans((index, *field), name, other, kinds)
        try:
            compiled = condition(task)
        except ValueError as error:
            yield (index, "when"), str(error)
            continue
        graph[name] = [other for other in requires(task) if other in kinds]
        if compiled is not None:
            yield from (((index, "when"), message) for message in misuses(compiled, kinds, is_json, name))
        if not is_json:
            for path in _PATHS:
                if isinstance(task.get(path), str):
                    yield (index, path), "cannot be used with format: text, where events have no fields"
    if cycle := _cycle(graph):
        index = next(n for n, task in enumerate(tasks) if task.get("name") == cycle[0])
        yield (index, "name"), f"depends on itself: {' -> '.join([*cycle, cycle[0]])}"


def in_order(tasks: Sequence[Task]) -> list[int]:
    """Return the indices of ``tasks`` so that each task follows those it requires, otherwise in the order of the file.

    ``tasks`` must be free of cycles.
    """
    needs = {str(task["name"]): requires(task) for task in tasks}
    places = {str(task["name"]): index for index, task in enumerate(tasks)}
    order: dict[int, None] = {}

    def visit(name: str) -> None:
        if places[name] not in order:
            for other in needs[name]:
                visit(other)
            order[places[name]] = None

    for name in places:
        visit(name)
    return list(order)


def conditional(tasks: Sequence[Task]) -> set[str]:
    """Return the names of the tasks that need not run for every event.

    They have a condition, use the spans of such a task, or combine such tasks only. ``tasks`` must be free of cycles.
    """
    names: set[str] = set()
    for index in in_order(tasks):
        task = tasks[index]
        spans = {name for _, name in spans_needed(task)}
        combined = {name for _, name in members(task)}
        if task.get("when") or spans & names or (combined and combined <= names):
            names.add(str(task["name"]))
    return names


def _spans(path: Path, name: str, other: str, kinds: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if other == name:
        yield path, "must name another task, not the task itself"
    elif other not in kinds:
        yield path, "there is no task with that name" + did_you_mean(other, kinds)
    elif kinds[other] in ANNOTATIONS and ANNOTATIONS[kinds[other]] is not Spans:
        yield path, f"names a task of kind {kinds[other]}, which finds no spans"


def misuses(compiled: Condition, kinds: Mapping[str, str], is_json: bool, owner: str | None = None) -> Iterator[str]:
    """Yield every mistake in the names that a condition uses.

    Args:
        compiled: the condition.
        kinds: task name -> the value of ``task``.
        is_json: whether events have fields.
        owner: the task that has the condition; None if no task has it.
    """
    for used in sorted(compiled.names):
        if used == owner:
            yield "uses the task itself, which has not run at that point"
        elif used == "event" and not is_json:
            yield "uses event, which has no fields with format: text"
        elif used not in VARIABLES and used not in kinds:
            if used in _CONSTANTS:
                yield f'uses "{used}", which is not a task; write {_CONSTANTS[used]}'
                continue
            known = [*sorted(VARIABLES), *kinds]
            hint = did_you_mean(used, known) or f", nor is it one of {', '.join(sorted(VARIABLES))}"
            yield f'uses "{used}", which is not a task{hint}'
    for used, field in compiled.fields():
        shape = ANNOTATIONS.get(kinds.get(used, ""))
        if shape is not None and field not in shape.model_fields:
            known = list(shape.model_fields)
            yield f'"{used}" has no field "{field}"' + (did_you_mean(field, known) or f", only {', '.join(known)}")


def _cycle(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names along one cycle of two or more tasks, or an empty list."""
    done: set[str] = set()

    def search(name: str, path: list[str]) -> list[str]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        for other in graph.get(name, ()):
            if other != name and (cycle := search(other, [*path, name])):
                return cycle
        done.add(name)
        return []

    for name in graph:
        if cycle := search(name, []):
            return cycle
    return []
