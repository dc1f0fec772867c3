"""Notices of ``glossator lint``: what a file that can be run does, or may do, although nobody expects it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.conditions import Condition
from schemas.errors import Problem
from schemas.paths import EVERYWHERE
from schemas.pipeline import format_checks
from schemas.pipeline.dependencies import conditional
from schemas.pipeline.loader import PipelineFile
from schemas.pipeline.redaction_checks import doubts
from schemas.pipeline.shape_checks import serving
from schemas.pipeline.topics import InputTopics
from stream.output.routes import Router
from workers.cli.missing import missing
from workers.cli.schema_files import doubtful_fields


def notices_of(file: PipelineFile) -> list[Problem]:
    """Return all notices about ``file``, each with its place. Reads files and keys on this machine; loads no model."""
    kinds = (unpinned, missing, unrouted, exposed, unshadowed, unjudged, kept_out, doubtful_fields)
    return [notice for kind in kinds for notice in kind(file)]


def unpinned(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each model whose next download may have different weights."""
    noticed: set[str] = set()
    for index, task in enumerate(file.pipeline.tasks):
        model = str(task.model)
        if task.revision is None and task.model not in {None, "starter"} and not _local(model) and model not in noticed:
            noticed.add(model)
            yield file.problem(
                ("tasks", index, "model"),
                "no revision is pinned, so the model can change under you; set revision: to a commit",
            )


def exposed(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each place where a pipeline publishes, or may publish, what one does not expect."""
    if file.pipeline.redact is not None and file.pipeline.output.dead_letter_text == "original":
        yield file.problem(
            ("output", "dead_letter"),
            "dead letters keep the original record; with {text: encrypted} or {text: none} they do not",
        )
    raw = file.pipeline.model_dump(exclude_none=True)
    for path, message in (*doubts(raw), *format_checks.doubts(raw)):
        yield file.problem(path, message)
    yield from unread(file)


def unread(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each thing that is in redacted events although no task has read it for personal data."""
    source, output, redact = file.pipeline.input, file.pipeline.output, file.pipeline.redact
    texts = [output.text, *(route.text for route in output.routes or () if not route.drop)]
    if redact is None or "redacted" not in texts:
        return
    others = {
        "fields outside input.text": source.format != "text" and EVERYWHERE not in source.paths,
        "the key": redact.key is None,
        "headers": not redact.headers,
    }
    names = [name for name, passes in others.items() if passes]
    if names:
        rule = (
            "only values that were found in the text are redacted there"
            if redact.elsewhere
            else "they pass as they are"
        )
        yield file.problem(
            ("redact",), f"no task reads {', '.join(names)}: {rule}; see redact.fields, redact.key, redact.headers"
        )
    for index, task in enumerate(file.pipeline.tasks):
        if task.task == "embedding":
            yield file.problem(
                ("tasks", index), "the vector is that of the original text; leave it out where the text is redacted"
            )


def unshadowed(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice if there is a topic for disagreements, and nothing that could disagree."""
    if file.pipeline.output.disagreements is not None and not file.pipeline.shadows:
        yield file.problem(("output", "disagreements"), "gets no events while no task is a shadow")


def unrouted(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each route that some tombstones or some events cannot reach as one may expect."""
    output, absent = file.pipeline.output, conditional([task.model_dump() for task in file.pipeline.tasks])
    reached = Router(output).deletes
    for index, route in enumerate(output.routes or ()):
        if file.pipeline.input.tombstones == "forward" and route.topic and route.topic not in reached:
            yield file.problem(
                ("output", "routes", index, "key"),
                f"tombstones do not reach {route.topic}: they have no event, and so no value for this key",
            )
        for task in sorted(Condition(route.when).tasks & absent) if route.when else ():
            yield file.problem(
                ("output", "routes", index, "when"),
                f'is false for events for which the task "{task}" does not run, unless it asks has() first',
            )


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


def _local(model: str) -> bool:
    return model.startswith((".", "/", "~")) or Path(model).is_dir()
