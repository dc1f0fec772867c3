"""``glossator lint``: shows every mistake in a pipeline file, or what the file would do."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from schemas.conditions import Condition
from schemas.errors import ConfigError, DeviceError, ModelError, OutputError, Problem, SettingError
from schemas.paths import EVERYWHERE
from schemas.pipeline import format_checks
from schemas.pipeline.config import Pipeline
from schemas.pipeline.dependencies import conditional
from schemas.pipeline.formats import OutputFormat
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import PipelineFile, in_order, load_file
from schemas.pipeline.redaction_checks import doubts
from schemas.pipeline.shapes import Shape
from schemas.pipeline.tasks import AnyTask, ensemble_of
from schemas.pipeline.trial import configured_labels, trial_problems
from stream.kafka.checking import absent_files, absent_libraries, client_mistakes
from stream.output.redaction.keys import HOW_TO_MAKE, load_keys, needed_keys, read_key
from stream.output.routes import Router
from workers.cli.libraries import missing_libraries
from workers.cli.notices import kept_out, unjudged
from workers.cli.schema_files import doubtful_fields, schema_problems
from workers.cli.statuses import exit_statuses
from workers.cli.views.plan import plan_data, plan_lines
from workers.drift.reference import read_references
from workers.process.environment import prepare_process

EPILOG = """\b
Example:
  glossator lint examples/starter.yaml
  glossator lint --plan examples/starter.yaml
  glossator lint --format json pipeline.yaml | jq -r '.problems[].message'

\b
Mistakes are printed to standard error, one per line, as file:line:column path:
what is wrong. So are notices (an unpinned revision, a missing file), which are
not failures. No connection is made, and models are loaded only with --plan.

""" + exit_statuses({0: "the file can be run"}, ConfigError, ModelError, DeviceError, OutputError)


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: print one object with problems, notices and a summary to standard output.",
)
@click.option("--plan", is_flag=True, help="Load the models and show which forwards will run.")
@click.pass_context
def lint(ctx: click.Context, pipeline: str, form: str, plan: bool) -> None:
    """Check a pipeline file and show what it would do."""
    file: PipelineFile | None = None
    try:
        file = load_file(pipeline, check=client_mistakes)
        problems = [*condition_problems(file, {}), *schema_problems(file)]
    except ConfigError as error:
        problems = error.problems
    kinds = (unpinned, missing, unrouted, exposed, unshadowed, unjudged, kept_out, doubtful_fields)
    notices = [notice for kind in kinds for notice in kind(file)] if file else []
    summary = summarise(file.pipeline) if file and not problems else None
    status = ConfigError.exit_status
    if plan and file and summary is not None:
        try:
            summary["plan"], labels, remarks = _plan(file.pipeline)
            notices += [file.problem(("tasks", index), remark) for index, remark in remarks]
            problems = condition_problems(file, labels)
        except SettingError as error:  # the file of references
            problems = [file.problem(("telemetry", "drift"), str(error))]
            notices = [notice for notice in notices if notice.path != "telemetry.drift"]
        except ModelError as error:
            problems, status = model_problems(file, error), error.exit_status
        summary = None if problems else summary
    if form == "json":
        report = {
            "file": pipeline, "ok": not problems, "problems": [asdict(problem) for problem in problems],
            "notices": [asdict(notice) for notice in notices], "pipeline": summary,
        }  # fmt: skip
        click.echo(json.dumps(report, indent=2))
    else:
        for problem in problems:
            click.echo(str(problem), err=True)
        for notice in notices:
            click.echo(f"{notice} (notice)", err=True)
        if file and summary is not None:
            click.echo(describe(file))
            if plan:
                click.echo("\n".join(plan_lines(summary["plan"])))
    if problems:
        ctx.exit(status)


def condition_problems(file: PipelineFile, labels: Mapping[str, Collection[str]]) -> list[Problem]:
    """Return the mistakes in conditions that a trial with sample values shows; ``labels`` of tasks, if known."""
    tasks = [task.model_dump() for task in file.pipeline.tasks]
    routes = [route.model_dump() for route in file.pipeline.output.routes or ()]
    problems = trial_problems(tasks, {**labels, **configured_labels(tasks)}, routes)
    return [file.problem(*problem) for problem in problems]


def model_problems(file: PipelineFile, error: ModelError) -> list[Problem]:
    """Return what is wrong with the models of tasks, in the order of the file. Raises ``error`` if it names no task."""
    if not error.failures:
        raise error
    places = {
        task.name: ("tasks", index, "ensemble" if ensemble_of(task) else "model")
        for index, task in enumerate(file.pipeline.tasks)
    }
    return in_order(file.problem(places[name], message) for name, message in error.failures.items())


def _plan(pipeline: Pipeline) -> tuple[dict[str, Any], dict[str, Collection[str]], list[tuple[int, str]]]:
    """Load the models and return the plan as data, the labels of tasks, and what tasks remark, by their index.

    Raises DeviceError, and ModelError about all models that cannot be used.
    """
    prepare_process()

    from workers.chain.chain import Chain
    from workers.chain.trial import check, labels

    chain = Chain.load(pipeline, lambda line: click.echo(line, err=True), every=True)
    check(chain, every=True)
    chain.choose_precisions()
    remarks = {planned.task.name: planned.task.remarks for planned in chain.plan}
    listed = [(index, remark) for index, task in enumerate(pipeline.tasks) for remark in remarks[task.name]]
    return plan_data(pipeline, chain), labels(chain), listed


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


def missing(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each file or folder that is missing on this machine, which need not be the worker's."""
    for index, task in enumerate(file.pipeline.tasks):
        model, recognizers = task.model, getattr(task, "recognizers", None)
        if model is not None and model.startswith((".", "/", "~")) and not Path(model).expanduser().is_dir():
            yield file.problem(("tasks", index, "model"), "there is no such folder on this machine")
        if recognizers is not None and not Path(recognizers).is_file():
            yield file.problem(("tasks", index, "recognizers"), "there is no such file on this machine")
    drift = file.pipeline.telemetry.drift
    if drift is not None:
        try:
            read_references(Path(drift))
        except SettingError as error:
            yield file.problem(("telemetry", "drift"), f"{error}, on this machine")
    registry = file.pipeline.registry
    for name in ("reader_schema", "descriptor_set"):
        if (path := getattr(file.pipeline.input, name)) is not None and not Path(path).exists():
            yield file.problem(("input", name), "there is no such file on this machine")
    for name in ("ca", "certificate", "key") if registry is not None else ():
        path = getattr(registry, name)
        if path is not None and not Path(path).exists():
            yield file.problem(("registry", name), "there is no such file on this machine")
    for name, message in (*absent_files(file.pipeline.kafka), *absent_libraries(file.pipeline.kafka)):
        yield file.problem(("kafka", name), message)
    for path, _, source in needed_keys(file.pipeline):
        try:
            read_key(source, if_missing=HOW_TO_MAKE)
        except ValueError as error:
            yield file.problem(path, f"{error}; every worker needs this key")
    for place, message in missing_libraries(file.pipeline):
        yield file.problem(place, f"on this machine, {message}")


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


def _local(model: str) -> bool:
    return model.startswith((".", "/", "~")) or Path(model).is_dir()
