"""What tasks need of one another and of the event; read from plain mappings, so that a file with mistakes
elsewhere can be checked too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from schemas.conditions import RESERVED, VARIABLES, Condition
from schemas.event import ANNOTATIONS, Spans

if TYPE_CHECKING:
    from schemas.pipeline.config import Pipeline

Task: TypeAlias = Mapping[str, Any]
Path: TypeAlias = tuple[str | int, ...]

# Which fields of a task are paths in the event.
_PATHS = ("premise", "hypothesis", "against", "question", "aspects")


def spans_needed(task: Task) -> list[tuple[Path, str]]:
    """(field, task) for every other task whose spans ``task`` reads."""
    aspects, spans = task.get("aspects"), task.get("spans")
    needed: list[tuple[Path, str]] = []
    if isinstance(aspects, Mapping) and isinstance(aspects.get("spans"), str):
        needed.append((("aspects", "spans"), aspects["spans"]))
    if isinstance(spans, Sequence) and not isinstance(spans, str):
        needed += [(("spans", index), name) for index, name in enumerate(spans) if isinstance(name, str)]
    return needed


def condition(task: Task) -> Condition | None:
    """Raises ValueError for one that cannot be read."""
    when = task.get("when")
    return Condition(when) if isinstance(when, str) and when else None


def requires(task: Task) -> list[str]:
    """The tasks that must have run before ``task``, each once. Raises ValueError as ``condition`` does."""
    spoken_of = condition(task)
    names = [name for _, name in spans_needed(task)]
    return list(dict.fromkeys(names + sorted(spoken_of.tasks if spoken_of else ())))


def reads_fields(task: Task) -> bool:
    """Whether ``task`` or its condition reads the event beside its text."""
    if any(isinstance(task.get(field), str) for field in _PATHS):
        return True
    try:
        spoken_of = condition(task)
    except ValueError:
        return False
    return spoken_of is not None and "event" in spoken_of.names


def any_reads_fields(pipeline: Pipeline) -> bool:
    """Whether anything in ``pipeline`` reads the event beside its text."""
    return any(reads_fields(task.model_dump()) for task in pipeline.tasks)


def problems(tasks: Sequence[Task], is_json: bool) -> Iterator[tuple[Path, str]]:
    """Every mistake in what tasks need: (path from the task list on, what is wrong)."""
    kinds = {str(task.get("name")): str(task.get("task")) for task in tasks}
    graph: dict[str, list[str]] = {}
    for index, task in enumerate(tasks):
        name = str(task.get("name"))
        if name in VARIABLES:
            yield (index, "name"), f"is what conditions call the event's own {name}; choose another"
        if name in RESERVED:
            yield (index, "name"), "is a word of CEL, so that no condition could speak of the task; choose another"
        for field, other in spans_needed(task):
            yield from _spans((index, *field), name, other, kinds)
        try:
            spoken_of = condition(task)
        except ValueError as error:
            yield (index, "when"), str(error)
            continue
        graph[name] = [other for other in requires(task) if other in kinds]
        if spoken_of is not None:
            yield from (((index, "when"), message) for message in _condition(spoken_of, name, kinds, is_json))
        if not is_json:
            for path in _PATHS:
                if isinstance(task.get(path), str):
                    yield (index, path), "has no meaning with format: text, where an event has no fields"
    if cycle := _cycle(graph):
        index = next(n for n, task in enumerate(tasks) if task.get("name") == cycle[0])
        yield (index, "name"), f"waits for itself: {' -> '.join([*cycle, cycle[0]])}"


def in_order(tasks: Sequence[Task]) -> list[int]:
    """The tasks' places, each after those it requires, else in the order of the file. There is no cycle."""
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


def _spans(path: Path, name: str, other: str, kinds: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    # Imported late: wording imports the models, which know nothing of it.
    from schemas.pipeline.wording import did_you_mean

    if other == name:
        yield path, "is the task itself"
    elif other not in kinds:
        yield path, "there is no task of that name" + did_you_mean(other, kinds)
    elif kinds[other] in ANNOTATIONS and ANNOTATIONS[kinds[other]] is not Spans:
        yield path, f"is a task {kinds[other]}, which finds no spans"


def _condition(spoken_of: Condition, name: str, kinds: Mapping[str, str], is_json: bool) -> Iterator[str]:
    from schemas.pipeline.wording import did_you_mean

    for used in sorted(spoken_of.names):
        if used == name:
            yield "speaks of the task itself, which has not run by then"
        elif used == "event" and not is_json:
            yield "speaks of event, which with format: text has no fields"
        elif used not in VARIABLES and used not in kinds:
            known = [*sorted(VARIABLES), *kinds]
            yield f'speaks of "{used}", which is no task' + (
                did_you_mean(used, known) or f" and none of {', '.join(sorted(VARIABLES))}"
            )
    for used, field in spoken_of.fields():
        shape = ANNOTATIONS.get(kinds.get(used, ""))
        if shape is not None and field not in shape.model_fields:
            known = list(shape.model_fields)
            yield f'"{used}" has no field "{field}"' + (did_you_mean(field, known) or f", only {', '.join(known)}")


def _cycle(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of one cycle of two or more, or none."""
    done: set[str] = set()

    def search(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name in done:
            return []
        for other in graph.get(name, ()):
            if other != name and (found := search(other, [*way, name])):
                return found
        done.add(name)
        return []

    for name in graph:
        if found := search(name, []):
            return found
    return []
