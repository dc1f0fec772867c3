"""A sequence as one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from workers.encoder.packing import PackedBatch
from workers.encoder.pooling import first_tokens, means
from workers.encoder.trunk import States
from workers.heads.base import Head


class EmbeddingHead(Head):
    """A sequence as one vector: the mean of its hidden states, special tokens included, or its first one."""

    def __init__(self, pooling: Literal["mean", "cls"]) -> None:
        self._pool: Callable[[Tensor, PackedBatch], Tensor] = means if pooling == "mean" else first_tokens

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        return self._pool(states[-1], batch)
