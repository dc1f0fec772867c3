"""Measure recipes of personal data without the test templates: five fits, each without a fifth of the train templates.

python -m training.folds --data ../shared/data    about half an hour; the adapter is the shipped one

Templates that are nearly alike are in the same fold. Addresses count as ``training.personal.whole`` joins them.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from training import export, tokens
from training.data import Data
from training.measures.base import Bench
from training.measures.metrics import Span, f2, ratio, span_counts, touched
from training.measures.words import UNMARKED, spans
from training.polish import PLANS, SHAPE, States
from training.reading import Reader, Unit
from training.shipped import Shipped
from workers.heads.pack_heads import ScoreMix
from workers.learning.fit import fit, new_head
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

FOLDS = 5
BATCH = 200
"""Texts of one step."""
ALIKE = 0.5
"""The share of common words (Jaccard) from which two templates are nearly alike."""


@click.command(help=__doc__)
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--threads", default=2, show_default=True)
def main(*, data: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    console, sets = Console(), Data(data)
    reader = Reader(Path(HeadPack.open(STARTER, STARTER_FOLDER).trunk().model))
    plan = PLANS["pii"]
    units = {"presidio": tokens.presidio(sets, reader, "train")}
    for name in plan.shares.keys() & {"uner_ewt", "wikigold", "wnut17", "btc"}:
        units[name] = tokens.named(sets, reader, name, "train")
    shares = np.array([plan.shares[name] for name, made in units.items() for _ in made])
    every = [unit for made in units.values() for unit in made]
    shipped = Shipped()
    shipped.eval()
    with Progress(console=console) as progress:
        states = States(shipped, every, progress, vary=True)
    fold = folds_of([unit.target.get("template") for unit in every])
    counts: list[tuple[int, int, int]] = []
    touches: list[tuple[int, int]] = []
    hits: dict[str, list[bool]] = {}
    for number in range(FOLDS):
        head = fitted(states, np.where(fold == number, 0.0, shares))
        held_out = [unit for unit, at in zip(every, fold, strict=True) if at == number and unit.target["as_labelled"]]
        for gold, predicted in annotated(head, held_out, sets):
            counts.append(span_counts(gold, predicted))
            touches.append((touched(gold, predicted), len(gold)))
            for span in gold:
                hits.setdefault(span[2], []).append(span in predicted)
        console.print(f"fold {number + 1}: span F2 so far {f2(*np.sum(counts, 0)):.3f}")
    console.print(f"recall of overlaps of any type: {ratio(*np.sum(touches, 0)):.3f}")
    for label, outcomes in sorted(hits.items()):
        console.print(f"recall {label}: {np.mean(outcomes):.3f} of {len(outcomes)}")


def folds_of(templates: Sequence[str | None]) -> NDArray[np.int64]:
    """Return the fold of each text, from 0; -1 for texts without a template, which are in all fits."""
    names = sorted({template for template in templates if template is not None})
    group = dict(zip(names, alike(names), strict=True))
    numbers = sorted(set(group.values()))
    random.Random(4).shuffle(numbers)
    fold = {number: place % FOLDS for place, number in enumerate(numbers)}
    return np.array([-1 if template is None else fold[group[template]] for template in templates])


def alike(templates: Sequence[str]) -> list[int]:
    """Return per template a number that it shares with all that are nearly alike, directly or through others."""
    contents = [set(re.findall(r"[a-z']+", re.sub(r"\{+\w+\}+", " ", template.lower()))) for template in templates]
    group = list(range(len(templates)))
    for place, words in enumerate(contents):
        for other, others in enumerate(contents[:place]):
            if words == others or len(words & others) >= ALIKE * len(words | others):
                old, new = group[place], group[other]
                group = [new if number == old else number for number in group]
    return group


def fitted(states: States, shares: NDArray[np.float64]) -> ScoreMix:
    """Return a head that has learnt from each text as often as its share says; as ``training.polish`` fits it."""
    torch.manual_seed(11)
    plan, shape, chance = PLANS["pii"], states.values.shape, np.random.default_rng(11)
    head = new_head(plan.labels, shape[1], shape[2], aggregation="first", **SHAPE)
    epochs = []
    for _ in range(plan.epochs):
        order = chance.permutation(np.flatnonzero(chance.random(len(shares)) < shares))
        epochs.append(np.array_split(order, max(1, len(order) // BATCH)))

    def loss(head: ScoreMix, chosen: NDArray[np.int64]) -> Tensor:
        logits = head(*states.batch(chosen.tolist()))
        return tokens.loss(logits, np.concatenate([states.units[unit].target["pii"] for unit in chosen]))

    # The last epoch counts as the best.
    number = itertools.count()
    fit(
        head, epochs, loss, lambda head: next(number), rate=2e-3, decay=0.05, dropout=0.25, patience=plan.patience,
        on_epoch=lambda epoch, value: None, on_step=lambda: None,
    )  # fmt: skip
    return head


def annotated(head: ScoreMix, units: Iterable[Unit], data: Data) -> list[tuple[set[Span], set[Span]]]:
    """Return the labelled and the predicted spans of each text, of the pack with ``head`` as users get it."""
    units = list(units)
    with tempfile.TemporaryDirectory() as folder:
        pack = Path(folder) / "pack"
        shutil.copytree(STARTER_FOLDER, pack)
        export.renew({"pii": head}, pack)
        results = Bench(str(pack), data).annotate({"task": "pii"}, [unit.target["text"] for unit in units])
    return [
        (
            {
                (span["start"], span["end"], tokens.PII_NAMES.get(span["label"], span["label"]))
                for span in unit.target["spans"]
            },
            {span for span in spans(result) if span[2] not in UNMARKED.get(unit.target["set"], set())},
        )
        for unit, result in zip(units, results, strict=True)
    ]


if __name__ == "__main__":
    main()
