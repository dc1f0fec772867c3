"""A second fit of names, parts of speech and personal data on the finished trunk: wider heads, in minutes.

While ten heads train one adapter, none of them converges. Afterwards the trunk is frozen, its states are computed
once, and the token heads are fitted to them; the best epoch is chosen on the dev files. Personal data have no dev file:
with a fifth of the templates held out, more epochs were always better.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from torch import Tensor

from training import calibration, tokens
from training.data import Data
from training.reading import Reader, Unit, collate, in_parts
from training.shipped import LearnerLike
from workers.heads.pack_heads import ScoreMix
from workers.learning.fit import fit, new_head

BATCH = 4096
NAMES = {
    "uner_ewt": 1.0, "uner_ewt runs": 0.8, "uner_ewt exchanged": 0.5, "wikigold": 2.0, "wikigold runs": 1.5,
    "wikigold exchanged": 1.5, "wnut17": 0.8, "wnut17 exchanged": 0.4, "btc": 0.4, "invented": 0.3, "distilled": 0.5,
    "stories": 1.0,
}  # fmt: skip
"""How often each sentence of a set occurs in an epoch."""
PRIVATE = {
    "presidio": 1.0, "uner_ewt": 0.25, "uner_ewt runs": 0.1, "wikigold": 1.0, "wikigold runs": 0.5, "wnut17": 0.3,
    "btc": 0.2,
}  # fmt: skip


class Plan(NamedTuple):
    """At most ``epochs``, or fewer: it stops after ``patience`` epochs without a better score.

    A head that exists goes on from where it is: at ``AGAIN`` of the rate, for ``again`` epochs.
    """

    labels: list[str]
    shares: dict[str, float]
    epochs: int
    patience: int = 4
    again: int = 5


PLANS = {
    "ner": Plan(tokens.NER_LABELS, NAMES, 14),
    "pos": Plan(tokens.POS_LABELS, {"uner_ewt": 1.0, "uner_ewt runs": 0.5}, 14),
    "pii": Plan(tokens.PII_LABELS, PRIVATE, 14),
}
RATE, AGAIN = 2e-3, 0.5
SHAPE: dict[str, Any] = {"kind": "token", "reduce": 128, "hidden": 160, "context": 2}


class States:
    """Hidden states of units, float16 ``[tokens, layers, size]``, and where those of each unit start."""

    def __init__(self, learner: LearnerLike, units: Sequence[Unit], progress: Progress, *, vary: bool) -> None:
        """``vary``: turn some sentences into lower case or capitals."""
        self.units = list(units)
        config = learner.trunk.config
        self.starts = np.cumsum([0, *(len(unit) for unit in self.units)])
        self.values: NDArray[np.float16] = np.empty(
            (int(self.starts[-1]), config.num_hidden_layers + 1, config.hidden_size), np.float16
        )
        place = {id(unit): int(start) for unit, start in zip(self.units, self.starts, strict=False)}
        chance = np.random.default_rng(5) if vary else None
        bar = progress.add_task("hidden states", total=len(self.units))
        for part in in_parts(self.units, BATCH):
            with torch.no_grad():
                hidden, starts, _ = learner(*collate([unit.items[0] for unit in part], chance))
            stacked = torch.stack([layer[0] for layer in hidden], dim=1).half().numpy()
            for unit, first, last in zip(part, starts.tolist(), starts[1:].tolist(), strict=False):
                self.values[place[id(unit)] : place[id(unit)] + last - first] = stacked[first:last]
            progress.advance(bar, len(part))
        progress.remove_task(bar)

    def batch(self, chosen: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """Return layers ``[1, T, size]`` and the starts of the ``chosen`` units."""
        rows = np.concatenate([np.arange(self.starts[unit], self.starts[unit + 1]) for unit in chosen])
        values = torch.from_numpy(self.values[rows]).float()
        starts = torch.tensor([0, *np.cumsum([len(self.units[unit]) for unit in chosen])])
        return [layer.unsqueeze(0) for layer in values.unbind(1)], starts

    def logits(self, head: ScoreMix) -> list[Tensor]:
        """Return logits per unit, ``[tokens, labels]``."""
        out: list[Tensor] = []
        with torch.no_grad():
            for first in range(0, len(self.units), 256):
                hidden, starts = self.batch(range(first, min(first + 256, len(self.units))))
                out += head(hidden, starts).split(starts.diff().tolist())
        return out


def polish(
    learner: LearnerLike, data: Data, reader: Reader, progress: Progress, only: Collection[str] = PLANS.keys(),
    *, distilled: Sequence[Unit] = (), resumed: Collection[str] = (),
) -> dict[str, float]:  # fmt: skip
    """Replace the learner's heads for the tasks ``only``, which are among ``PLANS``; return their dev scores.

    ``resumed``: the tasks whose heads are not replaced but learn more.
    ``distilled``: texts with the answers of ``training.teachers``; they are the set "distilled" of ``NAMES``.
    """
    learner.eval()
    tagged = {
        split: {example["text"]: example for example in data.read(f"pos/ewt.{split}")} for split in ("train", "dev")
    }

    def named(split: str) -> dict[str, list[Unit]]:
        return {
            name: tokens.named(data, reader, name, split, tagged[split])
            for name in ("uner_ewt", "wikigold", "wnut17", "btc")
        }

    plans = {task: plan for task, plan in PLANS.items() if task in only}
    needed = {name for plan in plans.values() for name in plan.shares}
    sets = {
        **named("train"), "invented": tokens.invented(reader), "presidio": tokens.presidio(data, reader, "train"),
        **tokens.augmented(data, reader, tagged["train"]), "distilled": list(distilled),
        "stories": tokens.told(reader),
    }  # fmt: skip
    sets = {name: units for name, units in sets.items() if name in needed}
    dev_sets = {
        **named("dev"),
        **{f"{name} runs": tokens.in_runs(data, reader, name, "dev") for name in ("uner_ewt", "wikigold")},
        "stories": tokens.told_on_dev(reader),
    }  # fmt: skip
    states = States(learner, [unit for units in sets.values() for unit in units], progress, vary=True)
    names = np.array([name for name, units in sets.items() for _ in units])
    on_dev = {name: States(learner, units, progress, vary=False) for name, units in dev_sets.items() if name != "btc"}

    marks_misc = {*tokens.MARKS_MISC, "stories"}

    def score(task: str, head: ScoreMix, epoch: int) -> float:
        if task == "pii":
            return epoch
        if task == "pos":
            return _accuracy(on_dev["uner_ewt"], head)
        return float(np.mean([
            calibration.span_score(dev.units, dev.logits(head), "average", misc=name.split()[0] in marks_misc)
            for name, dev in on_dev.items()
        ]))  # fmt: skip

    out = {}
    for task, plan in plans.items():
        torch.manual_seed(11)
        shape = states.values.shape
        head: Any = learner.heads[task] if task in resumed else new_head(
            plan.labels, shape[1], shape[2], aggregation="first" if task == "pii" else "average", **SHAPE
        )  # fmt: skip
        most = plan.again if task in resumed else plan.epochs
        taught = np.array([task in unit.target and tokens.counts(unit.target[task]) for unit in states.units])
        random, epoch = np.random.default_rng(11), itertools.count(1)
        epochs = [_batches(states, plan.shares, names, np.flatnonzero(taught), random) for _ in range(most)]
        bar = progress.add_task(f"{task} again", total=sum(map(len, epochs)))

        def loss(head: ScoreMix, chosen: Sequence[int], task: str = task) -> Tensor:
            logits = head(*states.batch(chosen))
            return tokens.loss(logits, np.concatenate([states.units[unit].target[task] for unit in chosen]))

        def value_on_dev(head: ScoreMix, task: str = task, epoch: Iterator[int] = epoch) -> float:
            return score(task, head, next(epoch))

        def on_epoch(epoch: int, value: float, task: str = task) -> None:
            progress.console.print(f"{task}, epoch {epoch}: {value:.4f} on dev" if task != "pii" else f"pii, {epoch}")

        best = fit(
            head, epochs, loss, value_on_dev, rate=RATE * (AGAIN if task in resumed else 1.0),
            decay=0.05, dropout=0.25, patience=plan.patience, on_epoch=on_epoch,
            on_step=partial(progress.advance, bar),
        )  # fmt: skip
        if task != "pii":
            out[f"{task} again"] = best
        progress.remove_task(bar)
        learner.heads[task] = head
    return out


def _batches(
    states: States,
    shares: dict[str, float],
    names: NDArray[np.str_],
    taught: NDArray[np.int64],
    random: np.random.Generator,
) -> list[list[int]]:
    """Return the batches of one epoch."""
    keep = [unit for unit in taught for _ in range(int(shares.get(names[unit], 0.0) + random.random()))]
    order = random.permutation(keep)
    made: list[list[int]] = [[]]
    size = 0
    for unit in order:
        if made[-1] and size + len(states.units[unit]) > BATCH:
            made.append([])
            size = 0
        made[-1].append(int(unit))
        size += len(states.units[unit])
    return made


def _accuracy(states: States, head: ScoreMix) -> float:
    hits = []
    for unit, logits in zip(states.units, states.logits(head), strict=True):
        if "pos" in unit.target:
            single = torch.from_numpy(~unit.target["pos"].all(1))
            truth = torch.from_numpy(unit.target["pos"].astype(np.float32))[single]
            hits.append(truth.argmax(1) == logits[single].argmax(1))
    return float(torch.cat(hits).float().mean())
