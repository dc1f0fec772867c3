"""The scoring heads of packs: small modules on a trunk that they share.

A head reads all layers of the trunk through a learned scalar mix (ELMo, Peters et al. 2018, eq. 1), pools it over the
sequence or not, and ends in one or two linear layers.
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

Kind = Literal["token", "sequence", "span"]


class ScoreMix(nn.Module):
    """Mixes layers, pools, and projects: hidden states of a packed batch -> logits.

    - ``kind``: "token" (one row of logits per token), "span" (one row per token: start and end), "sequence" (one row
      per sequence).
    - ``labels``: the labels in the order of the logits.
    - ``multi_label``: whether each logit has its own sigmoid, instead of a softmax over all.
    - ``thresholds``: label -> the probability from which it counts; empty for softmax heads.
    - ``aggregation``: for token heads, the way of joining word pieces into spans that scored best.
    - ``vote``: for token heads, whether equal names of a text should be decided together.
    - ``transitions``: for token heads, ``[labels, labels]``, what a label adds to the log-probability of the next one;
      None if that was not learnt.
    - ``window_margin``: for span heads, how answers of several windows compare; None if that was not calibrated.
    - ``pooling``: for sequence heads, which features of a sequence are concatenated, in this order: "mean" and "first"
      of its tokens, special tokens included; for pairs "sides", the mean of each side, their absolute difference and
      their product (InferSent, Conneau et al. 2017). Empty for token heads.
    - ``context``: a token head also reads this many neighbours on each side, within the sequence.
    - ``mix``: ``[layers + 1]``, the weights of the layers, embeddings first.
    - ``revision``: 12 hex digits of the file's SHA-256.
    - ``reference``: how its annotations were distributed in training (``workers/drift``); None if unknown.
    """

    temperature: Tensor
    transitions: Tensor | None

    def __init__(self, entry: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Build it from its entry in the manifest and its tensors.

        Raises KeyError, TypeError or RuntimeError if they do not fit together.
        """
        super().__init__()
        self.kind: Kind = entry["kind"]
        self.labels: tuple[str, ...] = tuple(entry["labels"])
        self.multi_label: bool = entry["multi_label"]
        self.thresholds: dict[str, float] = dict(entry["thresholds"])
        self.aggregation: str | None = entry["aggregation"]
        self.vote: bool = entry.get("vote", False)
        self.window_margin: float | None = entry.get("window_margin")
        self.pooling: tuple[str, ...] = tuple(entry["pooling"])
        self.context: int = entry["context"]
        self.revision: str = entry["sha256"][:12]
        self.reference: Mapping[str, Any] | None = entry.get("drift")
        self.mix = nn.Parameter(tensors["mix"].float())
        self.register_buffer("temperature", torch.tensor(float(entry["temperature"])))
        learnt = tensors.get("transitions")
        self.register_buffer("transitions", None if learnt is None else learnt.float())
        self.reduce = _linear(tensors, "reduce") if "reduce.weight" in tensors else None
        self.hidden = _linear(tensors, "hidden") if "hidden.weight" in tensors else None
        self.out = _linear(tensors, "out")
        if self.out.out_features != len(self.labels):
            raise RuntimeError(f"{self.out.out_features} outputs for {len(self.labels)} labels")
        if learnt is not None and learnt.shape != (len(self.labels), len(self.labels)):
            raise RuntimeError(f"transitions of shape {list(learnt.shape)} for {len(self.labels)} labels")
        if learnt is not None and "O" not in self.labels:
            raise RuntimeError('transitions without a label "O"')
        self.requires_grad_(False)
        self.eval()

    def forward(self, hidden_states: Sequence[Tensor], starts: Tensor, sides: Tensor | None = None) -> Tensor:
        """Compute logits in float32, divided by the temperature found on held-out data.

        Args:
            hidden_states: the embeddings and every layer, each ``[1, T, H]``, of any float type.
            starts: int64 ``[N + 1]``, where each sequence of the batch starts, then T.
            sides: int64 ``[T]``, 1 for a token of the second text of a pair; used only if ``pooling`` has "sides".

        Returns:
            ``[T, labels]`` for a token or span head, ``[N, labels]`` for a sequence head.

        Raises:
            ValueError: if the trunk has a different number of layers than the head was trained on.
        """
        return self.logits(mixed(hidden_states, self.mix), starts, sides)

    def logits(self, states: Tensor, starts: Tensor, sides: Tensor | None = None) -> Tensor:
        """Compute the logits from the mix of all layers, ``[T, H]`` in float32; else as ``forward``."""
        if self.reduce is not None:
            states = self.reduce(states)
        if self.kind == "sequence":
            return self.project(self.pool(states, starts, sides))
        return self.project(self.neighbours(states, starts))

    def project(self, features: Tensor) -> Tensor:
        """Run the last layers: ``[N, features]`` -> logits ``[N, labels]``, divided by the temperature."""
        if self.hidden is not None:
            features = nn.functional.gelu(self.hidden(features))
        logits: Tensor = self.out(features)
        return logits / self.temperature

    def pool(self, mixed: Tensor, starts: Tensor, sides: Tensor | None = None) -> Tensor:
        """Pool sequences: ``[T, H]`` -> ``[N, H * n]``, where "mean" and "first" count one in n, "sides" four."""
        pooled = {
            "mean": lambda: reduced(mixed, starts, "mean"),
            "first": lambda: mixed[starts[:-1]],
            "sides": lambda: _sides(mixed, starts, sides),
        }
        return torch.cat([pooled[part]() for part in self.pooling], dim=1)

    def neighbours(self, tokens: Tensor, starts: Tensor) -> Tensor:
        """Concatenate each token's neighbours, from left to right, with zeros beyond the ends of its sequence.

        ``[T, D]`` -> ``[T, D * (2 * context + 1)]``.
        """
        if self.context == 0:
            return tokens
        near = torch.from_numpy(_near(starts.cpu().numpy(), self.context)).to(tokens.device)
        return nn.functional.embedding(near, nn.functional.pad(tokens, (0, 0, 0, 1))).flatten(1)

    def as_head(self) -> Head:
        """Return the head that runs this module in a chain."""
        return ScoreMixHead(self)


