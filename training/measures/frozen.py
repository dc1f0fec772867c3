"""The unadapted trunk, and linear layers on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor
from torch.nn import functional
from transformers import BertModel

from training.data import Data
from training.measures.base import Bench
from training.reading import Item, Reader, Unit, collate, in_parts
from workers.encoder.casing import SIDES
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

TOKENS = 4096
DECAY = 1e-4
T = TypeVar("T")
Linear: TypeAlias = Callable[[Tensor], Tensor]


class Frozen:
    """The unadapted trunk, and the labelled texts. ``limit``: at most so many examples of each file."""

    def __init__(self, data: Data, limit: int | None) -> None:
        folder = Path(HeadPack.open(STARTER, STARTER_FOLDER).trunk().model)
        self.bench = Bench(str(folder), data, limit)
        self.data, self.read = data, self.bench.read
        self.reader = Reader(folder)
        self.model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()  # type: ignore[no-untyped-call]

    def thin(self, units: Sequence[T], most: int | None = None) -> list[T]:
        most = min(filter(None, (self.bench.limit, most)), default=None)
        return list(units[:: max(1, len(units) // most)][:most]) if most else list(units)

    @torch.no_grad()
    def states(self, items: Sequence[Item], keep: Callable[[Tensor], Tensor] = Tensor.half) -> list[Tensor]:
        """Return the last layer of each sequence, ``[tokens, H]``, or the result of ``keep`` for it."""
        outputs: list[Tensor] = [torch.empty(0)] * len(items)
        for part in in_parts([Unit([item], place) for place, item in enumerate(items)], TOKENS):
            ids, types, mask = collate([unit.items[0] for unit in part], None)
            # The unadapted trunk does not read capitals.
            last = self.model(ids, token_type_ids=types % SIDES, attention_mask=mask).last_hidden_state
            for unit, row in zip(part, last, strict=True):
                outputs[unit.target] = keep(row[: len(unit)])
        return outputs

    def vectors(self, units: Sequence[Unit]) -> Tensor:
        return torch.stack(self.states([unit.items[0] for unit in units], lambda row: row.mean(0)))

    def pairs(self, firsts: Sequence[str], seconds: Sequence[str]) -> Tensor:
        texts = list(dict.fromkeys([*firsts, *seconds]))
        rows = self.vectors([Unit([self.reader.text(text)[0]], None) for text in texts])
        place = {text: row for row, text in enumerate(texts)}
        return joined(rows[[place[text] for text in firsts]], rows[[place[text] for text in seconds]])


def joined(u: Tensor, v: Tensor) -> Tensor:
    return torch.cat([u, v, (u - v).abs(), u * v], dim=-1)


def fit(features: Tensor, targets: Tensor, *, multi_label: bool = False, weights: Tensor | None = None) -> Linear:
    """Logistic regression with a little weight decay. ``targets``: probabilities ``[n, labels]``. Returns logits."""
    middle, spread = features.float().mean(0), features.float().std(0) + 1e-6
    scaled = (features.float() - middle) / spread
    each = torch.ones(len(scaled)) if weights is None else weights
    layer = torch.nn.Linear(scaled.shape[1], targets.shape[1])
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimizer.zero_grad()
        logits = layer(scaled)
        if multi_label:
            loss = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1)
        else:
            loss = -(targets * logits.log_softmax(1)).sum(1)
        total: Tensor = (loss * each).sum() / each.sum() + DECAY * layer.weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(step)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def logits(rows: Tensor) -> Tensor:
        return layer((rows.float() - middle) / spread)  # type: ignore[no-any-return]

    return logits


def one_hot(labels: Sequence[str], names: Sequence[str]) -> Tensor:
    return functional.one_hot(torch.tensor([names.index(label) for label in labels]), len(names)).float()
