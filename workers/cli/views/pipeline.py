"""What a pipeline file would do, as lines for people and as data for programs."""

from __future__ import annotations

from typing import Any

from schemas.errors import SettingError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.formats import OutputFormat
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import PipelineFile
from schemas.pipeline.shapes import Shape
from schemas.pipeline.tasks import AnyTask, ensemble_of
from stream.output.redaction.keys import load_keys, needed_keys


def summarise(pipeline: Pipeline) -> dict[str, Any]:
    """Return what would run, for programs."""
    return {
        "name": pipeline.pipeline,
        "config": _config(pipeline),
        "topics": list(pipeline.input.topics),
        "output": pipeline.output.topic,
        "shape": _named(pipeline.output.shape_of(None)),
        "dead_letter": pipeline.output.dead_letter_topic,
        "disagreements": pipeline.output.disagreements,
        "routes": [
            {
                "name": route.label,
                "when": route.when,
                "topic": route.topic,
                "copy": route.copies,
                "drop": route.drop,
                "shape": None if route.drop else _named(pipeline.output.shape_of(route)),
            }
            for route in pipeline.output.routes or ()
        ],
        "delivery": pipeline.delivery,
        "tasks": [
            {name: getattr(task, name) for name in ("name", "task", "model", "revision", "shadow")}
            | ({"ensemble": ensemble.model_dump(exclude_none=True)} if (ensemble := ensemble_of(task)) else {})
            for task in pipeline.tasks
        ],
    }


def describe(file: PipelineFile) -> str:
    """Return what would run, for people."""
    pipeline = file.pipeline
    source, output = pipeline.input, pipeline.output
    encoding = f" in {source.encoding}" if source.encoding != "json" else ""
    where = f"{source.format}{encoding}, text at {', '.join(source.paths)}" if source.format != "text" else "plain text"
    lines = [
        f"{file.file}: ok",
        f"  pipeline  {pipeline.pipeline}, configuration {_config(pipeline) or 'unknown without its keys'}, "
        f"{pipeline.delivery}",
        f"  reads     {', '.join(source.topics)} ({where})",
    ]
    width = max(len(task.name) for task in pipeline.tasks)
    kinds = max(len(task.task) for task in pipeline.tasks)
    for index, task in enumerate(pipeline.tasks):
        pin = f" @ {task.revision}" if task.revision else ""
        pin += f", shadow of {task.shadow}" if task.shadow else ""
        head = "tasks" if index == 0 else ""
        lines.append(f"  {head:8}  {task.name:{width}}  {task.task:{kinds}}  {_scores_from(task)}{pin}")
    kept = {"original": "", "none": " without the original", "encrypted": ", encrypted"}[output.dead_letter_text]
    events_to = f"{output.topic}{_kept(pipeline, output.text, output.shape_of(None))}{_encoded(output.format_of(None))}"
    lines.append(f"  writes    {events_to}, dead letters to {output.dead_letter_topic}{kept}")
    if output.disagreements is not None:
        lines.append(f"            disagreements to {output.disagreements}{_kept(pipeline, output.text, None)}")
    for index, route in enumerate(output.routes or ()):
        does = "drops" if route.drop else f"{'copies' if route.copies else 'moves'} to {route.topic}"
        if not route.drop:
            does += _kept(pipeline, route.text or output.text, output.shape_of(route))
            does += _encoded(output.format_of(route))
        named = f" ({route.name})" if route.name else ""
        lines.append(f"  {'' if index else 'routes':8}  {does}{named}{f', when {route.when}' if route.when else ''}")
    keys = [f"{name or 'hash'} from {source.env or source.file}" for _, name, source in needed_keys(pipeline)]
    if keys:
        lines.append(f"  keys      {', '.join(keys)}")
    return "\n".join(lines)


def _scores_from(task: AnyTask) -> str:
    """Return what a task gets its scores from: its model or the tasks that it combines."""
    ensemble = ensemble_of(task)
    return task.model or (f"{ensemble.rule} of {', '.join(ensemble.of)}" if ensemble else "-")


def _kept(pipeline: Pipeline, text: str, shape: Shape | None) -> str:
    """Return what the events of a topic have of the text, or which shape they have, if that is not obvious."""
    if shape is not None:
        return f" in the shape {shape.name}"
    if text == "original":
        return " with the original text" if pipeline.redact is not None else ""
    return " with redacted text" if text == "redacted" else " without text"


def _named(shape: Shape | None) -> str:
    return "event" if shape is None else shape.name


def _encoded(chosen: OutputFormat | None) -> str:
    """Return how the events of a topic are encoded, if not as plain JSON."""
    return "" if chosen is None else f" as {chosen.name}"


def _config(pipeline: Pipeline) -> str | None:
    """Return the hash of the configuration; None if it depends on keys that are missing here."""
    try:
        return config_hash(pipeline, load_keys(pipeline).fingerprint)
    except SettingError:
        return None
