"""``glossator lint``: every mistake in a pipeline file, or what the file would do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from schemas.errors import ConfigError, DeviceError, ModelError, Problem
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import PipelineFile, load_file
from stream.kafka.settings import client_problems
from workers.cli.statuses import exit_statuses
from workers.cli.views.plan import described, planned
from workers.process.environment import prepare_process

EPILOG = """\b
Example:
  glossator lint examples/starter.yaml
  glossator lint --plan examples/starter.yaml
  glossator lint --format json pipeline.yaml | jq -r '.problems[].message'

\b
Mistakes go to standard error, one a line, as file:line:column path: what is
wrong. Notices (an unpinned revision, a file that is not here) go there too and
do not fail. No connection is made, and models are loaded only with --plan.

""" + exit_statuses({0: "the file can be run"}, ConfigError, ModelError, DeviceError)


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: one object with problems, notices and a summary, on standard output.",
)
@click.option("--plan", is_flag=True, help="Load the models and show which forwards will run.")
@click.pass_context
def lint(ctx: click.Context, pipeline: str, form: str, plan: bool) -> None:
    """Checks a pipeline file and says what it would do."""
    found: PipelineFile | None = None
    try:
        found = load_file(pipeline)
        problems = client_problems(found)
    except ConfigError as error:
        problems = error.problems
    notices = [*unpinned(found), *missing(found)] if found else []
    summary = summarise(found.pipeline) if found and not problems else None
    made = _plan(found.pipeline) if plan and found and not problems else None
    if summary is not None and made is not None:
        summary["plan"] = made
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
        if found and not problems:
            click.echo(describe(found))
            if made is not None:
                click.echo("\n".join(described(made)))
    if problems:
        ctx.exit(ConfigError.exit_status)


def _plan(pipeline: Pipeline) -> dict[str, Any]:
    """Raises ModelError and DeviceError."""
    prepare_process()

    from workers.chain.chain import Chain

    chain = Chain.load(pipeline, lambda line: click.echo(line, err=True))
    chain.check()
    return planned(pipeline, chain)


def unpinned(found: PipelineFile) -> Iterator[Problem]:
    """A notice for each model whose next download may bring other weights."""
    said: set[str] = set()
    for index, task in enumerate(found.pipeline.tasks):
        model = str(task.model)
        if task.revision is None and task.model not in {None, "starter"} and not _local(model) and model not in said:
            said.add(model)
            yield found.problem(
                ("tasks", index, "model"),
                "no revision is pinned, so the model can change under you; set revision: to a commit",
            )


def missing(found: PipelineFile) -> Iterator[Problem]:
    """A notice for each file or folder named that is not on this machine, which need not be the worker's."""
    for index, task in enumerate(found.pipeline.tasks):
        model, recognizers = task.model, getattr(task, "recognizers", None)
        if model is not None and model.startswith((".", "/", "~")) and not Path(model).expanduser().is_dir():
            yield found.problem(("tasks", index, "model"), "there is no such folder, seen from here")
        if recognizers is not None and not Path(recognizers).is_file():
            yield found.problem(("tasks", index, "recognizers"), "there is no such file, seen from here")


def summarise(pipeline: Pipeline) -> dict[str, Any]:
    """What would run, for programs to read."""
    return {
        "name": pipeline.pipeline,
        "config": config_hash(pipeline),
        "topics": list(pipeline.input.topics),
        "output": pipeline.output.topic,
        "dead_letter": pipeline.output.dead_letter_topic,
        "delivery": pipeline.delivery,
        "tasks": [
            {"name": task.name, "task": task.task, "model": task.model, "revision": task.revision}
            for task in pipeline.tasks
        ],
    }


def describe(found: PipelineFile) -> str:
    """What would run, for people to read."""
    pipeline = found.pipeline
    source, output = pipeline.input, pipeline.output
    where = f"json, text at {source.text}" if source.format == "json" else "plain text"
    lines = [
        f"{found.file}: ok",
        f"  pipeline  {pipeline.pipeline}, configuration {config_hash(pipeline)}, {pipeline.delivery}",
        f"  reads     {', '.join(source.topics)} ({where})",
    ]
    width = max(len(task.name) for task in pipeline.tasks)
    kinds = max(len(task.task) for task in pipeline.tasks)
    for index, task in enumerate(pipeline.tasks):
        pin = f" @ {task.revision}" if task.revision else ""
        head = "tasks" if index == 0 else ""
        lines.append(f"  {head:8}  {task.name:{width}}  {task.task:{kinds}}  {task.model or '-'}{pin}")
    lines.append(f"  writes    {output.topic}, dead letters to {output.dead_letter_topic}")
    return "\n".join(lines)


def _local(model: str) -> bool:
    return model.startswith((".", "/", "~")) or Path(model).is_dir()
