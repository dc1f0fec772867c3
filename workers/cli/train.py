"""``glossator train``: turns labelled texts, or the decisions of reviewers, into a pack that a pipeline can name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from schemas.errors import AccessError, BrokerError, ConfigError, DeviceError, LabelsError, ModelError, OutputError
from schemas.paths import parse_path
from schemas.pipeline.fields import DEVICE
from workers.cli.parameters import FiniteRange, TopicType, patience_option
from workers.cli.statuses import exit_statuses
from workers.process.environment import prepare_process

if TYPE_CHECKING:
    from rich.table import Table

    from workers.learning.card import Result
    from workers.learning.examples import Task

EPILOG = """\b
Example:
  glossator train reviews.jsonl --task sentiment --out models/reviews
  glossator train export.json --task ner --adapt --out models/parts
  glossator train --from-topic posts.review --pipeline pipeline.yaml --task moderation --out models/abuse

\b
LABELS has one JSON object per line:
  sentiment, text-classification  {"text": "...", "label": "billing"}
  moderation                      {"text": "...", "labels": ["insult"]}, [] for none
  ner                             {"text": "...", "spans": [{"start": 0, "end": 5, "label": "PART"}]}
or is Label Studio's JSON export. In a topic, such a field is in the decision about an event:
  {"schema": "glossator.event/1", "text": "...", ..., "decision": {"labels": ["insult"]}}
Then, in the pipeline file:
  - {name: mine, task: sentiment, model: models/reviews}

DIR is written completely or not at all.

""" + exit_statuses(
    {0: "trained", 130: "interrupted"},
    AccessError, BrokerError, ConfigError, DeviceError, LabelsError, ModelError, OutputError,
)  # fmt: skip
TASKS = ("sentiment", "text-classification", "ner", "moderation")
MOST_SHOWN = 40
"""Metrics in the table; all of them are in the card."""


def _path(_context: click.Context, _option: click.Parameter, value: str) -> str:
    try:
        parse_path(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


@click.command("train", epilog=EPILOG)
@click.argument("labels", required=False, type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--task", required=True, type=click.Choice(TASKS), help="The task of the head.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write. It must be new or empty.",
)
@click.option(
    "--from-topic", "topic", type=TopicType(), metavar="TOPIC", help="Read reviewers' decisions from this topic, too."
)
@click.option(
    "--pipeline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --from-topic: the pipeline file, for the brokers and where the text of an event is.",
)
@click.option(
    "--decision",
    default="$.decision",
    show_default=True,
    metavar="PATH",
    callback=_path,
    help="With --from-topic: where in an event the decision is.",
)
@click.option(
    "--max-rows",
    default=100_000,
    show_default=True,
    type=click.IntRange(1, 10_000_000),
    metavar="N",
    help="With --from-topic: use at most the latest N decisions.",
)
@click.option(
    "--label",
    "known",
    multiple=True,
    metavar="NAME",
    help="A label that texts may have. Can be repeated; others are mistakes. Default: any label.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be used, instead of reporting them.")
@click.option(
    "--trunk", default="starter", show_default=True, metavar="MODEL",
    help="The encoder: starter, a hub id, or the folder of a checkpoint.",
)  # fmt: skip
@click.option(
    "--adapt",
    is_flag=True,
    help="Also train adapters of the encoder: better, but the head needs its own forward.",
)
@click.option(
    "--precision", default=0.9, show_default=True, type=FiniteRange(0, 1, min_open=True),
    help="moderation: the precision that thresholds are chosen for, on dev.",
)  # fmt: skip
@click.option("--against", default="starter", show_default=True, metavar="MODEL", help="The head to compare with.")
@click.option("--control", metavar="NAME", help="Label Studio: the control to read, if several would fit.")
@click.option("--device", default="auto", show_default=True, metavar="DEVICE", help="auto, cpu, cuda or cuda:N.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31), help="The random seed.")
@click.option("--force", is_flag=True, help="Replace the pack in DIR.")
@patience_option(10.0)
@click.pass_context
def train(
    ctx: click.Context, *, labels: Path | None, topic: str | None, pipeline: Path | None, decision: str, max_rows: int,
    known: tuple[str, ...], skip_bad: bool, task: str, out: Path, trunk: str, adapt: bool, precision: float,
    against: str, control: str | None, device: str, seed: int, force: bool, patience: float,
) -> None:  # fmt: skip
    """Train your own head on LABELS, on reviewers' decisions in a topic, or on both.

    It is written to DIR, with its scores and a card.

    Of ten texts, eight are for training, one is for choosing (dev), and one for measuring (test).
    """
    if (topic is None) != (pipeline is None):
        missing = "--pipeline FILE" if pipeline is None else "--from-topic TOPIC"
        raise click.UsageError(f"--from-topic and --pipeline belong together; add {missing}")
    if labels is None and topic is None:
        raise click.UsageError("there is nothing to learn from; name a file of LABELS, or a topic with --from-topic")
    if re.search(DEVICE, device) is None:
        raise click.BadParameter("auto, cpu, cuda or cuda:N", ctx, param_hint="--device")
    prepare_process()

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from workers.cli.reviews import read_decisions
    from workers.learning.card import suggested_taxonomy
    from workers.learning.loading import Sources
    from workers.learning.train import Options
    from workers.learning.train import train as run
    from workers.learning.writing import objection

    if (reason := objection(out, force=force)) is not None:
        raise click.BadParameter(reason, ctx, param_hint="--out")
    kind = cast("Task", task)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            decisions = None
            if topic is not None and pipeline is not None:
                decisions = read_decisions(
                    pipeline, topic, kind, progress, path=decision, max_rows=max_rows, patience=patience
                )
            sources = Sources(labels, control, decisions, known, skip_bad)
            result = run(Options(sources, kind, out, trunk, adapt, precision, seed, device, against), progress)
    except KeyboardInterrupt:
        click.echo(f"glossator: interrupted; {out} was not written", err=True)
        ctx.exit(130)
    Console(width=None if sys.stdout.isatty() else 100).print(table(result))
    for note in notes(result):
        click.echo(note)
    setting = f"model: {out}"
    if task == "moderation":
        setting += f", taxonomy: {suggested_taxonomy(result.labelled.labels)}"
    click.echo(f"{out}: the head, its scores and its card; in the pipeline file: {setting}")


def notes(result: Result) -> list[str]:
    """Return what the table does not show, one sentence each."""
    lines = []
    if (more := len(result.metrics) - MOST_SHOWN) > 0:
        lines.append(f"{more:,} more metrics are in {result.folder}/card.md")
    if result.labelled.repeated:
        lines.append(f"{result.labelled.repeated:,} repeated texts were left out")
    if result.labelled.unlabelled:
        lines.append(f"{result.labelled.unlabelled:,} tasks without an annotation were left out")
    lines += result.labelled.notes
    if result.against_note:
        lines.append(result.against_note)
    return lines


def table(result: Result) -> Table:
    """Return the metrics of the new head, and of the one to compare with, if there is one."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from workers.learning.card import interval

    counts = ", ".join(f"{len(result.parts[name]):,} {name}" for name in ("train", "dev", "test"))
    shown = Table("metric on test", "this head", box=box.SIMPLE_HEAD, title=f"{counts} texts", title_justify="left")
    others = {metric.name: metric for metric in result.baseline}
    if others:
        shown.add_column(Text(result.against))
    for metric in result.metrics[:MOST_SHOWN]:
        compared = [interval(others.get(metric.name))] if others else []
        # As Text, because a label is not markup.
        shown.add_row(*map(Text, (metric.name, interval(metric), *compared)))
    return shown
