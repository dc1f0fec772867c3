from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.encoder.attention import Layout, packed_attention
from workers.encoder.packing import PackedBatch, flat_starts, pack

HEADS, DIMENSIONS = 2, 8
lengths = st.lists(st.integers(1, 40), min_size=1, max_size=12)


def packed(lengths: list[int]) -> tuple[PackedBatch, list[torch.Tensor]]:
    sizes = np.array(lengths, np.int64)
    (batch,) = pack(sizes, flat_starts(sizes), np.arange(len(sizes)), int(sizes.sum()))
    torch.manual_seed(0)
    total = int(sizes.sum())
    # The memory layout of models: [1, T, heads, d] viewed as [1, heads, T, d].
    return batch, [torch.randn(1, total, HEADS, DIMENSIONS).transpose(1, 2) for _ in range(3)]


def expected(batch: PackedBatch, parts: list[torch.Tensor], scaling: float, window: int | None) -> torch.Tensor:
    """The textbook formula, one sequence at a time."""
    rows = []
    for first, last in pairwise(batch.starts):
        query, key, value = (part[0, :, first:last] for part in parts)
        weights = query @ key.transpose(1, 2) * scaling
        if window is not None:
            place = torch.arange(int(last - first))
            weights = weights.masked_fill((place[:, None] - place[None, :]).abs() >= window, -torch.inf)
        rows.append((weights.softmax(-1) @ value).transpose(0, 1))
    return torch.cat(rows).unsqueeze(0)


@settings(deadline=None)
@given(lengths, st.none() | st.integers(1, 50), st.sampled_from([0.1, 0.5]))
def test_every_sequence_attends_to_itself_alone(lengths: list[int], window: int | None, scaling: float) -> None:
    batch, parts = packed(lengths)
    query, key, value = parts
    layout = Layout.of(batch, torch.device("cpu"))
    with torch.inference_mode():
        out, _ = packed_attention(
            torch.nn.Identity(), query, key, value, None, scaling=scaling, sliding_window=window, layout=layout
        )
    torch.testing.assert_close(out, expected(batch, parts, scaling, window), rtol=1e-4, atol=1e-5)


def test_a_window_over_a_long_sequence_is_computed_in_blocks_that_agree_at_their_edges() -> None:
    batch, parts = packed([3, 300])
    query, key, value = parts
    layout = Layout.of(batch, torch.device("cpu"))
    for window in (1, 2, 64, 65, 200, 299, 300):
        out, _ = packed_attention(
            torch.nn.Identity(), query, key, value, None, scaling=0.3, sliding_window=window, layout=layout
        )
        torch.testing.assert_close(out, expected(batch, parts, 0.3, window), rtol=1e-4, atol=1e-5)


def test_without_a_layout_it_refuses_rather_than_let_sequences_see_each_other() -> None:
    _, (query, key, value) = packed([2, 3])
    with pytest.raises(ValueError, match="layout"):
        packed_attention(torch.nn.Identity(), query, key, value, None)
