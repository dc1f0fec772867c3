"""What sentiment and moderation share: pooled features, soft targets, weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from torch import Tensor

from training.features import Halves, Trunk
from training.fit import Batch, fit, new_head
from workers.starter.heads import StarterHead

POOLING = ("mean", "first")
TEXTS_PER_BATCH = 256


@dataclass
class Texts:
    """Labelled texts: ``targets`` are probabilities over the labels, ``weight`` counts in loss and measures."""

    name: str
    texts: list[str] = field(default_factory=list)
    targets: list[tuple[float, ...]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, text: str, target: Sequence[float], weight: float = 1.0) -> None:
        self.texts.append(text)
        self.targets.append(tuple(target))
        self.weights.append(weight)

    def limit(self, count: int, seed: int = 0) -> Texts:
        """At most ``count`` of the texts, drawn with a fixed seed."""
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self.texts))[:count])
        cut = Texts(self.name)
        for index in chosen:
            cut.add(self.texts[index], self.targets[index], self.weights[index])
        return cut


class Pool:
    """Several ``Texts`` with their pooled hidden states, in one array each."""

    def __init__(self, parts: Sequence[Texts], trunk: Trunk) -> None:
        self.parts = [part for part in parts if part.texts]
        self.states: Halves = np.concatenate([trunk.pooled(part.name, part.texts) for part in self.parts])
        self.targets = np.array([row for part in self.parts for row in part.targets], dtype=np.float32)
        self.weights = np.array([row for part in self.parts for row in part.weights], dtype=np.float32)
        self.texts = [text for part in self.parts for text in part.texts]

    def steps(self) -> int:
        return -(-len(self.texts) // TEXTS_PER_BATCH)

    def batches(self, random: np.random.Generator) -> Iterator[Batch]:
        order = random.permutation(len(self.texts))
        for first in range(0, len(order), TEXTS_PER_BATCH):
            rows = order[first : first + TEXTS_PER_BATCH]
            yield (
                torch.from_numpy(self.states[rows]),
                torch.from_numpy(self.targets[rows]),
                torch.from_numpy(self.weights[rows]),
            )

    @torch.no_grad()
    def logits(self, head: StarterHead) -> Tensor:
        parts = [
            project(head, torch.from_numpy(self.states[first : first + 2048]))
            for first in range(0, len(self.texts), 2048)
        ]
        return torch.cat(parts)


def project(head: StarterHead, states: Tensor) -> Tensor:
    """Logits from pooled states ``[N, layers, 2 * size]``; pooling and mixing are linear, so they may change places."""
    return head.project(torch.einsum("nld,l->nd", states.float(), head.mix))


def train(
    name: str,
    labels: list[str],
    pool: Pool,
    score: Callable[[StarterHead], float],
    *,
    trunk: Trunk,
    progress: Progress,
    multi_label: bool,
    hidden: int = 128,
    **options: Any,
) -> StarterHead:
    """A sequence head fitted on ``pool``, left at the epoch whose ``score`` was best."""

    def loss(head: StarterHead, states: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        logits = project(head, states)
        if multi_label:
            each = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1)
        else:
            each = -(targets * logits.log_softmax(1)).sum(1)
        return (each * weights).mean()

    torch.manual_seed(0)
    random = np.random.default_rng(0)
    head = new_head(
        labels, trunk.layers, trunk.size, kind="sequence", pooling=POOLING, hidden=hidden, multi_label=multi_label
    )
    settings = {"epochs": 15, "rate": 1e-3, "decay": 0.05, "dropout": 0.2} | options
    fit(head, lambda: pool.batches(random), loss, score, steps=pool.steps(), progress=progress, name=name, **settings)
    return head


def probabilities(head: StarterHead, pool: Pool) -> NDArray[np.float32]:
    logits = pool.logits(head)
    scores: NDArray[np.float32] = (logits.sigmoid() if head.multi_label else logits.softmax(1)).numpy()
    return scores
