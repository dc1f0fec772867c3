"""Names and parts of speech once more, on the trunk as it has become: wider heads, which learn in minutes.

While ten heads pull at one adapter none of them settles. Afterwards the trunk stands still, its states are computed
once, and the token heads are fitted to them, the best epoch chosen on the dev files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from torch import Tensor

from training import calibration, tokens
from training.data import Data
from training.joint import Learner
from training.reading import Reader, Unit, collate, in_parts
from workers.learning.fit import fit, new_head
from workers.starter.heads import StarterHead

EPOCHS, PATIENCE = 14, 4
BATCH = 4096
SHARES = {"uner_ewt": 1.0, "wikigold": 1.0, "wnut17": 0.6, "btc": 0.4, "invented": 0.3}
"""Of each set's sentences in an epoch; wikigold is small and comes twice."""
TWICE = {"wikigold"}
SHAPE: dict[str, Any] = {"kind": "token", "reduce": 128, "hidden": 160, "context": 2}


class States:
    """Hidden states of units, float16 ``[tokens, layers, size]``, and where each unit's begin."""

    def __init__(self, learner: Learner, units: Sequence[Unit], progress: Progress, *, vary: bool) -> None:
        """``vary``: some sentences are read in small letters, or in capitals."""
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
        """Layers ``[1, T, size]`` and the starts of the units ``chosen``."""
        rows = np.concatenate([np.arange(self.starts[unit], self.starts[unit + 1]) for unit in chosen])
        values = torch.from_numpy(self.values[rows]).float()
        starts = torch.tensor([0, *np.cumsum([len(self.units[unit]) for unit in chosen])])
        return [layer.unsqueeze(0) for layer in values.unbind(1)], starts

    def logits(self, head: StarterHead) -> list[Tensor]:
        """Of each unit, ``[tokens, labels]``."""
        out: list[Tensor] = []
        with torch.no_grad():
            for first in range(0, len(self.units), 256):
                hidden, starts = self.batch(range(first, min(first + 256, len(self.units))))
                out += head(hidden, starts).split(starts.diff().tolist())
        return out


def polish(learner: Learner, data: Data, reader: Reader, progress: Progress) -> dict[str, float]:
    """Puts new heads for ``ner`` and ``pos`` in the place of the learner's. Returns their dev scores."""
    learner.eval()
    tagged = {split: {one["text"]: one for one in data.read(f"pos/ewt.{split}")} for split in ("train", "dev")}

    def named(split: str) -> dict[str, list[Unit]]:
        return {
            name: tokens.named(data, reader, name, split, tagged[split])
            for name in ("uner_ewt", "wikigold", "wnut17", "btc")
        }

    sets = {**named("train"), "invented": tokens.invented(reader)}
    dev = named("dev")
    states = States(learner, [unit for units in sets.values() for unit in units], progress, vary=True)
    names = np.array([name for name, units in sets.items() for _ in units])
    on_dev = {name: States(learner, dev[name], progress, vary=False) for name in ("uner_ewt", "wikigold", "wnut17")}
    out = {}
    for task, labels in (("ner", tokens.NER_LABELS), ("pos", tokens.POS_LABELS)):
        torch.manual_seed(11)
        head = new_head(labels, states.values.shape[1], states.values.shape[2], aggregation="average", **SHAPE)
        taught = np.array([not unit.target[task].all() if task in unit.target else False for unit in states.units])
        random = np.random.default_rng(11)
        epochs = [_batches(states, names, np.flatnonzero(taught), random) for _ in range(EPOCHS)]
        bar = progress.add_task(f"{task} again", total=sum(map(len, epochs)))

        def loss(head: StarterHead, chosen: Sequence[int], task: str = task) -> Tensor:
            logits = head(*states.batch(chosen))
            allowed = torch.from_numpy(np.concatenate([states.units[unit].target[task] for unit in chosen]))
            learn = ~allowed.all(1)
            return -logits[learn].log_softmax(1).masked_fill(~allowed[learn], -torch.inf).logsumexp(1).mean()

        def score(head: StarterHead, task: str = task) -> float:
            if task == "pos":
                return _accuracy(on_dev["uner_ewt"], head)
            return float(np.mean([
                calibration.span_score(one.units, one.logits(head), "average", misc=name in tokens.MARKS_MISC)
                for name, one in on_dev.items()
            ]))  # fmt: skip

        def on_epoch(epoch: int, value: float, task: str = task) -> None:
            progress.console.print(f"{task}, epoch {epoch}: {value:.4f} on dev")

        out[f"{task} again"] = fit(
            head, epochs, loss, score, rate=2e-3, decay=0.05, dropout=0.25, patience=PATIENCE,
            on_epoch=on_epoch, on_step=lambda bar=bar: progress.advance(bar),
        )  # fmt: skip
        progress.remove_task(bar)
        learner.heads[task] = head
    return out


def _batches(
    states: States, names: NDArray[np.str_], taught: NDArray[np.int64], random: np.random.Generator
) -> list[list[int]]:
    """The batches of one epoch."""
    keep = [unit for unit in taught if random.random() < SHARES[names[unit]]]
    keep += [unit for unit in taught if names[unit] in TWICE]
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


def _accuracy(states: States, head: StarterHead) -> float:
    hits = []
    for unit, logits in zip(states.units, states.logits(head), strict=True):
        if "pos" in unit.target:
            one = torch.from_numpy(~unit.target["pos"].all(1))
            truth = torch.from_numpy(unit.target["pos"].astype(np.float32))[one]
            hits.append(truth.argmax(1) == logits[one].argmax(1))
    return float(torch.cat(hits).float().mean())
