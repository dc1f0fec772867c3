"""The Avro schema of the events of one pipeline: each task's annotation is a field of its own type."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.annotations import ANNOTATIONS, Classification, Hypotheses, NearDuplicate, Similarity
from schemas.event import EnrichedEvent
from schemas.pipeline.config import Pipeline
from schemas.pipeline.tasks import AnyTask, NliTask, SimilarityTask

JSON_TEXT = {"type": "string", "logicalType": "json"}
"""A string that holds JSON: what has no fixed type, such as the input. Readers that do not know it see the text."""

_SIMPLE: dict[Any, str] = {str: "string", int: "long", float: "double", bool: "boolean"}


def avro_schema(pipeline: Pipeline, name: str) -> dict[str, Any]:
    """Return the Avro schema of the enriched events of ``pipeline``; ``name`` is its full name.

    Whatever may be absent is a union with null, whose default is null. So a pipeline with another task, or a later
    version of glossator with another field, has a schema that reads events of the earlier one, and is read by it.
    """
    space, _, short = name.rpartition(".")
    schema = _Types().record(EnrichedEvent, short, {"annotations": annotations_of(pipeline)})
    return {
        **schema,
        **({"namespace": space} if space else {}),
        "doc": f"An event of the pipeline {pipeline.pipeline}.",
    }


def annotations_of(pipeline: Pipeline) -> dict[str, Any]:
    """Return task name -> the model of its annotation; None for one whose shape is not known."""
    return {task.name: annotation_of(task) for task in pipeline.tasks if getattr(task, "shadow", None) is None}


def annotation_of(task: AnyTask) -> type[BaseModel] | None:
    """Return the model of a task's annotation; None if its shape is not known, as that of a custom task."""
    if isinstance(task, NliTask):
        return Classification if task.hypotheses is None else Hypotheses
    if isinstance(task, SimilarityTask):
        if task.window is not None:
            return NearDuplicate
        return Similarity if task.references is None else Classification
    return ANNOTATIONS.get(task.task)


class _Types:
    """Turns types of Python into those of Avro. A record is written out once, and then named."""

    def __init__(self) -> None:
        self._written: set[str] = set()

    def record(self, model: type[BaseModel], name: str, replaced: dict[str, Any]) -> dict[str, Any]:
        """Return the type of ``model``, a record called ``name``; ``replaced``: fields that are records of others."""
        self._written.add(name)
        fields = []
        for field, info in model.model_fields.items():
            of = self._parts(replaced[field]) if field in replaced else self._of_field(info)
            fields.append(
                {"name": info.alias or field, **of, **({"doc": info.description} if info.description else {})}
            )
        return {"type": "record", "name": name, "fields": fields}

    def _parts(self, models: dict[str, type[BaseModel] | None]) -> dict[str, Any]:
        fields = [
            {"name": name, "type": ["null", JSON_TEXT if model is None else self._of(model)], "default": None}
            for name, model in models.items()
        ]
        return {"type": {"type": "record", "name": "Annotations", "fields": fields}}

    def _of_field(self, info: FieldInfo) -> dict[str, Any]:
        kind = self._of(info.annotation)
        if info.is_required() and not (isinstance(kind, list) and "null" in kind):
            return {"type": kind}
        kinds = [each for each in (kind if isinstance(kind, list) else [kind]) if each != "null"]
        return {"type": ["null", *kinds], "default": None}

    def _of(self, kind: Any) -> Any:
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        if kind is type(None):
            return "null"
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            name = kind.__name__
            return name if name in self._written else self.record(kind, name, {})
        origin, parts = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._of(parts[0])
        if origin is Literal:
            return "string"
        if origin is list:
            # A vector is of floats that had four bytes before they became JSON.
            return {"type": "array", "items": "float" if parts[0] is float else self._of(parts[0])}
        if origin is dict:
            return {"type": "map", "values": self._of(parts[1])}
        if origin in (Union, types.UnionType):
            if {list[float], list[int]} <= set(parts):
                return self._of(list[float])
            return [self._of(part) for part in parts]
        return dict(JSON_TEXT)
