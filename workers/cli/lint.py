"""``glossator lint``: shows every mistake in a pipeline file, or what the file would do."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import click

from schemas.errors import ConfigError, DeviceError, ModelError, OutputError, Problem, SettingError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import PipelineFile, in_order, load_file
from schemas.pipeline.tasks import ensemble_of
from schemas.pipeline.trial import configured_labels, trial_problems
from stream.kafka.checking import client_mistakes
from workers.cli.notices import notices_of
from workers.cli.schema_files import schema_problems
from workers.cli.statuses import exit_statuses
from workers.cli.views.pipeline import describe, summarise
from workers.cli.views.plan import plan_data, plan_lines
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
    notices = notices_of(file) if file else []
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
    check(chain.plan, chain.stages, every=True)
    chain.choose_precisions()
    remarks = {planned.task.name: planned.task.remarks for planned in chain.plan}
    listed = [(index, remark) for index, task in enumerate(pipeline.tasks) for remark in remarks[task.name]]
    return plan_data(pipeline, chain), labels(chain.plan, chain.stages), listed
