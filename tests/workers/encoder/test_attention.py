from __future__ import annotations

from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.encoder import products
from workers.encoder.attention import Layout, packed_attention
from workers.encoder.packing import PackedBatch, flat_starts, pack

CPU = torch.device("cpu")
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


def attention(
    batch: PackedBatch, parts: list[torch.Tensor], scaling: float, window: int | None, by_products: int,
    *, rows: int | None = None,
) -> torch.Tensor:  # fmt: skip
    """``by_products``: the length up to which sequences are computed by products."""
    query, key, value = parts
    with torch.inference_mode(), patch.object(products, "_longest", lambda dtype: by_products):
        layout = Layout.of(batch, CPU, query.dtype, HEADS, rows)
        assert (layout.blocks is not None) == (by_products >= np.diff(batch.starts).min())
        out, _ = packed_attention(
            torch.nn.Identity(), query, key, value, None, scaling=scaling, sliding_window=window, layout=layout
        )
    return out


@settings(deadline=None)
@given(lengths, st.none() | st.integers(1, 50), st.sampled_from([0.1, 0.5]), st.integers(0, 45))
def test_every_sequence_attends_to_itself_alone(
    lengths: list[int], window: int | None, scaling: float, by_products: int
) -> None:
    batch, parts = packed(lengths)
    out = attention(batch, parts, scaling, window, by_products)
    torch.testing.assert_close(out, expected(batch, parts, scaling, window), rtol=1e-4, atol=1e-5)


@settings(deadline=None)
@given(lengths, st.none() | st.integers(1, 50), st.integers(0, 45))
def test_half_precision_pads_to_other_lengths_and_attends_to_the_same(
    lengths: list[int], window: int | None, by_products: int
) -> None:
    batch, parts = packed(lengths)
    halves = [part.bfloat16() for part in parts]
    out = attention(batch, halves, 0.3, window, by_products)
    wanted = expected(batch, [half.float() for half in halves], 0.3, window)
    torch.testing.assert_close(out.float(), wanted, rtol=2e-2, atol=3e-2)


@settings(deadline=None)
@given(lengths, st.none() | st.integers(1, 50), st.integers(0, 45), st.integers(1, 40))
def test_rows_that_pad_a_batch_are_finite_and_change_nothing(
    lengths: list[int], window: int | None, by_products: int, padding: int
) -> None:
    batch, parts = packed(lengths)
    size = parts[0].shape[2]
    longer = [torch.nn.functional.pad(part, (0, 0, 0, padding), value=3.0) for part in parts]
    out = attention(batch, longer, 0.3, window, by_products, rows=size + padding)
    assert out.shape[1] == size + padding
    assert out.isfinite().all()
    torch.testing.assert_close(out[:, :size], expected(batch, parts, 0.3, window), rtol=1e-4, atol=1e-5)


def test_large_blocks_are_divided() -> None:
    batch, parts = packed([7, 7, 9, 30, 150, 150, 150, 200])
    with patch.object(products, "_SCORES", 600):
        out = attention(batch, parts, 0.3, None, 180)
        blocks = products.Blocks.of(batch, HEADS, torch.bfloat16)
    torch.testing.assert_close(out, expected(batch, parts, 0.3, None), rtol=1e-4, atol=1e-5)
    assert blocks is not None
    assert [(block.count, block.length) for block in blocks.blocks] == [
        (2, 16),
        (1, 16),
        (1, 32),
        *[(1, 160)] * 3,
        (1, 224),
    ]


def test_a_model_with_another_number_of_heads_than_its_configuration_says_is_not_computed_by_products() -> None:
    batch, (query, key, value) = packed([3, 5])
    layout = Layout.of(batch, CPU, torch.bfloat16, HEADS + 1)
    assert layout.blocks is not None
    with torch.inference_mode():
        out, _ = packed_attention(torch.nn.Identity(), query, key, value, None, scaling=0.3, layout=layout)
    torch.testing.assert_close(out, expected(batch, [query, key, value], 0.3, None), rtol=1e-4, atol=1e-5)


def test_a_window_over_a_long_sequence_is_computed_in_blocks_that_agree_at_their_edges() -> None:
    batch, parts = packed([3, 300])
    for window in (1, 2, 64, 65, 200, 299, 300):
        out = attention(batch, parts, 0.3, window, 0)
        torch.testing.assert_close(out, expected(batch, parts, 0.3, window), rtol=1e-4, atol=1e-5)


def test_without_a_layout_it_refuses_rather_than_let_sequences_see_each_other() -> None:
    _, (query, key, value) = packed([2, 3])
    with pytest.raises(ValueError, match="layout"):
        packed_attention(torch.nn.Identity(), query, key, value, None)
