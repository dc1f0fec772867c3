"""Training of a head on a trunk: batches, loss, early stopping, temperature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workers.encoder.packing import Ints
from workers.heads.pack_heads import ScoreMix
from workers.learning.examples import Task
from workers.learning.fit import fit, new_head, tensors
from workers.learning.scores import temperature
from workers.learning.states import POOLING, Source
from workers.learning.targets import Targets, head_labels

KINDS: dict[Task, str] = {
    "sentiment": "sequence", "text-classification": "sequence", "ner": "token", "moderation": "sequence",
}  # fmt: skip
WINDOWS = 32
"""The most windows of a batch."""
TOKENS = 2048
"""The most tokens of a batch, with their padding."""
_SORTED = 512
"""How many windows are sorted by length at a time; no more, so that batches stay random."""
COOLEST, HOTTEST = 0.5, 5.0
"""The bounds of a temperature."""


@dataclass(frozen=True)
class Pace:
    """The length and the rates of a training.

    - ``epochs``: the most epochs; ``patience``: how many may pass without a better loss on dev.
    - ``rate``: the peak learning rate of the head; ``trunk_rate``: of the adapter.
    - ``decay``: weight decay; ``dropout``: of the inputs of linear layers.
    """

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
) -> tuple[ScoreMix, float]:
    """Train a head, and the adapter of ``trunk`` if there is one; return the head and its loss on dev.

    The head is on the CPU, has its temperature, and its weights are rounded as in a file.

    Args:
        task: decides kind, shape and loss of the head.
        labels: without prefixes.
        source: gives the logits of windows.
        targets: of the same windows.
        parts: the numbers of the windows of "train" and of "dev".
        pace: epochs and rates.
        trunk: its parameters that require gradients are trained as well.
        seed: of the weights and the order of batches.
        on_plan: called once with the number of steps.
        on_step: called after each step.
        on_epoch: called with the number of the epoch and its loss on dev.
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
    sizes = np.diff(targets.windows.starts)
    epochs = [batches(parts["train"], sizes, random) for _ in range(pace.epochs)]
    on_plan(sum(map(len, epochs)))
    dev = batches(parts["dev"], sizes)

    def on_dev(head: ScoreMix) -> float:
        losses = [float(targets.loss(source.logits(head, batch), batch)) * len(batch) for batch in dev]
        return -sum(losses) / len(parts["dev"])

    best = fit(
        head, epochs, lambda head, batch: targets.loss(source.logits(head, batch), batch), on_dev,
        rate=pace.rate, decay=pace.decay, dropout=pace.dropout, patience=pace.patience,
        on_step=on_step, on_epoch=lambda epoch, score: on_epoch(epoch, -score),
        trunk=trunk, trunk_rate=pace.trunk_rate,
    )  # fmt: skip
    if task == "moderation":
        # Weighting present labels by a factor has multiplied their odds by it; undo that.
        head.out.bias.data.sub_(targets.positive.log().to(source.device))
    head = as_written(head.cpu()).to(source.device)
    head.temperature.fill_(_temperature(source, head, targets, dev))
    return head.cpu(), -best


def batches(chosen: Ints, sizes: Ints, random: np.random.Generator | None = None) -> list[Ints]:
    """Return the numbers of ``chosen`` windows in batches of similar length.

    Args:
        chosen: the numbers of the windows.
        sizes: the tokens of every window.
        random: shuffles windows and batches; without it, all windows are sorted by length.
    """
    order = chosen if random is None else random.permutation(chosen)
    step = len(order) if random is None else _SORTED
    result: list[Ints] = []
    for first in range(0, len(order), max(1, step)):
        piece = order[first : first + step]
        piece = piece[np.argsort(sizes[piece], kind="stable")]
        begin = 0
        for end in range(1, len(piece) + 1):
            full = end == len(piece) or end - begin == WINDOWS or (end + 1 - begin) * sizes[piece[end]] > TOKENS
            if full:
                result.append(piece[begin:end])
                begin = end
    return result if random is None else [result[index] for index in random.permutation(len(result))]


def as_written(head: ScoreMix) -> ScoreMix:
    """Return ``head`` as it is after writing and loading it: with rounded weights."""
    return ScoreMix(entry(head, ""), tensors(head))


def entry(head: ScoreMix, sha256: str) -> dict[str, Any]:
    """Return the head's entry in ``glossator.json``."""
    described: dict[str, Any] = {
        "sha256": sha256, "kind": head.kind, "labels": list(head.labels), "multi_label": head.multi_label,
        "pooling": list(head.pooling), "context": head.context, "aggregation": head.aggregation,
        "temperature": round(float(head.temperature), 4), "thresholds": head.thresholds,
    }  # fmt: skip
    return described if head.reference is None else {**described, "drift": head.reference}


@torch.no_grad()
def _temperature(source: Source, head: ScoreMix, targets: Targets, dev: Sequence[Ints]) -> float:
    logits: list[Tensor] = []
    expected: list[Tensor] = []
    for batch in dev:
        values, known = targets.probabilities(batch, len(head.labels))
        logits.append(source.logits(head, batch).float().cpu()[known])
        expected.append(values[known])
    best = temperature(torch.cat(logits), torch.cat(expected), multi_label=head.multi_label)
    # Without a mistake on dev the best temperature is 0; an overflow gives NaN.
    return min(max(best, COOLEST), HOTTEST) if best == best else 1.0  # noqa: PLR0124
