"""``glossator calibrate``: carries the thresholds of another system over to new scores."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from schemas.errors import ConfigError, DeviceError, LabelsError, ModelError, OutputError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.wording import did_you_mean
from workers.cli.loading import loading
from workers.cli.output import require_stdout
from workers.cli.statuses import exit_statuses
from workers.process.environment import prepare_process

if TYPE_CHECKING:
    from workers.learning.rows import Mistakes
    from workers.learning.score_rows import ScoreRow
    from workers.learning.thresholds import Calibration, Match

EPILOG = """\b
Example:
  glossator calibrate scores.jsonl --threshold 0.8 --threshold THREAT=0.6
  glossator calibrate logged.jsonl --threshold 0.8 --pipeline new.yaml --task safety
  glossator calibrate judged.jsonl --threshold 0.8 --match precision --json | jq .threshold

\b
SCORES has one JSON object per line:
  {"old": {"TOXICITY": 0.91}, "new": {"TOXICITY": 0.78}}   both scores
  {"old": {"TOXICITY": 0.91}, "text": "..."}               with --pipeline; or an "event"
  {..., "labels": ["TOXICITY"]}                            for --match precision; [] for none
"old" and "new" may also be an answer of the Perspective API ({"attributeScores": ..}),
or the annotation of a moderation ({"labels": ..}).

\b
A text is flagged if its score is at least the threshold. With --match rate the new
threshold flags as many texts as the old one, or the nearest number that can be reached;
with --match precision it flags the most texts while being as often right.

""" + exit_statuses(
    {0: "every attribute has a threshold", 1: "an attribute has none; the others are shown"},
    ConfigError, DeviceError, LabelsError, ModelError, OutputError,
)  # fmt: skip


def _thresholds(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> dict[str | None, float]:
    """Return attribute -> threshold; under None that of all others. Raises click.BadParameter."""
    thresholds: dict[str | None, float] = {}
    for value in values:
        name, equals, text = value.rpartition("=")
        if equals and not name:
            raise click.BadParameter("must be NAME=NUMBER or a number", ctx, param)
        try:
            number = float(text)
        except ValueError:
            raise click.BadParameter("the threshold is not a number", ctx, param) from None
        if not math.isfinite(number):
            raise click.BadParameter("the threshold must be finite", ctx, param)
        if (name or None) in thresholds:
            raise click.BadParameter(f"there are two thresholds for {name or 'all others'}", ctx, param)
        thresholds[name or None] = number
    return thresholds


def _renamed(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Return attribute -> its name in the new scores. Raises click.BadParameter."""
    names: dict[str, str] = {}
    for value in values:
        old, _, new = value.partition("=")
        if not old or not new:
            raise click.BadParameter("must be OLD=NEW", ctx, param)
        if old in names:
            raise click.BadParameter(f"{old} has two new names", ctx, param)
        names[old] = new
    return names


