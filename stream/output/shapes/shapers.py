"""Makes the shapers of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.pipeline.config import Pipeline
from schemas.pipeline.shape_checks import detecting, serving
from schemas.pipeline.shapes import Shape
from stream.output.shapes.base import Shaper
from stream.output.shapes.openai import OpenAIShaper
from stream.output.shapes.osprey import OspreyShaper
from stream.output.shapes.perspective import PerspectiveShaper


def make_shapers(pipeline: Pipeline, models: Mapping[str, Mapping[str, str]]) -> dict[str, Shaper | OspreyShaper]:
    """Return what makes the values of each shape in ``pipeline``, by ``shape_key``.

    ``models``: the ``model`` and ``revision`` of each task.
    """
    output = pipeline.output
    shapes = [output.shape_of(None), *(output.shape_of(route) for route in output.routes or () if not route.drop)]
    return {shape_key(shape) or "": _make(shape, pipeline, models) for shape in shapes if shape is not None}


def shape_key(shape: Shape | None) -> str | None:
    """Return a text that is the same for equal shapes; None for the enriched event."""
    return None if shape is None else shape.model_dump_json(exclude_defaults=True)


def _make(shape: Shape, pipeline: Pipeline, models: Mapping[str, Mapping[str, str]]) -> Shaper | OspreyShaper:
    if shape.osprey is not None:
        return OspreyShaper(shape.osprey.action)
    written, tasks = shape.model_dump(), [task.model_dump() for task in pipeline.tasks]
    names = serving(written, tasks)
    if shape.openai is not None:
        return OpenAIShaper(names, models, shape.openai.complete)
    return PerspectiveShaper(names, detecting(written, tasks))
