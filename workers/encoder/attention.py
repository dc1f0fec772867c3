"""The packed attention function: every sequence of a packed batch attends only to itself.

It is registered with transformers as ``packed``: any model that calls its attention through transformers'
``AttentionInterface`` can run on packed batches, unchanged. The layout gets here through the model's keyword arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

from workers.encoder.packing import Group, PackedBatch
from workers.encoder.products import Blocks, attend

PACKED = "packed"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the sequences of a packed batch are.

    - ``starts``: int32 ``[N + 1]`` on the device of the batch, where each sequence begins, then T.
    - ``longest``: the length of the longest sequence, in tokens.
    - ``groups``: the runs of sequences of equal length.
    - ``blocks``: the first sequences, padded, if batched products are faster for them than the fused kernel.
    """

    starts: Tensor
    longest: int
    groups: tuple[Group, ...]
    blocks: Blocks | None = None

    @classmethod
    def of(
        cls, batch: PackedBatch, device: torch.device, dtype: torch.dtype, heads: int | None, rows: int | None = None
    ) -> Layout:
        """Return the layout of ``batch``. Call it on the thread that will compute.

        Args:
            batch: the sequences.
            device: where the model is.
            dtype: in which it computes.
            heads: how many attention heads it has; None if unknown.
            rows: how many rows the forward has, padding at the end included; None if there is none.
        """
        blocks = Blocks.of(batch, heads, dtype, rows) if device.type == "cpu" and heads else None
        return cls(torch.from_numpy(batch.starts).to(device), batch.longest, batch.groups, blocks)


def packed_attention(  # noqa: PLR0917, the signature is given by transformers
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    layout: Layout | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Compute attention within each sequence of ``layout``: ``[1, heads, T, d]`` -> ``[1, T, heads, d]``.

    On a CPU, rows after the last sequence are padding: what they get is finite, and means nothing.

    With a ``sliding_window`` of w, a token sees those less than w tokens away, in both directions, which is how
    transformers passes windows to kernels. Raises ValueError without a layout.
    """
    if layout is None:
        raise ValueError("packed attention needs the layout of its batch")
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    if _has_varlen(query):
        from torch.nn.attention.varlen import varlen_attn

        reach = -1 if sliding_window is None else sliding_window - 1
        out = varlen_attn(
            q, k, v, layout.starts, layout.starts, layout.longest, layout.longest,
            scale=scaling, window_size=(reach, reach),
        )  # fmt: skip
        return out.unsqueeze(0), None  # type: ignore[union-attr]
    out = torch.empty_like(q, memory_format=torch.contiguous_format)
    done = 0
    if (blocks := layout.blocks) is not None and blocks.heads == q.shape[1] == k.shape[1]:
        by_products = attend(q, k, v, blocks, scaling=scaling, window=sliding_window)
        done = len(by_products)
        if done == len(q):
            return by_products.unsqueeze(0), None
        out[:done] = by_products
    for group in layout.groups:
        if group.at < done:
            continue
        group_q, group_k, group_v = (_split(states, group).transpose(1, 2) for states in (q, k, v))
        if sliding_window is None or group.length <= sliding_window:
            result = scaled_dot_product_attention(group_q, group_k, group_v, scale=scaling)
        else:
            result = _banded(group_q, group_k, group_v, scaling, sliding_window)
        _split(out, group).copy_(result.transpose(1, 2))
    out[layout.groups[-1].end :] = 0
    return out.unsqueeze(0), None


def _split(states: Tensor, group: Group) -> Tensor:
    """Return a group's part of ``[T, heads, d]``, as a view ``[count, length, heads, d]``."""
    return states[group.at : group.end].view(group.count, group.length, *states.shape[1:])


def _has_varlen(query: Tensor) -> bool:
    """Whether the flash kernel for variable lengths supports ``query``: half precision, on Ampere or later."""
    return (
        query.is_cuda
        and query.dtype in (torch.bfloat16, torch.float16)
        and query.shape[-1] % 8 == 0
        and query.shape[-1] <= 256
        and torch.cuda.get_device_capability(query.device) >= (8, 0)
    )


def _banded(query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int) -> Tensor:
    """Compute attention within a window, one block of queries at a time, without a ``[length, length]`` mask."""
    length = query.shape[2]
    block = max(window, 64)
    out = torch.empty_like(query)
    for first in range(0, length, block):
        last = min(first + block, length)
        low, high = max(0, first - window + 1), min(length, last + window - 1)
        band = _band(block, window, query.device)
        shift = first - window + 1
        out[:, :, first:last] = scaled_dot_product_attention(
            query[:, :, first:last],
            key[:, :, low:high],
            value[:, :, low:high],
            attn_mask=band[: last - first, low - shift : high - shift],
            scale=scaling,
        )
    return out


@lru_cache(maxsize=16)
def _band(block: int, window: int, device: torch.device) -> Tensor:
    """Return which keys the queries of a block see, from the first key that any of them sees.

    ``[block, block + 2 * (window - 1)]``
    """
    queries = torch.arange(block, device=device)[:, None] + window - 1
    keys = torch.arange(block + 2 * (window - 1), device=device)[None, :]
    return (queries - keys).abs() < window


AttentionInterface.register(PACKED, packed_attention)


def _no_mask(*_: Any, **__: Any) -> None:
    """Return no mask: in packed batches the layout keeps sequences apart."""


AttentionMaskInterface.register(PACKED, _no_mask)
