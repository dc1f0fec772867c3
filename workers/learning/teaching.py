"""A head learnt on a trunk: batches, loss, early stopping, temperature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workers.encoder.packing import Ints
from workers.heads.pack_heads import StarterHead
from workers.learning.examples import Task
from workers.learning.fit import fit, new_head, tensors
from workers.learning.scores import temperature
from workers.learning.states import POOLING, Source
from workers.learning.targets import Targets, head_labels

KINDS: dict[Task, str] = {
    "sentiment": "sequence", "text-classification": "sequence", "ner": "token", "moderation": "sequence",
}  # fmt: skip
WINDOWS = 32
TOKENS = 2048
"""A batch has at most so many windows, and tokens with their padding."""
_SORTED = 512
"""Windows are sorted by length in pieces of so many, so that batches stay mixed."""
COOLEST, HOTTEST = 0.5, 5.0


@dataclass(frozen=True)
class Pace:
    """How long and how fast it learns. ``rate``: of the head; ``trunk_rate``: of the adapter."""

    epochs: int
    patience: int
    rate: float
    trunk_rate: float = 0.0
    decay: float = 0.05
    dropout: float = 0.2


PACES = {"sequence": Pace(30, 6, 1e-3), "token": Pace(20, 4, 2e-3)}
ADAPTING = Pace(10, 3, 1e-3, 5e-4)


def teach(
    task: Task,
    labels: Sequence[str],
    source: Source,
    targets: Targets,
    *,
    parts: Mapping[str, Ints],
    pace: Pace,
    trunk: nn.Module | None,
    seed: int,
    on_plan: Callable[[int], object],
    on_step: Callable[[], object],
    on_epoch: Callable[[int, float], object],
) -> tuple[StarterHead, float]:
    """A head with its temperature, and its loss on dev; of ``trunk`` what wants gradients has learnt, too.

    ``parts``: "train" and "dev", windows. ``on_plan`` is told the number of steps, ``on_epoch`` the loss on dev.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    kind, names = KINDS[task], head_labels(task, labels)
    shape: dict[str, Any] = (
        {"reduce": 128, "hidden": 128, "context": 1, "aggregation": "first"} if kind == "token"
        else {"hidden": 128, "pooling": POOLING}
    )  # fmt: skip
    head = new_head(names, source.layers, source.size, kind=kind, multi_label=task == "moderation", **shape)
    head.to(source.device)
    sizes = np.diff(targets.read.starts)
    epochs = [batches(parts["train"], sizes, random) for _ in range(pace.epochs)]
    on_plan(sum(map(len, epochs)))
    dev = batches(parts["dev"], sizes)

    def on_dev(head: StarterHead) -> float:
        losses = [float(targets.loss(source.logits(head, batch), batch)) * len(batch) for batch in dev]
        return -sum(losses) / len(parts["dev"])

    best = fit(
        head, epochs, lambda head, batch: targets.loss(source.logits(head, batch), batch), on_dev,
        rate=pace.rate, decay=pace.decay, dropout=pace.dropout, patience=pace.patience,
        on_step=on_step, on_epoch=lambda epoch, score: on_epoch(epoch, -score),
        trunk=trunk, trunk_rate=pace.trunk_rate,
    )  # fmt: skip
    if task == "moderation":
        # Taking a label that is there for more than it counts has moved its odds by just that.
        head.out.bias.data.sub_(targets.positive.log().to(source.device))
    head = as_written(head.cpu()).to(source.device)
    head.temperature.fill_(_temperature(source, head, targets, dev))
    return head.cpu(), -best


def batches(chosen: Ints, sizes: Ints, random: np.random.Generator | None = None) -> list[Ints]:
    """``chosen`` windows in batches of like length; without ``random`` sorted all through."""
    order = chosen if random is None else random.permutation(chosen)
    step = len(order) if random is None else _SORTED
    made: list[Ints] = []
    for first in range(0, len(order), max(1, step)):
        piece = order[first : first + step]
        piece = piece[np.argsort(sizes[piece], kind="stable")]
        begin = 0
        for end in range(1, len(piece) + 1):
            full = end == len(piece) or end - begin == WINDOWS or (end + 1 - begin) * sizes[piece[end]] > TOKENS
            if full:
                made.append(piece[begin:end])
                begin = end
    return made if random is None else [made[index] for index in random.permutation(len(made))]


def as_written(head: StarterHead) -> StarterHead:
    """``head`` as it comes back from its file, whose weights are rounded."""
    return StarterHead(entry(head, ""), tensors(head))


def entry(head: StarterHead, sha256: str) -> dict[str, Any]:
    """What ``glossator.json`` says of a head."""
    return {
        "sha256": sha256, "kind": head.kind, "labels": list(head.labels), "multi_label": head.multi_label,
        "pooling": list(head.pooling), "context": head.context, "aggregation": head.aggregation,
        "temperature": round(float(head.temperature), 4), "thresholds": head.thresholds,
    }  # fmt: skip


@torch.no_grad()
def _temperature(source: Source, head: StarterHead, targets: Targets, dev: Sequence[Ints]) -> float:
    logits: list[Tensor] = []
    wanted: list[Tensor] = []
    for batch in dev:
        values, known = targets.probabilities(batch, len(head.labels))
        logits.append(source.logits(head, batch).float().cpu()[known])
        wanted.append(values[known])
    found = temperature(torch.cat(logits), torch.cat(wanted), multi_label=head.multi_label)
    # A dev split without a mistake would have it go to nothing, and what overflows is no number.
    return min(max(found, COOLEST), HOTTEST) if found == found else 1.0  # noqa: PLR0124
