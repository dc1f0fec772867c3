"""Train the starter pack: one adapter, ten heads.

python -m training.starter --data ../shared/data          train, calibrate, write workers/starter/
python -m training.starter --data ../shared/data --fresh  start over, ignoring an earlier run
python -m training.starter --data ../shared/data --last   only the last step, on the shipped adapter

An interrupted run resumes where it stopped. To measure the result: python -m training.evaluate.
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

from training import calibration, export, joint, polish, pooled, sources
from training.data import Data
from training.reading import Reader, Source
from training.shipped import RENEWED, Shipped
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

CHECKPOINT = Path(__file__).parent / "cache" / "joint.pt"


@click.command(help=__doc__)
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=STARTER_FOLDER, type=click.Path(file_okay=False, path_type=Path))
@click.option("--checkpoint", default=CHECKPOINT, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--threads", default=2, show_default=True)
@click.option("--fresh", is_flag=True, help="Discard what an earlier run has learnt.")
@click.option("--last", is_flag=True, help="Only fit names, parts of speech, personal data and moderation again.")
def main(*, data: Path, out: Path, checkpoint: Path, threads: int, fresh: bool, last: bool) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    console, sets, begun = Console(), Data(data), time.monotonic()
    trunk = Path(HeadPack.open(STARTER, STARTER_FOLDER).trunk().model)
    reader = Reader(trunk)
    with Progress(console=console) as progress:
        console.print("loading the labelled texts")
        if last:
            shipped = Shipped()
            scores = pooled.polish(shipped, sets, reader, progress) | calibration.harm(shipped, sets, reader)
            scores |= polish.polish(shipped, sets, reader, progress) | calibration.token_heads(shipped, sets, reader)
            export.renew({name: shipped.heads[name] for name in RENEWED}, out)
        else:
            scores = _whole(sets, reader, trunk, checkpoint, progress, fresh=fresh, out=out)
    table = Table("on the dev files", "score")
    for name, score in scores.items():
        table.add_row(name, f"{score:.3f}")
    console.print(table)
    console.print(f"{time.monotonic() - begun:.0f} s")


def _whole(
    sets: Data, reader: Reader, trunk: Path, checkpoint: Path, progress: Progress, *, fresh: bool, out: Path
) -> dict[str, float]:
    """Run the whole recipe; return scores on the dev files."""
    again = checkpoint.with_stem(f"{checkpoint.stem}-again")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    if fresh:
        checkpoint.unlink(missing_ok=True)
        again.unlink(missing_ok=True)
    learner = joint.Learner(trunk)
    plain = Source("plain", "embedding", joint.teach(learner, sources.plain_texts(sets), reader), 300_000)
    parts = [*sources.everything(sets, reader), plain]
    joint.train(learner, parts, checkpoint, progress)
    joint.train(learner, sources.again(parts), again, progress, seed=1, peak=0.5)
    scores = polish.polish(learner, sets, reader, progress) | pooled.polish(learner, sets, reader, progress)
    progress.console.print("choosing temperatures and thresholds")
    scores |= calibration.calibrate(learner, sets, reader)
    export.ship(learner, trunk, out)
    return scores


if __name__ == "__main__":
    main()
