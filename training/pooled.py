"""A second fit of moderation on the finished trunk: a wider head on states that are computed once.

Like ``training.polish``, but for a head that reads whole texts and needs the mean and the first of their tokens. The
best epoch is chosen on tweets and on held-out templates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from torch import Tensor

from training import moderation, sources
from training.data import Data
from training.harm import making
from training.reading import Reader, Unit, collate, in_parts
from training.shipped import LearnerLike
from workers.encoder.pooling import reduced
from workers.heads.pack_heads import ScoreMix
from workers.learning.fit import fit, new_head
from workers.learning.scores import auroc
from workers.learning.states import POOLING

TOKENS = 4096
BATCH = 256
EPOCHS = 8


@torch.no_grad()
def pooled(learner: LearnerLike, units: Sequence[Unit], progress: Progress, *, vary: bool) -> NDArray[np.float16]:
    """Per unit the mean and the first of its tokens' hidden states, ``[units, 2, layers, size]``.

    ``vary``: turn some texts into lower case or capitals.
    """
    config = learner.trunk.config
    out = np.empty((len(units), 2, config.num_hidden_layers + 1, config.hidden_size), np.float16)
    place = {id(unit): number for number, unit in enumerate(units)}
    chance = np.random.default_rng(6) if vary else None
    bar = progress.add_task("hidden states of texts", total=len(units))
    for part in in_parts(units, TOKENS):
        hidden, starts, _ = learner(*collate([unit.items[0] for unit in part], chance))
        layers = torch.stack([layer[0] for layer in hidden], dim=1)
        means = reduced(layers.flatten(1), starts, "mean").view(len(part), *layers.shape[1:])
        out[[place[id(unit)] for unit in part]] = torch.stack([means, layers[starts[:-1]]], dim=1).half().numpy()
        progress.advance(bar, len(part))
    progress.remove_task(bar)
    return out


def _logits(head: ScoreMix, values: NDArray[np.float16]) -> Tensor:
    mixed = torch.einsum("l,npls->nps", head.mix, torch.from_numpy(values).float())
    return head.project(mixed.flatten(1))


def polish(learner: LearnerLike, data: Data, reader: Reader, progress: Progress) -> dict[str, float]:
    """Replace the learner's moderation head by a new one; return its scores on dev.

    Its epoch is the one with the best sum of three-way F1 on tweets and AUROC on held-out templates.
    """
    learner.eval()
    units = sources.harmful(data, reader)
    values = pooled(learner, units, progress, vary=True)
    targets = torch.from_numpy(np.stack([unit.target for unit in units]))
    weights = torch.tensor([unit.weight for unit in units])
    dev = pooled(learner, sources.classified(reader, [moderation.tweets(data, "dev")]), progress, vary=False)
    gold = moderation.classes(data, "dev")
    templates = making.texts("dev")
    held_out = pooled(learner, sources.classified(reader, [templates]), progress, vary=False)
    wanted = np.array([max(target[:2]) > 0.5 for target in templates.targets])
    torch.manual_seed(11)
    head = new_head(
        moderation.LABELS, values.shape[2], values.shape[3], kind="sequence", hidden=256, pooling=POOLING,
        multi_label=True,
    )  # fmt: skip
    random = np.random.default_rng(11)
    epochs = [np.array_split(random.permutation(len(units)), len(units) // BATCH) for _ in range(EPOCHS)]
    bar = progress.add_task("moderation again", total=sum(map(len, epochs)))

    def loss(head: ScoreMix, chosen: NDArray[np.int64]) -> Tensor:
        logits = _logits(head, values[chosen])
        return (moderation.loss(logits, targets[chosen]) * weights[chosen]).mean()

    def score(head: ScoreMix) -> float:
        on_tweets, on_templates = (_logits(head, values).sigmoid().numpy() for values in (dev, held_out))
        ranked = auroc(wanted, on_templates[:, :2].max(1))
        return moderation.best_thresholds(on_tweets, gold, lambda *_: 0.0)[1] + ranked

    best = fit(
        head, epochs, loss, score, rate=1e-3, decay=0.2, dropout=0.4, patience=EPOCHS,
        on_epoch=lambda epoch, value: progress.console.print(f"moderation, epoch {epoch}: {value:.4f} on dev"),
        on_step=lambda: progress.advance(bar),
    )  # fmt: skip
    progress.remove_task(bar)
    learner.heads["moderation"] = head
    return {"moderation again, F1 + AUROC": best}
