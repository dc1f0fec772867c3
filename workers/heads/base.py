"""The protocol of a head: the layers that turn a trunk's hidden states into scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor

from workers.encoder.packing import PackedBatch
from workers.encoder.tokenization import Cut
from workers.encoder.trunk import States

Per = Literal["sequence", "token", "input"]


class Head(ABC):
    """Turns the hidden states of a packed batch into scores, before any activation.

    Called in inference mode by several threads at once, so a call must leave nothing behind that another could see. If
    it raises, the batch is halved until the sequence at fault is alone, and that sequence fails. No exception stops the
    worker, unless it shows that the device is lost. ``resolve_clusters`` is called by one thread at a time.

    Attributes:
        per: what the scores are for: one row per sequence, one row per token, or one result per whole input, which
            ``resolve_clusters`` computes from the states of all its windows.
        labels: the label of each column of the scores; empty for an embedding.
        multi_label: whether each label has its own sigmoid, instead of a softmax over all labels.
        thresholds: label -> the calibrated probability from which it counts; None if the head has none.
        aggregation: how word pieces are best joined into spans, for token heads that know it.
        vote: whether equal names of a text should be decided together, for token heads that know it.
        transitions: ``[labels, labels]``, what a label adds to the log-probability of the next one, for token heads
            that have learnt it.
        window_margin: by how much more an answer must exceed "no answer" with each window of a text, for span heads
            that are calibrated for several windows.
        every_layer: whether the head reads the hidden states of every layer instead of the last one only.
        mix: ``[layers + 1]``, for a head that reads nothing but a weighted sum of all layers. It is then called with
            that sum, in float32, as the only hidden state.
        reference: how what it gives was distributed when it was trained, as a pack's manifest has it; None if unknown.
        cut: how its inputs have to be cut into windows; None if the task's settings decide.
    """

    per: Per = "sequence"
    labels: tuple[str, ...] = ()
    multi_label: bool = False
    thresholds: dict[str, float] | None = None
    aggregation: str | None = None
    vote: bool = False
    transitions: NDArray[np.float32] | None = None
    window_margin: float | None = None
    reference: Mapping[str, Any] | None = None
    every_layer: bool = False
    mix: Tensor | None = None
    cut: Cut | None = None

    @abstractmethod
    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        """Compute the scores of a packed batch of N sequences and T tokens.

        Args:
            states: each ``[1, T, H]``: the last layer; or every layer, embeddings first; or the mix.
            batch: where each sequence lies in the states.

        Returns:
            ``[N, labels]`` if ``per`` is "sequence", ``[T, labels]`` if "token" (special tokens included); if "input",
            the states ``[T, H]`` to keep for ``resolve_clusters``.
        """

    def resolve_clusters(
        self, states: Sequence[Tensor], windows: Sequence[list[Encoding]], texts: Sequence[str]
    ) -> list[Any]:
        """Compute one result per text, from the states of all its windows; only if ``per`` is "input".

        Args:
            states: for each text ``[tokens, H]``, the states of its windows laid end to end.
            windows: the windows of each text, in text order.
            texts: the texts.

        Raises:
            ForwardError: if a text cannot be resolved. If there are several, each of them is then tried alone.
        """
        raise NotImplementedError
