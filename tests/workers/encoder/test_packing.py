from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.encoder.packing import flat_starts, pack, rows_on_cpu

lengths = st.lists(st.integers(1, 200), max_size=60).map(lambda sizes: np.array(sizes, np.int64))
budgets = st.integers(1, 600)


@given(lengths, budgets, st.booleans())
def test_every_token_goes_through_exactly_one_forward_and_comes_back_to_its_place(
    lengths: npt.NDArray[np.int64], budget: int, padded: bool
) -> None:
    starts = flat_starts(lengths)
    flat = np.random.default_rng(0).integers(0, 1000, starts[-1])
    back = np.full_like(flat, -1)
    seen = []
    for batch in pack(lengths, starts, np.arange(len(lengths)), budget, padded):
        assert (back[batch.tokens] == -1).all()
        back[batch.tokens] = flat[batch.tokens]
        seen += batch.sequences.tolist()
    assert (back == flat).all()
    assert sorted(seen) == list(range(len(lengths)))


@given(lengths, budgets, st.booleans())
def test_budgets_are_kept_unless_one_sequence_alone_is_longer(
    lengths: npt.NDArray[np.int64], budget: int, padded: bool
) -> None:
    batches = pack(lengths, flat_starts(lengths), np.arange(len(lengths)), budget, padded)
    for batch in batches:
        size = len(batch) * batch.longest if padded else len(batch.tokens)
        assert size <= budget or len(batch) == 1
    if not padded:
        # Greedy: two neighbouring batches never fit into one.
        for batch_before, batch_after in pairwise(batches):
            assert len(batch_before.tokens) + lengths[batch_after.sequences[0]] > budget


@given(lengths, budgets)
def test_the_parts_of_a_batch_describe_the_same_sequences(lengths: npt.NDArray[np.int64], budget: int) -> None:
    starts = flat_starts(lengths)
    for batch in pack(lengths, starts, np.arange(len(lengths)), budget):
        sizes = np.diff(batch.starts)
        assert batch.starts.dtype == np.int32
        assert sizes.tolist() == lengths[batch.sequences].tolist() == sorted(sizes)
        assert batch.longest == sizes[-1]
        for number, sequence in enumerate(batch.sequences):
            place = slice(batch.starts[number], batch.starts[number + 1])
            assert batch.positions[place].tolist() == list(range(sizes[number]))
            assert batch.tokens[place].tolist() == list(range(starts[sequence], starts[sequence + 1]))
        at = 0
        for group in batch.groups:
            assert group.at == at
            at = group.end
        assert at == len(batch.tokens)
        assert [group.length for group in batch.groups] == sorted(set(sizes.tolist()))
        assert sum(group.count for group in batch.groups) == len(batch)


@given(lengths, budgets, st.data())
def test_only_the_chosen_sequences_are_packed(lengths: npt.NDArray[np.int64], budget: int, data: st.DataObject) -> None:
    chosen = np.array([n for n in range(len(lengths)) if data.draw(st.booleans())], np.int64)
    batches = pack(lengths, flat_starts(lengths), chosen, budget)
    assert sorted(n for batch in batches for n in batch.sequences.tolist()) == chosen.tolist()


@pytest.mark.parametrize("budget", [1, 1000])
def test_nothing_to_pack_is_no_forward(budget: int) -> None:
    nothing = np.array([], np.int64)
    assert pack(nothing, flat_starts(nothing), nothing, budget) == []


def test_forwards_have_few_numbers_of_rows_and_little_padding() -> None:
    rows = [rows_on_cpu(tokens) for tokens in range(1, 4097)]
    assert len(set(rows)) == 136
    assert all(tokens <= row < tokens + 32 for tokens, row in enumerate(rows, 1))
    assert max(row / tokens for tokens, row in enumerate(rows, 1) if tokens >= 32) <= 1.5
    assert sum(rows) / sum(range(1, 4097)) < 1.01
