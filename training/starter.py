"""Train the starter pack: one adapter, ten heads.

python -m training.starter --data ../shared/data          train, calibrate, write workers/starter/
python -m training.starter --data ../shared/data --fresh  start over, ignoring an earlier run
python -m training.starter --data ../shared/data --more   only the last round, from the shipped adapter on
python -m training.starter --data ../shared/data --last   only the last heads, on the shipped adapter
python -m training.starter --data ../shared/data --last --only pii --out DIR   one head of it, in a copy of the pack

An interrupted run resumes where it stopped. To measure the result: python -m training.evaluate.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import click
import torch
import transformers
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from training import calibration, export, joint, polish, pooled, sources, teachers, transitions
from training.data import Data
from training.reading import Reader, Source
from training.shipped import RENEWED, Shipped, resume
from workers.models.packs import MANIFEST, STARTER, STARTER_FOLDER, HeadPack

CHECKPOINT = Path(__file__).parent / "cache" / "joint.pt"


@click.command(help=__doc__)
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=STARTER_FOLDER, type=click.Path(file_okay=False, path_type=Path))
@click.option("--checkpoint", default=CHECKPOINT, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--threads", default=2, show_default=True)
@click.option("--fresh", is_flag=True, help="Discard what an earlier run has learnt.")
@click.option("--more", is_flag=True, help="Only train the last round, from the shipped pack on.")
@click.option("--last", is_flag=True, help="Only fit names, parts of speech, personal data and moderation again.")
@click.option("--only", multiple=True, type=click.Choice(RENEWED), help="With --last: only this head; repeatable.")
def main(
    *,
    data: Path,
    out: Path,
    checkpoint: Path,
    threads: int,
    fresh: bool,
    more: bool,
    last: bool,
    only: Sequence[str],
) -> None:
    if only and not last:
        raise click.UsageError("--only needs --last, because the adapter is trained with all heads")
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
            scores = _last(sets, reader, progress, only or RENEWED, out)
        else:
            scores = _rounds(sets, reader, trunk, checkpoint, progress, more=more, fresh=fresh, out=out)
    table = Table("on the dev files", "score")
    for name, score in scores.items():
        table.add_row(name, f"{score:.3f}")
    console.print(table)
    console.print(f"{time.monotonic() - begun:.0f} s")


def _last(sets: Data, reader: Reader, progress: Progress, only: Sequence[str], out: Path) -> dict[str, float]:
    """Fit the heads ``only`` on the shipped adapter, and write them into ``out``; return scores on the dev files."""
    shipped = Shipped()
    scores: dict[str, float] = {}
    if "moderation" in only:
        scores |= pooled.polish(shipped, sets, reader, progress) | calibration.harm(shipped, sets, reader)
    if words := [name for name in only if name in polish.PLANS]:
        if "ner" in words:
            shipped.take("ner")
        scores |= polish.polish(shipped, sets, reader, progress, words, resumed=["ner"])
        scores |= calibration.token_heads(shipped, sets, reader, words)
        if "ner" in words:
            transitions.learn(shipped, sets, reader)
    if not (out / MANIFEST).exists():
        shutil.copytree(STARTER_FOLDER, out, dirs_exist_ok=True)
    export.renew({name: shipped.heads[name] for name in only}, out)
    return scores


def _rounds(
    sets: Data,
    reader: Reader,
    trunk: Path,
    checkpoint: Path,
    progress: Progress,
    *,
    more: bool,
    fresh: bool,
    out: Path,
) -> dict[str, float]:
    """Run the whole recipe, or with ``more`` its last round on the shipped pack; return scores on the dev files."""
    saved = [checkpoint, *(checkpoint.with_stem(f"{checkpoint.stem}-{name}") for name in ("again", "last"))]
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    if fresh:
        for file in (*saved, *checkpoint.parent.glob("teacher-*.pt")):
            file.unlink(missing_ok=True)
    learner = joint.Learner(trunk)
    plain = Source("plain", "embedding", joint.teach(learner, sources.plain_texts(sets), reader), 300_000)
    parts = [*sources.first_round(sets, reader), plain]
    if more:
        resume(learner)
    else:
        joint.train(learner, parts, saved[0], progress)
        joint.train(learner, sources.second_round(parts), saved[1], progress, seed=1, peak=0.5)
    experts = teachers.trained(learner, trunk, sets, reader, cache=checkpoint.parent, progress=progress)
    distilled = teachers.distilled(experts, teachers.unlabelled(sets), reader, progress)
    joint.train(learner, sources.last_round(sets, reader, parts, distilled), saved[2], progress, seed=2, peak=0.4)
    scores = polish.polish(learner, sets, reader, progress, distilled=distilled)
    scores |= pooled.polish(learner, sets, reader, progress)
    progress.console.print("choosing temperatures and thresholds")
    scores |= calibration.calibrate(learner, sets, reader)
    transitions.learn(learner, sets, reader)
    export.ship(learner, trunk, out)
    return scores


if __name__ == "__main__":
    main()
