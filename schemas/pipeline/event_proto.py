"""The Protobuf schema of the events of one pipeline: each task's annotation is a field of its own type.

Names and types are those of the event as JSON; only what may have several types is different. What has no fixed type,
such as the input, is a string that holds JSON, and the kinds of notices are one message with the fields of all.

Numbers are for ever. Those of the event's own fields are their order in ``schemas/event.py``, where fields are only
added at the end; a test pins them. That of a task is made from its name, so that it does not depend on other tasks.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zlib import crc32

from pydantic import BaseModel

from schemas.event import EnrichedEvent
from schemas.pipeline.config import Pipeline
from schemas.pipeline.event_schema import annotations_of

_SCALARS: dict[Any, str] = {str: "string", int: "int64", float: "double", bool: "bool"}
_FIRST, _LAST = 20_000, 2**29 - 1
"""The numbers of tasks: those above the ones that are reserved."""


def proto_schema(pipeline: Pipeline, name: str) -> str:
    """Return the .proto file of the enriched events of ``pipeline``; ``name`` is the full name of their message."""
    space, _, short = name.rpartition(".")
    messages = _Messages()
    body = messages.body(EnrichedEvent, {"annotations": "Annotations"})
    tasks = annotations_of(pipeline)
    annotations = []
    for task, number in _numbered(tasks):
        model = tasks[task]
        kind = "optional string" if model is None else messages.name_of(model)
        kind = f".{name}.{kind}" if kind in tasks else kind  # not the task of that name
        annotations.append(f"{kind} {task} = {number}{_json_name(task)};")
    blocks = [_block("Annotations", annotations), *messages.blocks]
    lines = [line for block in blocks for line in ("", *block)]
    return "\n".join(
        [
            'syntax = "proto3";',
            *(["", f"package {space};"] if space else []),
            "",
            f"// An event of the pipeline {pipeline.pipeline}.",
            *_block(short, [*body, *lines]),
            "",
        ]
    )


def _numbered(tasks: Iterable[str]) -> list[tuple[str, int]]:
    """Return each task and its number, which depends on others only in the one case of millions that two are equal."""
    numbered: dict[int, str] = {}
    for task in tasks:
        number = _FIRST + crc32(task.encode()) % (_LAST - _FIRST)
        while number in numbered:
            number += 1
        numbered[number] = task
    return [(task, number) for number, task in numbered.items()]


def _block(name: str, lines: list[str]) -> list[str]:
    return [f"message {name} {{", *(f"  {line}" if line else "" for line in lines), "}"]


def _json_name(name: str) -> str:
    """Return the option that keeps ``name`` as it is in the JSON of Protobuf, which has no underscores."""
    return f' [json_name = "{name}"]' if "_" in name else ""


class _Messages:
    """Turns models into messages; ``blocks``: their lines, of each once."""

    def __init__(self) -> None:
        self.blocks: list[list[str]] = []
        self._names: set[str] = set()

    def name_of(self, *models: type[BaseModel]) -> str:
        """Return the name of the message with the fields of all ``models``, which is that of the first."""
        name = models[0].__name__
        if name not in self._names:
            self._names.add(name)
            place = len(self.blocks)
            lines = self._merged(models) if len(models) > 1 else self.body(models[0], {})
            self.blocks.insert(place, _block(name, lines))
        return name

    def body(self, model: type[BaseModel], replaced: dict[str, str]) -> list[str]:
        """Return the lines of the fields of ``model``; ``replaced``: the types of some fields."""
        lines = []
        for number, (field, info) in enumerate(model.model_fields.items(), 1):
            name = info.alias or field
            kind = replaced.get(field) or self._of(info.annotation, required=info.is_required())
            lines += [f"// {info.description}"] if info.description else []
            lines.append(f"{kind} {name} = {number}{_json_name(name)};")
        return lines

    def _merged(self, models: tuple[type[BaseModel], ...]) -> list[str]:
        fields = {info.alias or name: info for model in models for name, info in model.model_fields.items()}
        return [
            f"{self._of(info.annotation, required=False)} {name} = {number}{_json_name(name)};"
            for number, (name, info) in enumerate(fields.items(), 1)
        ]

    def _of(self, kind: Any, required: bool) -> str:
        """Return the type of a field, with its label."""
        kinds = [part for part in _parts(kind) if part is not type(None)]
        absent = len(kinds) < len(_parts(kind)) or not required
        origin, inner = get_origin(kinds[0]), get_args(kinds[0])
        if origin is list:  # a vector is of floats that had four bytes before they became JSON
            return f"repeated {'float' if inner[0] is float else self._single(_parts(inner[0]))}"
        if origin is dict:
            return f"map<string, {self._single(_parts(inner[1]))}>"
        name = self._single(kinds)
        return f"optional {name}" if absent and name in {*_SCALARS.values()} else name

    def _single(self, kinds: list[Any]) -> str:
        if isinstance(kinds[0], type) and issubclass(kinds[0], BaseModel):
            return self.name_of(*kinds)
        return _SCALARS.get(kinds[0], "string")


def _parts(kind: Any) -> list[Any]:
    """Return the types of a union, without what only limits values; of another type, itself."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _parts(get_args(kind)[0])
    if origin is Literal:
        return [str]
    if origin in (Union, types.UnionType):
        return [part for each in get_args(kind) for part in _parts(each)]
    return [kind]
