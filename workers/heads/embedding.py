"""The head of an embedding: a sequence as one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from workers.encoder.packing import PackedBatch
from workers.encoder.pooling import first_tokens, means
from workers.encoder.trunk import States
from workers.heads.base import Head


class EmbeddingHead(Head):
    """Pools the last layer: the mean over a sequence, special tokens included, or its first token."""

    def __init__(self, pooling: Literal["mean", "cls"]) -> None:
        """Pool by the mean of all tokens, or by the first token ("cls")."""
        self._pool: Callable[[Tensor, PackedBatch], Tensor] = means if pooling == "mean" else first_tokens

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        """Pool the last layer into ``[N, H]``."""
        return self._pool(states[-1], batch)