def _near(starts: NDArray[np.int64], context: int) -> NDArray[np.int32]:
    """Return the numbers of each token's neighbours and its own, ``[T, 2 * context + 1]``; T beyond its sequence.

    Computed in numpy, which uses no other thread.
    """
    first, end = (np.repeat(bounds, np.diff(starts))[:, None] for bounds in (starts[:-1], starts[1:]))
    near: NDArray[np.int32] = np.add.outer(
        np.arange(len(first), dtype=np.int32), np.arange(-context, context + 1, dtype=np.int32)
    )
    near[(near < first) | (near >= end)] = len(first)
    return near


def _sides(mixed: Tensor, starts: Tensor, sides: Tensor | None) -> Tensor:
    """Pool the two sides of pairs: ``[T, H]`` -> ``[N, 4 * H]``. A missing second text counts as zeros."""
    second = torch.zeros_like(mixed[:, :1]) if sides is None else sides.unsqueeze(1).to(mixed.dtype)

    def mean(chosen: Tensor) -> Tensor:
        return reduced(mixed * chosen, starts, "sum") / reduced(chosen, starts, "sum").clamp(min=1)

    left, right = mean(1 - second), mean(second)
    return torch.cat([left, right, (left - right).abs(), left * right], dim=1)


class ScoreMixHead(Head):
    """A scoring head of a pack, in a chain."""

    def __init__(self, module: ScoreMix) -> None:
        """Wrap ``module``."""
        self._module = module
        self.per = "sequence" if module.kind == "sequence" else "token"
        self.mix = module.mix
        self.labels = module.labels
        self.multi_label = module.multi_label
        self.thresholds = module.thresholds or None
        self.aggregation = module.aggregation
        self.vote = module.vote
        self.transitions = None if module.transitions is None else module.transitions.cpu().numpy()
        self.window_margin = module.window_margin
        self.reference = module.reference

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        """Compute logits from the mix: ``[T, labels]``, or ``[N, labels]`` for a sequence head."""
        device = states[-1].device
        starts = torch.from_numpy(batch.starts).to(device, torch.int64)
        sides = None if batch.sides is None else torch.from_numpy(batch.sides).to(device)
        return self._module.logits(states[-1][0], starts, sides).flatten(0, -2)


def _linear(tensors: Mapping[str, Tensor], name: str) -> nn.Linear:
    weight, bias = tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float()
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight, bias
    return layer
