"""Tries each condition on sample values, to find those that would fail every event.

A condition is split at ``&&``, ``||``, ``!`` and ``? :`` into parts, each of which must be true or false. A part is
wrong if it fails, or returns something else, for annotations of the right shape. Fields of the event may have any type,
so there a part is only wrong if it fails with every type.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from schemas.annotations import ANNOTATIONS, Classification, Hypotheses, NearDuplicate, Similarity
from schemas.condition_work import MACRO
from schemas.conditions import VARIABLES, Condition
from schemas.labels import LANGUAGES
from schemas.pipeline.wording import did_you_mean

Labels = Mapping[str, Collection[str]]
"""Task name -> all labels that its annotations can have, for the tasks where they are known."""

# A part with one of these may fail for a sample although it is right for the values that will come.
_CONVERSION = re.compile(r"\b(?:int|uint|double|timestamp|duration|bytes|string|dyn|get[A-Z]\w*)\s*\(|[/%]")
_TYPES = ("sample", 1, 1.5, True, ["sample"], [1], {"sample": 1}, None)
_TYPE_NAMES = {str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping", type(None): "null"}
_MOST_LITERALS = 6
_MOST_INDEX = 50


@dataclass(frozen=True, slots=True)
class _World:
    """How a sample is filled: the literals that texts are, truth, numbers, and whether optional values are there."""

    text: str
    truth: bool
    number: float
    full: bool
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    length: int


def trial_problems(
    tasks: Sequence[Mapping[str, Any]], labels: Labels, routes: Sequence[Mapping[str, Any]] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every mistake in the conditions of ``tasks`` and ``routes`` as (path, message).

    Both are valid, as plain mappings.
    """
    shapes = {str(task["name"]): shape(task) for task in tasks}
    places: tuple[tuple[tuple[str, ...], Sequence[Mapping[str, Any]]], ...] = (
        (("tasks",), tasks),
        (("output", "routes"), routes),
    )
    for path, owners in places:
        for index, owner in enumerate(owners):
            if owner.get("when"):
                for message in dict.fromkeys(_problems(Condition(owner["when"]), shapes, labels)):
                    yield (*path, index, "when"), message


def configured_labels(tasks: Sequence[Mapping[str, Any]]) -> dict[str, Collection[str]]:
    """Return the labels of the tasks that have them from the pipeline file, or from a library, and not from a model."""
    labels: dict[str, Collection[str]] = {}
    for task in tasks:
        if task["task"] == "zero-shot":
            labels[task["name"]] = task["labels"]
        elif task["task"] == "similarity" and task.get("references"):
            labels[task["name"]] = list(task["references"])
        elif task["task"] == "language" and not task.get("model"):
            labels[task["name"]] = [*(task.get("languages") or LANGUAGES), "und"]
    return labels


def shape(task: Mapping[str, Any]) -> type[BaseModel] | None:
    """Return the model of the task's annotation; None for a custom task."""
    kind = task["task"]
    if kind == "nli":
        return Hypotheses if task.get("hypotheses") else Classification
    if kind == "similarity":
        return Similarity if task.get("against") else NearDuplicate if task.get("window") else Classification
    return ANNOTATIONS.get(kind)


def _problems(condition: Condition, shapes: Mapping[str, type[BaseModel] | None], labels: Labels) -> Iterator[str]:
    for pattern in re.findall(r'\.matches\s*\(\s*"(\d+)"', condition.bare):
        try:
            Condition(f'"".matches({condition.literals[int(pattern)]})').value({})
        except Exception:
            yield "matches() has a pattern that is not a valid regular expression (RE2 syntax)"
            return
    unknown = list(_unknown_labels(condition, labels))
    yield from unknown
    parts = list(_parts(condition.bare))
    for part in parts:
        source = re.sub(r'"(\d+)"', lambda match: condition.literals[int(match[1])], part)
        problem = _trial(Condition(source), shapes, labels if not unknown else {})
        if problem:
            yield problem if len(parts) == 1 else f"a part of it {problem}"


