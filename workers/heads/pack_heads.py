"""The heads of packs: small modules on a trunk that many of them share.

A head reads every hidden state of the trunk through a learned scalar mix (ELMo, Peters et al. 2018, eq. 1), pools it
over the sequence or not, and ends in one or two linear layers; or it resolves coreference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workers.encoder.packing import PackedBatch
from workers.encoder.pooling import mixed, reduced
from workers.encoder.trunk import States
from workers.heads.base import Head
from workers.heads.fcoref import CoreferenceHead

Kind = Literal["token", "sequence", "span"]


class StarterHead(nn.Module):
    """Mix, pool, project: hidden states of a packed batch -> logits.

    - ``kind``: "token" (one row of logits a token), "span" (the same: start and end), "sequence" (one row a sequence).
    - ``labels``: the labels in the order of the logits.
    - ``multi_label``: the logits want one sigmoid each, else one softmax.
    - ``thresholds``: label -> the probability from which it counts; empty for softmax heads.
    - ``aggregation``: for token heads, the way of joining pieces into spans that scored best.
    - ``pooling``: "mean" and/or "first" of a sequence's tokens, special tokens included, and for pairs "sides":
      the means of either side, their distance and their product (InferSent, Conneau et al. 2017); concatenated in
      that order; empty for token heads.
    - ``context``: a token head also sees this many neighbours on each side, within the sequence.
    - ``revision``: 12 hex digits of the file's SHA-256.
    """

    temperature: Tensor

    def __init__(self, entry: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """A head after its manifest's entry; raises KeyError, TypeError or RuntimeError when the tensors do not fit."""
        super().__init__()
        self.kind: Kind = entry["kind"]
        self.labels: tuple[str, ...] = tuple(entry["labels"])
        self.multi_label: bool = entry["multi_label"]
        self.thresholds: dict[str, float] = dict(entry["thresholds"])
        self.aggregation: str | None = entry["aggregation"]
        self.pooling: tuple[str, ...] = tuple(entry["pooling"])
        self.context: int = entry["context"]
        self.revision: str = entry["sha256"][:12]
        self.mix = nn.Parameter(tensors["mix"].float())
        self.register_buffer("temperature", torch.tensor(float(entry["temperature"])))
        self.reduce = _linear(tensors, "reduce") if "reduce.weight" in tensors else None
        self.hidden = _linear(tensors, "hidden") if "hidden.weight" in tensors else None
        self.out = _linear(tensors, "out")
        if self.out.out_features != len(self.labels):
            raise RuntimeError(f"{self.out.out_features} outputs for {len(self.labels)} labels")
        self.requires_grad_(False)
        self.eval()

    def forward(self, hidden_states: Sequence[Tensor], starts: Tensor, sides: Tensor | None = None) -> Tensor:
        """Logits in float32, divided by the temperature found on held-out data.

        ``hidden_states``: the embeddings and every layer, each ``[1, T, H]``, any float type;
        ``starts``: int64 ``[N + 1]``, where each sequence of the pack starts, then T.
        ``sides``: int64 ``[T]``, 1 for a token of the second text of a pair; only where ``pooling`` has "sides".
        Returns ``[T, labels]`` for a token head, ``[N, labels]`` for a sequence head.
        Raises ValueError when the trunk has another number of layers than the head was trained on.
        """
        return self.read(mixed(hidden_states, self.mix), starts, sides)

    def read(self, states: Tensor, starts: Tensor, sides: Tensor | None = None) -> Tensor:
        """The same of the mix ``[T, H]`` in float32."""
        if self.reduce is not None:
            states = self.reduce(states)
        if self.kind == "sequence":
            return self.project(self.pool(states, starts, sides))
        return self.project(self.neighbours(states, starts))

    def project(self, features: Tensor) -> Tensor:
        """The last layers: features of a token or of a sequence -> logits over the temperature."""
        if self.hidden is not None:
            features = nn.functional.gelu(self.hidden(features))
        logits: Tensor = self.out(features)
        return logits / self.temperature

    def pool(self, mixed: Tensor, starts: Tensor, sides: Tensor | None = None) -> Tensor:
        """``[T, H]`` -> ``[N, H * n]``, n one for "mean" and for "first", four for "sides"."""
        pooled = {
            "mean": lambda: reduced(mixed, starts, "mean"),
            "first": lambda: mixed[starts[:-1]],
            "sides": lambda: _sides(mixed, starts, sides),
        }
        return torch.cat([pooled[part]() for part in self.pooling], dim=1)

    def neighbours(self, tokens: Tensor, starts: Tensor) -> Tensor:
        """``[T, D]`` -> ``[T, D * (2 * context + 1)]``, from left to right; zeros beyond the sequence's ends."""
        if self.context == 0:
            return tokens
        near = torch.from_numpy(_near(starts.cpu().numpy(), self.context)).to(tokens.device)
        return nn.functional.embedding(near, nn.functional.pad(tokens, (0, 0, 0, 1))).flatten(1)


def _near(starts: NDArray[np.int64], context: int) -> NDArray[np.int32]:
    """``[T, 2 * context + 1]``: the numbers of each token's neighbours and its own, T beyond the sequence's ends.

    In numpy, which needs no other thread for it.
    """
    first, end = (np.repeat(bounds, np.diff(starts))[:, None] for bounds in (starts[:-1], starts[1:]))
    near: NDArray[np.int32] = np.add.outer(
        np.arange(len(first), dtype=np.int32), np.arange(-context, context + 1, dtype=np.int32)
    )
    near[(near < first) | (near >= end)] = len(first)
    return near


def _sides(mixed: Tensor, starts: Tensor, sides: Tensor | None) -> Tensor:
    """``[T, H]`` -> ``[N, 4 * H]``; a sequence without a second text has zeros for it."""
    second = torch.zeros_like(mixed[:, :1]) if sides is None else sides.unsqueeze(1).to(mixed.dtype)

    def mean(chosen: Tensor) -> Tensor:
        return reduced(mixed * chosen, starts, "sum") / reduced(chosen, starts, "sum").clamp(min=1)

    one, other = mean(1 - second), mean(second)
    return torch.cat([one, other, (one - other).abs(), one * other], dim=1)


class ClusterMix(nn.Module):
    """F-coref's head on a scalar mix of all layers. ``revision``: 12 hex digits of the file's SHA-256."""

    def __init__(self, entry: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Raises KeyError, TypeError, ValueError or RuntimeError when the tensors do not fit the entry."""
        super().__init__()
        self.revision: str = entry["sha256"][:12]
        self.mix = nn.Parameter(tensors["mix"].float())
        own = {name: value.float() for name, value in tensors.items() if name != "mix"}
        self.head = CoreferenceHead(entry["settings"], own)
        self.requires_grad_(False)
        self.eval()


def _linear(tensors: Mapping[str, Tensor], name: str) -> nn.Linear:
    weight, bias = tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float()
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight, bias
    return layer


class LayersHead(Head):
    """A head of a pack: it mixes the hidden states of every layer."""

    def __init__(self, module: StarterHead) -> None:
        self._module = module
        self.mix = module.mix
        self.labels = module.labels
        self.multi_label = module.multi_label
        self.thresholds = module.thresholds or None
        self.aggregation = module.aggregation

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        device = states[-1].device
        starts = torch.from_numpy(batch.starts).to(device, torch.int64)
        sides = None if batch.sides is None else torch.from_numpy(batch.sides).to(device)
        return self._module.read(states[-1][0], starts, sides).flatten(0, -2)
