"""Heads: what turns a trunk's hidden states into scores. None is re-implemented; each is the model's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from tokenizers import Encoding
from torch import Tensor

from workers.encoder.packing import PackedBatch
from workers.encoder.trunk import States


class Head(ABC):
    """Scores before activation: ``[N, labels]`` for sequence heads and embeddings, ``[T, labels]`` for token heads.

    - ``labels``: in the order of the outputs; empty for an embedding.
    - ``multi_label``, ``thresholds``, ``aggregation``: see ``HeadInfo``.
    - ``every_layer``: whether it reads all hidden states or the last alone.
    - ``mix``: the weights of all hidden states, for a head that reads nothing but their sum.
    """

    every_layer: bool = False
    mix: Tensor | None = None
    labels: tuple[str, ...] = ()
    multi_label: bool = False
    thresholds: dict[str, float] | None = None
    aggregation: str | None = None

    @abstractmethod
    def __call__(self, states: States, batch: PackedBatch) -> Tensor: ...

    def settle(self, states: Sequence[Tensor], windows: Sequence[list[Encoding]], texts: Sequence[str]) -> Any:
        """What a head that reads whole inputs finds in each of them, from what ``__call__`` gave for its windows.

        ``states``: of each input ``[tokens, H]``, its windows laid end to end.
        """
        raise NotImplementedError