def _unknown_labels(condition: Condition, labels: Labels) -> Iterator[str]:
    """Yield a mistake for each comparison with, or score of, a label that the task does not have."""
    bound = re.findall(rf"(?<![\w.])(\w+)(?:\.\w+)*{MACRO}\s*(\w+)\s*,", condition.bare)
    owners = {name: name for name in labels} | {variable: task for task, variable in bound}
    compared = r'(?<![\w.])(\w+)\.label\s*(?:[=!]=\s*"(\d+)"|in\s*\[([^\]]*)\])'
    scored = r'(?<![\w.])(\w+)\.scores(?:\s*\[\s*"(\d+)"\s*\]|\.(\w+)(?!\w|\s*\())'
    for pattern in (compared, scored):
        for variable, literal, rest in re.findall(pattern, condition.bare):
            known = labels.get(owners.get(variable, ""), ())
            indices = [literal] if literal else re.findall(r'"(\d+)"', rest)
            words = [condition.literals[int(index)].strip("rR\"'") for index in indices]
            if pattern is scored and not literal:
                words = [rest]
            for word in words:
                if known and word not in known:
                    hint = did_you_mean(word, known) or f", only {', '.join(sorted(known)[:20])}"
                    yield f'uses a label that task "{owners[variable]}" does not have{hint}'


def _parts(bare: str) -> Iterator[str]:
    """Yield the parts of ``bare`` that must be true or false."""
    bare = bare.strip()
    for operators in (("?", ":"), ("||",), ("&&",)):
        pieces = _split(bare, operators)
        if len(pieces) > 1:
            for piece in pieces:
                yield from _parts(piece)
            return
    if bare.startswith("!"):
        yield from _parts(bare[1:])
    elif bare.startswith("(") and _closed_by_last(bare):
        yield from _parts(bare[1:-1])
    else:
        yield bare


def _split(bare: str, operators: Sequence[str]) -> list[str]:
    """Split ``bare`` at ``operators`` outside of all brackets."""
    pieces, depth, start, at = [], 0, 0, 0
    while at < len(bare):
        operator = next((word for word in operators if bare.startswith(word, at)), None)
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(bare[at], 0)
        if depth == 0 and operator:
            pieces.append(bare[start:at])
            at = start = at + len(operator)
        else:
            at += 1
    return [*pieces, bare[start:]]


def _closed_by_last(bare: str) -> bool:
    depth = 0
    for at, character in enumerate(bare):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return at == len(bare) - 1
    return False


def _trial(part: Condition, shapes: Mapping[str, type[BaseModel] | None], labels: Labels) -> str | None:
    """Return what is wrong with ``part``, or None."""
    free = [name for name in part.names if name == "event" or (name not in VARIABLES and shapes.get(name) is None)]
    if free and re.search(MACRO, part.bare):
        return None
    events = list(_free_values(part, free))
    problem = None
    for full, values in itertools.product((True, False), events):
        problem = _failure(part, shapes, labels, full, values)
        if problem is None:
            return None
    return problem


def _failure(
    part: Condition, shapes: Mapping[str, type[BaseModel] | None], labels: Labels, full: bool, values: dict[str, Any]
) -> str | None:
    """Return how ``part`` fails for some sample, or None."""
    words = [literal.strip("rRbB\"'") for literal in part.literals]
    steps = [str(step) for name in part.names for place in part.places(name) for step in place]
    keys = tuple(dict.fromkeys([*words, *steps]))
    indices = [int(index) for index in re.findall(r"\[\s*(\d{1,4})\s*\]", part.bare)]
    length = min(_MOST_INDEX, max(indices, default=0)) + 1
    for text, truth, number in itertools.product(["sample", *words[:_MOST_LITERALS]], (True, False), (0.0, 0.5, 1.0)):
        variables: dict[str, Any] = {"text": text, "topic": text, "key": text if full else None}
        variables["headers"] = dict.fromkeys(keys, text)
        variables["fields"] = [{"path": text, "start": 0, "end": len(text)}] * length
        for name, shape in shapes.items():
            if shape is not None:
                world = _World(text, truth, number, full, keys, tuple(labels.get(name, ())), length)
                variables[name] = _sample(shape, world)
        variables |= values
        try:
            result = part.value({name: variables[name] for name in part.names})
        except KeyError as error:
            return _missing(part, str(error.args[0]) if error.args else "", shapes)
        except Exception as error:
            return None if _CONVERSION.search(part.bare) else _worded(error)
        if not isinstance(result, bool):
            hint = "; compare it with a value" if isinstance(result, str | int | float) else ""
            return f"is {_TYPE_NAMES.get(type(result), 'a value')}, not true or false{hint}"
    return None


