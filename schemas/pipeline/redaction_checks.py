"""The rules of ``redact:`` that concern more than one field. Like ``checks.py``, they work on plain mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.annotations import ANNOTATIONS, Spans
from schemas.labels import ENTITIES, LOCALES, PATTERNED, PERSONAL, SURROGATES
from schemas.paths import parse_pattern
from schemas.pipeline.redaction import OPERATORS
from schemas.pipeline.unchecked import as_list, as_table
from schemas.pipeline.wording import did_you_mean

Path: TypeAlias = tuple[str | int, ...]
Mistakes: TypeAlias = Iterator[tuple[Path, str]]

PERSONAL_KINDS = ("pii", "ner")
"""The kinds of tasks whose spans are redacted unless ``redact.tasks`` names others."""
NEEDS = {"hash": "hash", "surrogate": "hash", "encrypt": "encrypt"}
"""Operator -> the field of ``redact.keys`` that it needs."""
_DISTINCT = ("hash", "encrypt", "remove")
"""The operators that the key of a record can have: with others, different records would have the same key."""


def problems(raw: Mapping[str, Any]) -> Mistakes:
    """Yield every violation of a rule about ``redact``; ``raw`` is the file as plain Python values."""
    redact, output = raw.get("redact"), as_table(raw.get("output"))
    encrypted = as_table(output.get("dead_letter")).get("text") == "encrypted"
    if encrypted and not as_table(as_table(redact).get("keys")).get("encrypt"):
        yield ("output", "dead_letter", "text"), _no_key("encrypt")
    yield from _views(redact, output)
    if not isinstance(redact, Mapping):
        return
    tasks = [task for task in as_list(raw.get("tasks")) if isinstance(task, Mapping)]
    for path, message in (
        *_tasks(redact, tasks, only_letters=encrypted and not _has_redacted(output)),
        *_labels(redact, tasks),
        *_keys(redact),
        *_options(redact),
        *_places(redact, as_table(raw.get("input"))),
    ):
        yield ("redact", *path), message


def doubts(raw: Mapping[str, Any]) -> Mistakes:
    """Yield what looks wrong in ``redact`` but need not be, such as labels that are almost common ones.

    ``raw`` is a pipeline without mistakes, as plain Python values.
    """
    redact, output = as_table(raw.get("redact")), as_table(raw.get("output"))
    tasks = as_list(raw.get("tasks"))
    if _has_redacted(output):
        yield from _not_always(redact, tasks)
        yield from _nested(as_table(redact.get("fields")))
    elif redact.get("labels") or redact.get("fields"):
        yield ("redact",), "no output has text: redacted, so no text and no event is redacted"
    if possible_labels(redact, tasks) is None:
        common = {*PATTERNED, *ENTITIES.values(), *PERSONAL.values(), *SURROGATES}
        for label in as_table(redact.get("labels")):
            if label not in common and (hint := did_you_mean(label, common)):
                yield ("redact", "labels", label), f"is not a common label{hint} If no task finds it, it does nothing"
    used = {NEEDS.get(name) for _, name, _ in _operators(redact)}
    if as_table(output.get("dead_letter")).get("text") == "encrypted":
        used.add("encrypt")
    for name, key in as_table(redact.get("keys")).items():
        if key is not None and name not in used:
            yield ("redact", "keys", name), "is used by no operator" + (" and no dead letter" * (name == "encrypt"))


def _not_always(redact: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> Mistakes:
    """Yield the redacted tasks that do not run for every event."""
    conditional: set[str] = set()
    left = {task["name"]: task for task in tasks}
    while dependent := [
        name
        for name, task in left.items()
        if task.get("when") is not None or not conditional.isdisjoint(as_list(task.get("spans")))
    ]:
        conditional.update(dependent)
        for name in dependent:
            del left[name]
    for task in _chosen(redact, tasks):
        if task["name"] in conditional:
            yield (
                ("tasks", tasks.index(task), "when" if task.get("when") is not None else "spans"),
                "events for which the task does not run are published without redacting what only it finds",
            )


def _nested(fields: Mapping[str, Any]) -> Mistakes:
    """Yield the fields that are part of another one, whose operator decides."""
    patterns = {path: parse_pattern(path) for path in fields}
    for path, steps in patterns.items():
        for outer, first in patterns.items():
            if len(first) < len(steps) and all(a in {None, b} for a, b in zip(first, steps, strict=False)):
                yield ("redact", "fields", path), f"has no effect: it is part of {outer}, which is redacted as a whole"
                break


def _views(redact: object, output: Mapping[str, Any]) -> Mistakes:
    """Yield what is wrong between ``redact`` and the texts that ``output`` and its routes ask for."""
    routes = [as_table(route) for route in as_list(output.get("routes"))]
    places: list[tuple[Path, Mapping[str, Any]]] = [(("output",), output)]
    places += [(("output", "routes", index), route) for index, route in enumerate(routes)]
    texts = {str(place.get("text")) for _, place in places}
    if redact is None:
        for path, place in places:
            if place.get("text") == "redacted":
                yield (*path, "text"), "needs a section redact, which may be empty: redact: {}"
    elif isinstance(redact, Mapping) and set(redact) != {"keys"} and texts <= {"None", "original"}:
        yield ("redact",), "changes nothing: set output.text, or that of a route, to redacted"
    if output.get("original_offsets") is True and "redacted" not in texts:
        yield ("output", "original_offsets"), "needs text: redacted"


def possible_labels(redact: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> frozenset[str] | None:
    """Return all labels that the spans of the redacted tasks can have; None if only their models know."""
    labels: set[str] = set()
    for task in _chosen(redact, tasks):
        alone = all(task.get(name) is None for name in ("model", "spans", "recognizers"))
        if task.get("task") != "pii" or not alone:
            return None
        labels.update(name for name in as_list(task.get("entities")) or PATTERNED if isinstance(name, str))
    return frozenset(labels)


def _chosen(redact: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    named = redact.get("tasks")
    if named is None:
        return [task for task in tasks if task.get("task") in PERSONAL_KINDS and task.get("shadow") is None]
    return [task for task in tasks if task.get("name") in as_list(named)]


def _has_redacted(output: Mapping[str, Any]) -> bool:
    """Whether any output is redacted; otherwise the section can be there for the keys of dead letters alone."""
    return any(each.get("text") == "redacted" for each in (output, *map(as_table, as_list(output.get("routes")))))


def _tasks(redact: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], only_letters: bool) -> Mistakes:
    kinds = {str(task.get("name")): str(task.get("task")) for task in tasks}
    for index, name in enumerate(as_list(redact.get("tasks"))):
        if not isinstance(name, str):
            continue
        if name not in kinds:
            yield ("tasks", index), "there is no task with that name" + did_you_mean(name, kinds)
        elif kinds[name] in ANNOTATIONS and ANNOTATIONS[kinds[name]] is not Spans:
            yield ("tasks", index), f"names a task of kind {kinds[name]}, which finds no spans"
    whole = any(redact.get(name) for name in ("fields", "key", "headers"))
    if redact.get("tasks") is None and not (whole or only_letters or _chosen(redact, tasks)):
        yield (), f"finds nothing to redact: no task is of kind {' or '.join(PERSONAL_KINDS)}; add one, or set tasks"


def _labels(redact: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> Mistakes:
    possible = possible_labels(redact, tasks)
    if possible is None or not _chosen(redact, tasks):
        return
    for label in as_table(redact.get("labels")):
        if label not in possible:
            # Other labels than these are what common models and the other entities are called.
            elsewhere = {*PATTERNED, *ENTITIES.values(), *PERSONAL.values()} - possible
            hint = did_you_mean(label, possible) or f"; they find {', '.join(sorted(possible))}"
            if label in elsewhere:
                hint = "; it needs a model, or to be among the entities of a task"
            yield ("labels", label), f"is not a label that the redacted tasks find{hint}"


def _keys(redact: Mapping[str, Any]) -> Mistakes:
    keys = as_table(redact.get("keys"))
    for path, name, _ in _operators(redact):
        needed = NEEDS.get(name)
        if needed is not None and keys.get(needed) is None:
            yield path, _no_key(needed)


def _no_key(name: str) -> str:
    """Return the message that the field ``name`` of ``redact.keys`` is missing, which says how to make a key."""
    example = "{env: HASH_KEY}" if name == "hash" else "[{id: k1, env: KEY_1}]"
    return f'needs a key, redact.keys.{name}: write {name}: {example}, and set it with "openssl rand -hex 32"'


def _options(redact: Mapping[str, Any]) -> Mistakes:
    for path, name, options in _operators(redact):
        locale = options.get("locale")
        if name == "surrogate" and isinstance(locale, str) and locale not in LOCALES:
            hint = did_you_mean(locale, LOCALES) or ", for example en_US"
            yield (*path, name, "locale"), f"is not a locale that surrogates can be of{hint}"
        if name == "surrogate" and path[0] == "labels" and path[1] not in SURROGATES:
            yield path, f"surrogate invents only {', '.join(SURROGATES)}"
        if name == "surrogate" and path[0] in {"fields", "headers"}:
            yield path, "surrogate cannot be used here, because the kind of the value is not known"
        if path == ("key",) and name in OPERATORS and (name not in _DISTINCT or options.get("mode") == "gcm"):
            choices = ", ".join(_DISTINCT)
            yield path, f"must be one of {choices}, which keep different keys different and equal keys equal"


def _places(redact: Mapping[str, Any], source: Mapping[str, Any]) -> Mistakes:
    if source.get("format") == "text":
        for path in as_table(redact.get("fields")):
            yield ("fields", path), "cannot be used with format: text, where events have no fields"


def _operators(redact: Mapping[str, Any]) -> Iterator[tuple[Path, str, Mapping[str, Any]]]:
    """Yield (path, name, options) of every operator that is written in the file."""
    places: list[tuple[Path, Any]] = [((name,), redact.get(name)) for name in ("default", "key")]
    for section in ("labels", "fields", "headers"):
        places += [((section, name), written) for name, written in as_table(redact.get(section)).items()]
    for path, written in places:
        if isinstance(written, str):
            yield path, written, {}
        elif isinstance(written, Mapping) and len(written) == 1:
            ((name, options),) = written.items()
            yield path, str(name), as_table(options)
