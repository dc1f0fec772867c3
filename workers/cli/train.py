"""``glossator train``: labelled texts in, a pack out that a pipeline file can name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from schemas.errors import DeviceError, LabelsError, ModelError
from schemas.pipeline.fields import DEVICE
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

\b
LABELS has one JSON object a line:
  sentiment, text-classification  {"text": "...", "label": "billing"}
  moderation                      {"text": "...", "labels": ["insult"]}, [] for none
  ner                             {"text": "...", "spans": [{"start": 0, "end": 5, "label": "PART"}]}
or is Label Studio's JSON export. Then, in the pipeline file:
  - {name: mine, task: sentiment, model: models/reviews}

DIR is written whole or not at all.

""" + exit_statuses({0: "trained", 130: "interrupted"}, DeviceError, LabelsError, ModelError)
TASKS = ("sentiment", "text-classification", "ner", "moderation")
MOST_SHOWN = 40
"""Metrics in the table; all of them are in the card."""


@click.command("train", epilog=EPILOG)
@click.argument("labels", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--task", required=True, type=click.Choice(TASKS), help="What the head shall do.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="The folder to write, new or empty."
)
@click.option(
    "--trunk", default="starter", show_default=True, metavar="MODEL",
    help="The encoder: starter, a hub id, or a checkpoint's folder.",
)  # fmt: skip
@click.option(
    "--adapt", is_flag=True, help="Train low-rank adapters of the encoder, too: better, a forward of its own."
)
@click.option(
    "--precision", default=0.9, show_default=True, type=click.FloatRange(0, 1, min_open=True),
    help="moderation: what thresholds are chosen for, on dev.",
)  # fmt: skip
@click.option("--against", default="starter", show_default=True, metavar="MODEL", help="The head in use, measured too.")
@click.option("--control", metavar="NAME", help="Label Studio: the control to read, where several would fit.")
@click.option("--device", default="auto", show_default=True, metavar="DEVICE", help="auto, cpu, cuda or cuda:N.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31), help="Of everything random.")
@click.option("--force", is_flag=True, help="Replace the pack that DIR holds.")
@click.pass_context
def train(
    ctx: click.Context, *, labels: Path, task: str, out: Path, trunk: str, adapt: bool, precision: float, against: str,
    control: str | None, device: str, seed: int, force: bool,
) -> None:  # fmt: skip
    """Trains a head of your own on LABELS and writes it to DIR, with its scores and a card.

    Eight texts in ten are learnt from, one in ten decides, one in ten measures.
    """
    prepare_process()

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from workers.learning.train import Options
    from workers.learning.train import train as run
    from workers.learning.writing import objection

    if re.search(DEVICE, device) is None:
        raise click.BadParameter("auto, cpu, cuda or cuda:N", ctx, param_hint="--device")
    if (why := objection(out, force=force)) is not None:
        raise click.BadParameter(why, ctx, param_hint="--out")
    options = Options(labels, cast("Task", task), out, trunk, adapt, precision, seed, device, control, against)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            result = run(options, progress)
    except KeyboardInterrupt:
        click.echo(f"glossator: interrupted; {out} was not written", err=True)
        ctx.exit(130)
    Console(width=None if sys.stdout.isatty() else 100).print(table(result))
    for note in notes(result):
        click.echo(note)
    named = f"model: {out}" + (", taxonomy: model" if task == "moderation" else "")
    click.echo(f"{out}: the head, its scores and its card; in the pipeline file: {named}")


def notes(result: Result) -> list[str]:
    """What the table does not tell."""
    said = []
    if (more := len(result.metrics) - MOST_SHOWN) > 0:
        said.append(f"{more:,} more metrics are in {result.folder}/card.md")
    if result.labelled.repeated:
        said.append(f"{result.labelled.repeated:,} repeated texts were left out")
    if result.labelled.unlabelled:
        said.append(f"{result.labelled.unlabelled:,} tasks without an annotation were left out")
    if result.no_baseline:
        said.append(result.no_baseline)
    return said


def table(result: Result) -> Table:
    """The metrics of the new head, and of the one in use where it has the same labels."""
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
        other = [interval(others.get(metric.name))] if others else []
        # Plain text: a label is nobody's markup.
        shown.add_row(*map(Text, (metric.name, interval(metric), *other)))
    return shown