def _missing(part: Condition, message: str, shapes: Mapping[str, type[BaseModel] | None]) -> str | None:
    """Return the message for a field that is not there; of its name only what is no literal is shown."""
    fields = {field for name in part.names for field in _fields(shapes.get(name))}
    for name in re.findall(r"\.(\w+)(?!\w|\s*\()", part.bare):
        if name in message and name not in fields and fields:
            return f'uses the field "{name}", which does not exist' + did_you_mean(name, fields)
    return None if _CONVERSION.search(part.bare) else "uses a field that does not exist"


def _worded(error: Exception) -> str:
    if isinstance(error, TypeError):
        return "cannot be evaluated: it compares or combines values of different types, such as text and numbers"
    return "cannot be evaluated for any event"


def _free_values(part: Condition, free: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield values for variables without a known shape, so that each place that is used has each type once."""
    places = sorted({(name, steps) for name in free for steps in part.places(name)}, key=str)
    places = [place for place in places if not any(_is_within(other, place) for other in places)]
    if len(places) > 2 or any(isinstance(step, int) and step > _MOST_INDEX for _, steps in places for step in steps):
        # Too many combinations; a value that nothing can be done with would be a false alarm.
        return
    for types in itertools.product(_TYPES, repeat=len(places)):
        values: dict[str, Any] = {}
        for (name, steps), value in zip(places, types, strict=True):
            values[name] = put(values.get(name), steps, value)
        yield values


def _is_within(place: tuple[str, tuple[str | int, ...]], outer: tuple[str, tuple[str | int, ...]]) -> bool:
    return place != outer and place[0] == outer[0] and place[1][: len(outer[1])] == outer[1]


def put(container: Any, steps: Sequence[str | int], value: Any) -> Any:
    """Return ``container`` with ``value`` at ``steps``, with everything in between."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        entries = container if isinstance(container, list) else []
        entries += [put(None, rest, value)] * (step + 1 - len(entries))
        entries[step] = put(entries[step], rest, value)
        return entries
    members = container if isinstance(container, dict) else {}
    return {**members, step: put(members.get(step), rest, value)}


def _sample(kind: Any, world: _World) -> Any:
    """Return a value of the type ``kind``, an annotation's model or the type of one of its fields."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = kind.model_fields.items()
        return {
            name: world.labels[0] if name == "label" and world.labels and world.text not in world.labels
            else _sample(field.annotation, world)
            for name, field in fields if world.full or field.is_required()
        }  # fmt: skip
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return None if type(None) in arguments and not world.full else _sample(arguments[0], world)
    if origin is list:
        return [_sample(arguments[0], world)] * world.length
    if origin is dict:
        return dict.fromkeys(world.labels or world.keys or ("sample",), world.number)
    if origin is not None and arguments:
        return _sample(arguments[0], world)
    return {str: world.text, bool: world.truth, int: int(world.number), float: world.number}.get(kind, world.text)


def _fields(kind: Any) -> Iterator[str]:
    """Yield the names of all fields in the type ``kind``, at any depth."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield name
            yield from _fields(field.annotation)
    for argument in get_args(kind):
        yield from _fields(argument)