@click.command("calibrate", epilog=EPILOG)
@click.argument("scores", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option(
    "--threshold", "thresholds", multiple=True, required=True, callback=_thresholds, metavar="[NAME=]NUMBER",
    help="The threshold of the old score: of one attribute, or of all others.",
)  # fmt: skip
@click.option(
    "--map", "renamed", multiple=True, callback=_renamed, metavar="OLD=NEW",
    help="The new name of an attribute, if it has another one.",
)  # fmt: skip
@click.option("--pipeline", "file", type=click.Path(path_type=Path), metavar="FILE", help="Score the texts with FILE.")
@click.option("--task", metavar="NAME", help="With --pipeline: the moderation whose scores are the new ones.")
@click.option(
    "--match", type=click.Choice(["rate", "precision"]), default="rate", show_default=True,
    help="What stays the same: the share of texts that are flagged, or the share of flagged texts that are right.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one object instead of a table.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**31), help="Random seed of the intervals."
)
@click.pass_context
def calibrate(
    ctx: click.Context, *, scores: Path, thresholds: dict[str | None, float], renamed: dict[str, str],
    file: Path | None, task: str | None, match: str, as_json: bool, seed: int,
) -> None:  # fmt: skip
    """Find thresholds for new scores that flag as the thresholds of another system do, on the texts in SCORES."""
    require_stdout()
    if (file is None) != (task is None):
        raise click.UsageError("--pipeline and --task belong together")
    pipeline = None
    if file is not None:
        prepare_process()
        pipeline = _pipeline(file, str(task), ctx)

    from rich.console import Console

    from workers.cli.views.thresholds import as_data, lines, table
    from workers.learning.rows import Mistakes
    from workers.learning.score_names import Names, pair_names, thresholds_by_name
    from workers.learning.score_rows import load_scores

    mistakes = Mistakes()
    rows = load_scores(scores, pipeline is None, match == "precision", mistakes)
    names = Names(thresholds, renamed)
    wanted = thresholds_by_name(rows, names, mistakes)
    if pipeline is not None:
        mistakes.raise_if_any()  # before models, which can take minutes to load
        rows = _scored(pipeline, str(task), rows, mistakes)
    pairs = pair_names(rows, wanted, names, mistakes)
    mistakes.raise_if_any()
    calibrations = list(_calibrated(rows, wanted, pairs, cast("Match", match), seed))
    if as_json:
        click.echo(json.dumps(as_data(scores, match, len(rows), calibrations), indent=2, ensure_ascii=False))
    else:
        Console(width=None if sys.stdout.isatty() else 120).print(table(calibrations))
        for line in lines(calibrations, task):
            click.echo(line)
    for name in wanted:
        if name not in pairs:
            click.echo(f"glossator: {name} was left out: there is no new score of that name; see --map", err=True)
    if any(each.threshold is None for each in calibrations):
        ctx.exit(1)


def _pipeline(file: Path, task: str, ctx: click.Context) -> Pipeline:
    """Return the pipeline of ``file`` with nothing but ``task``, which may be a shadow, and the tasks that it needs."""
    from schemas.pipeline.dependencies import requires
    from schemas.pipeline.loader import load

    pipeline = load(file)
    kinds = {each.name: each.task for each in pipeline.tasks}
    if task not in kinds:
        hint = did_you_mean(task, kinds) or f", only {', '.join(kinds)}"
        raise click.BadParameter(f"the pipeline has no task of that name{hint}", ctx, param_hint="--task")
    if kinds[task] != "moderation":
        others = [name for name, kind in kinds.items() if kind == "moderation"]
        hint = f"; moderations are {', '.join(others)}" if others else ""
        raise click.BadParameter(f"a task of kind {kinds[task]} has no thresholds{hint}", ctx, param_hint="--task")
    needs = {each.name: requires(each.model_dump()) for each in pipeline.tasks}
    needed, waiting = {task}, [task]
    while waiting:
        new = set(needs[waiting.pop()]) - needed
        needed |= new
        waiting += new
    tasks = [each.model_copy(update={"shadow": None}) for each in pipeline.tasks if each.name in needed]
    return pipeline.model_copy(update={"tasks": tasks})


def _calibrated(
    rows: Sequence[ScoreRow], wanted: Mapping[str, float], pairs: Mapping[str, str], match: Match, seed: int
) -> Iterator[Calibration]:
    import numpy as np
    from rich.console import Console
    from rich.progress import track

    from workers.learning.thresholds import calibrate as calibrated

    labelled = all(row.labels is not None for row in rows)
    console = Console(stderr=True)
    for name, label in track(
        pairs.items(), "calibrating", console=console, transient=True, disable=not console.is_terminal
    ):
        both = [row for row in rows if name in row.old and label in row.new]
        yield calibrated(
            name,
            label,
            np.array([row.old[name] for row in both], np.float64),
            np.array([row.new[label] for row in both], np.float64),
            old_threshold=wanted[name],
            truth=np.array([name in (row.labels or ()) for row in both], bool) if labelled else None,
            match=match,
            seed=seed,
        )


def _scored(pipeline: Pipeline, task: str, rows: Sequence[ScoreRow], mistakes: Mistakes) -> list[ScoreRow]:
    """Give each row its new scores, and return those for which ``task`` has run; a failure is a mistake."""
    from workers.process.scoring import scores

    with loading() as progress:
        from workers.chain.chain import Chain

        chain = Chain.load(pipeline, on_progress=progress)
    from rich.console import Console
    from rich.progress import track

    from schemas.document import Failure

    console = Console(stderr=True)
    inputs = [row.text if row.event is None else row.event for row in rows]
    made = track(
        zip(rows, scores(pipeline, chain, task, inputs), strict=True), "scoring", len(rows),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    kept, skipped = [], 0
    for row, result in made:
        if isinstance(result, Failure):
            mistakes.add(row.row, f"cannot be scored: {result.message}")
        elif result is None:
            skipped += 1
        else:
            row.new = result
            kept.append(row)
    if skipped:
        click.echo(f"glossator: {skipped:,} rows were left out: the task does not run for them", err=True)
    if rows and not kept and not mistakes.entries:
        mistakes.add(None, f"the task {task} runs for none of the rows")
    return kept
