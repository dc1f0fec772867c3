"""Measure a model on the test sets as its users get it: the annotations of its tasks against the labels.

python -m training.evaluate --data ../shared/data                    the starter, every task
python -m training.evaluate --data ../shared/data --model DIR        another pack, or a checkpoint
python -m training.evaluate --data ../shared/data --only ner --only pos --limit 200
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch
import transformers
from rich import box
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from schemas.errors import ModelError
from training.data import Data
from training.measures import clusters, documents, functions, known, pairs, texts, words
from training.measures.base import Bench, Measured, Precision
from workers.models.packs import STARTER

Family = Callable[[Bench], Iterator[Measured]]
FAMILIES: dict[str, Family] = {
    "pos": words.pos,
    "ner": words.ner,
    "sentiment": texts.sentiment,
    "moderation": texts.moderation,
    "moderation-functions": functions.moderation,
    "aspect-sentiment": pairs.aspect_sentiment,
    "nli": pairs.nli,
    "zero-shot": pairs.zero_shot,
    "question-answering": pairs.question_answering,
    "question-answering-documents": documents.question_answering,
    "similarity": pairs.similarity,
    "embedding": pairs.embedding,
    "pii": words.pii,
    "coreference": clusters.coreference,
    "language": texts.language,
}


@click.command(help=__doc__)
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", default=STARTER, show_default=True, help="As in the pipeline file.")
@click.option("--only", multiple=True, type=click.Choice(list(FAMILIES)), help="Only this task; may be repeated.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the figures there.")
@click.option("--limit", type=click.IntRange(min=1), help="Use at most so many examples of each set.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: one per core.")
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True)
def main(
    *,
    data: Path,
    model: str,
    only: Sequence[str],
    out: Path | None,
    limit: int | None,
    threads: int | None,
    dtype: Precision,
) -> None:
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if threads is not None:
        torch.set_num_threads(threads)
    # If it is piped into a file, the table may be as wide as it needs.
    console = Console() if sys.stdout.isatty() else Console(width=170)
    bench, lines = Bench(model, Data(data), limit, dtype), list[Measured]()
    with Progress(console=console, transient=True) as progress:
        for name in only or FAMILIES:
            bar = progress.add_task(name, total=None)
            bench.on_done = partial(_show, progress, bar)
            before = len(lines)
            try:
                for line in FAMILIES[name](bench):
                    lines.append(line)
                    progress.console.print(f"{line.key}: {line.value:.3f}", highlight=False, markup=False)
                if len(lines) == before:
                    progress.console.print(f"not measured: {name}, because there are no texts", highlight=False)
            except ModelError as error:
                progress.console.print(f"not measured: {error}", highlight=False, markup=False)
            progress.remove_task(bar)
    if not lines:
        raise SystemExit(1)
    console.print(as_table(lines))
    if out is not None:
        content = {"model": model, "limit": limit, "figures": as_json(lines)}
        out.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _show(progress: Progress, bar: TaskID, done: int, total: int) -> None:
    progress.update(bar, completed=done, total=total)


def as_table(lines: Sequence[Measured]) -> Table:
    """Return a table of the figures with their references; bold if there is a floor, red below it."""
    baselines = known.baselines()
    table = Table("task", "set (n)", "metric", box=box.SIMPLE_HEAD)
    for heading in ("probe", "model [95 % CI]", "floor"):
        table.add_column(heading.replace("[", r"\["), no_wrap=True, justify="right")
    table.add_column("elsewhere")
    last = ""
    for line in lines:
        floor, probe = known.FLOORS.get(line.key), baselines.get(line.key)
        if line.task != last:
            table.add_section()
        table.add_row(
            "" if line.task == last else line.task,
            f"{line.set} ({line.n:,})",
            f"{line.metric} {line.of}".strip(),
            "" if probe is None else f"{probe:.3f}",
            rf"{line.value:.3f} \[{line.low:.3f}, {line.high:.3f}]",
            "" if floor is None else f"{floor:.2f}",
            known.ELSEWHERE.get(line.key, ""),
            style="dim" if floor is None else "bold" if line.value >= floor else "bold red",
        )
        last = line.task
    return table


def as_json(lines: Sequence[Measured]) -> list[dict[str, Any]]:
    """Return the figures rounded to four places; null if there was nothing to count."""
    baselines = known.baselines()

    def rounded(value: float | None) -> float | None:
        return None if value is None or math.isnan(value) else round(value, 4)

    return [
        {
            **line._asdict(),
            **{key: rounded(getattr(line, key)) for key in ("value", "low", "high")},
            "probe": rounded(baselines.get(line.key)),
            "floor": known.FLOORS.get(line.key),
            "elsewhere": known.ELSEWHERE.get(line.key),
        }
        for line in lines
    ]


if __name__ == "__main__":
    main()
