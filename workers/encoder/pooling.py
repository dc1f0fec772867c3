"""Reduces hidden states: mixed over layers, pooled over sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from workers.encoder.packing import PackedBatch


def first_tokens(states: Tensor, batch: PackedBatch) -> Tensor:
    """Return the first token of each sequence: ``[1, T, H]`` -> ``[N, H]``."""
    return states[0, torch.from_numpy(batch.starts[:-1]).to(states.device)]


def means(states: Tensor, batch: PackedBatch) -> Tensor:
    """Return the mean of each sequence in float32: ``[1, T, H]`` -> ``[N, H]``."""
    starts = torch.from_numpy(batch.starts).to(states.device, torch.int64)
    return reduced(states[0].float(), starts, "mean")


_NUMBERS = 5_500_000
"""Numbers of all layers that are mixed at a time: 22 MB, which any allocator keeps for the next forward."""


def mixed(hidden_states: Sequence[Tensor], mix: Tensor) -> Tensor:
    """Return the weighted sum of all layers, ``[T, H]`` in float32.

    ``hidden_states`` are L layers ``[1, T, H]`` of any float type, ``mix`` their weights ``[L]``. Raises ValueError if
    there are not as many layers as weights. Any thread may call it; nothing is kept.
    """
    if len(hidden_states) != len(mix):
        raise ValueError(f"{len(hidden_states)} hidden states for a mix of {len(mix)}")
    total = hidden_states[0][0].float() * mix[0]
    for weight, states in zip(mix[1:], hidden_states[1:], strict=True):
        total.addcmul_(states[0].float(), weight)
    return total


def mixtures(hidden_states: Sequence[Tensor], mixes: Tensor) -> Tensor:
    """Return the weighted sums for several mixes ``[n, layers]``: ``[n, T, H]`` in float32.

    Every state is read once, not once per mix. Raises ValueError if there are not as many layers as weights.
    """
    count, layers = mixes.shape
    if count == 1 or layers != len(hidden_states):
        return torch.stack([mixed(hidden_states, mix) for mix in mixes])
    _, tokens, size = hidden_states[0].shape
    step = max(1, _NUMBERS // (layers * size))
    parts = []
    for at in range(0, max(1, tokens), step):
        rows = torch.cat([states[:, at : at + step].float() for states in hidden_states])
        parts.append((mixes @ rows.view(layers, -1)).view(count, -1, size))
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def reduced(rows: Tensor, starts: Tensor, how: Literal["mean", "sum"]) -> Tensor:
    """Reduce each sequence to one row: ``[T, H]`` -> ``[N, H]``.

    ``starts``: int64 ``[N + 1]``, where each sequence starts, then T. The result is that of ``torch.segment_reduce``,
    which takes 16 times as long on a CPU.
    """
    return nn.functional.embedding_bag(torch.arange(len(rows), device=rows.device), rows, starts[:-1], mode=how)
