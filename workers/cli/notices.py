"""Notices of ``glossator lint`` about topics: what is published in them, and what is read from them."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.errors import Problem
from schemas.pipeline.loader import PipelineFile
from schemas.pipeline.shape_checks import serving
from schemas.pipeline.topics import InputTopics


def unjudged(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each shape of which some events may have no scores, because no task runs for them."""
    output = file.pipeline.output
    tasks = [task.model_dump() for task in file.pipeline.tasks]
    always = {str(task["name"]) for task in tasks if task["when"] is None and task["unknown_text"] != "leave_out"}
    for path, route in (
        (("output", "shape"), None),
        *((("output", "routes", index, "shape"), route) for index, route in enumerate(output.routes or ())),
    ):
        shape = output.shape if route is None else route.shape
        if shape is None or shape == "event":
            continue
        names = serving(shape.model_dump(), tasks)
        if names and always.isdisjoint(names):
            yield file.problem(
                path, f"events for which {' and '.join(names)} does not run get an answer without scores"
            )


def kept_out(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each pattern of topics that would match what the pipeline writes."""
    for index, pattern in enumerate(file.pipeline.input.topics):
        if written := InputTopics([pattern], file.pipeline.output.written).excluded():
            yield file.problem(
                ("input", "topics", index),
                f"matches {', '.join(written)}, which the pipeline writes and so does not read; other names are safer, "
                "because with another output the pipeline would read what it has written before",
            )
