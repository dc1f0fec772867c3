"""The rules for ensembles, tasks that combine the annotations of others. Like ``checks``, they work on mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.annotations import ANNOTATIONS
from schemas.pipeline.wording import TASKS, did_you_mean, suggest
from schemas.taxonomies import TAXONOMIES

Task: TypeAlias = Mapping[str, Any]
Path: TypeAlias = tuple[str | int, ...]

ENSEMBLES = ("sentiment", "text-classification", "moderation")
"""The tasks that can be an ensemble."""

# The fields of tasks that say how a model reads a text.
_READING = (
    "revision",
    "long_text",
    "max_length",
    "stride",
    "max_unknown",
    "unknown_text",
    "merge",
    "multi_label",
    "sentences",
    "disguises",
)


def members(task: Task) -> list[tuple[Path, str]]:
    """Return (path of the field, name) for each member of ``task``; none if it is no ensemble."""
    ensemble = task.get("ensemble")
    names = ensemble.get("of") if isinstance(ensemble, Mapping) else None
    entries = enumerate(names if isinstance(names, Sequence) and not isinstance(names, str) else ())
    return [(("ensemble", "of", index), name) for index, name in entries if isinstance(name, str)]


def custom(tasks: Sequence[Task]) -> set[str]:
    """Return the tasks whose labels are those of a custom task: such tasks, and ensembles with one among their members.

    ``tasks`` must be free of cycles.
    """
    by_name = {str(task["name"]): task for task in tasks}

    def is_custom(name: str) -> bool:
        task = by_name[name]
        return task["task"] == "custom" or any(is_custom(member) for _, member in members(task))

    return set(filter(is_custom, by_name))


def problems(tasks: Sequence[Task]) -> Iterator[tuple[Path, str]]:
    """Yield every mistake in the ensembles among ``tasks``, as (path below ``tasks``, message); cycles excepted."""
    by_name = {str(task.get("name")): task for task in tasks}
    for index, task in enumerate(tasks):
        if task.get("task") not in ENSEMBLES:
            continue
        mistakes = [*_source(task)]
        if isinstance(task.get("ensemble"), Mapping):
            mistakes += [*_fields(task), *_members(task, by_name), *_weights(task)]
        yield from (((index, *path), message) for path, message in mistakes)


def _source(task: Task) -> Iterator[tuple[Path, str]]:
    """Check that there is exactly one of ``model`` and ``ensemble``."""
    given = [field for field in ("model", "ensemble") if task.get(field) is not None]
    unknown = [field for field in task if field not in TASKS[str(task["task"])].model_fields]
    if len(given) == 2:
        yield ("ensemble",), "cannot be used with model: scores come from one or the other"
    elif not given and not any(suggest(field, ("model", "ensemble")) for field in unknown):
        yield ("model",), 'missing field; or "ensemble", to combine other tasks'


def _fields(task: Task) -> Iterator[tuple[Path, str]]:
    for field in _READING:
        if task.get(field) is not None:
            yield (field,), "cannot be used with ensemble, which reads no text: set it for the members"
    if task.get("taxonomy") is not None:
        yield ("taxonomy",), "cannot be used with ensemble, which has the names of its members: set it for them"


def _members(task: Task, by_name: Mapping[str, Task]) -> Iterator[tuple[Path, str]]:
    kind, names = str(task["task"]), [name for _, name in members(task)]
    for path, name in members(task):
        other = by_name.get(name, {})
        member = str(other.get("task"))
        if name == task.get("name"):
            yield path, "must name another task, not the task itself"
        elif name not in by_name:
            others = [other for other in by_name if other != task.get("name")]
            yield path, "there is no task with that name" + did_you_mean(name, others)
        elif not _fits(member, kind):
            yield path, f"names a task of kind {member}, whose annotations {kind} cannot combine"
    kinds = {str(by_name[name].get("task")) for name in names if name in by_name}
    if kinds == {"custom"}:
        yield ("ensemble", "of"), "needs at least one task that is not custom, so that its labels are known"
    taxonomies = _taxonomies(task, by_name)
    if kind == "moderation" and len(set(taxonomies.values())) > 1:
        listed = ", ".join(f"{name} has {taxonomy}" for name, taxonomy in taxonomies.items())
        yield ("ensemble", "of"), f"names tasks of different taxonomies, whose labels do not fit together: {listed}"


def _fits(member: str, kind: str) -> bool:
    """Whether the labels of a task of the kind ``member`` can be combined by an ensemble of the kind ``kind``."""
    # The scores of a language task are those of the best languages only.
    return member == "custom" or (
        member in ANNOTATIONS and ANNOTATIONS[member] is ANNOTATIONS[kind] and member != "language"
    )


def _taxonomies(task: Task, by_name: Mapping[str, Task]) -> dict[str, str]:
    """Return the moderations that ``task`` combines, ensembles within it resolved, with their taxonomies.

    Those that have the names of their model, or of the user, are left out.
    """
    taxonomies: dict[str, str] = {}
    waiting, seen = [name for _, name in members(task)], {str(task.get("name"))}
    while waiting:
        name = waiting.pop(0)
        other = by_name.get(name)
        if other is None or name in seen:
            continue
        seen.add(name)
        taxonomy = other.get("taxonomy", "standard")
        if isinstance(other.get("ensemble"), Mapping):
            waiting += [name for _, name in members(other)]
        elif other.get("task") == "moderation" and isinstance(taxonomy, str) and taxonomy in TAXONOMIES:
            taxonomies[name] = taxonomy
    return taxonomies


def _weights(task: Task) -> Iterator[tuple[Path, str]]:
    ensemble = task["ensemble"]
    weights, names = ensemble.get("weights"), [name for _, name in members(task)]
    if not isinstance(weights, Mapping):
        return
    if ensemble.get("rule") in ("max", "last"):
        yield ("ensemble", "weights"), f"cannot be used with rule: {ensemble['rule']}, only with rule: mean"
    for name in weights:
        if name not in names:
            yield (
                ("ensemble", "weights", name),
                "is not a member" + (did_you_mean(name, names) or f", only {', '.join(names)}"),
            )
