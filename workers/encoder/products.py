"""Attention on the CPU as two batched matrix products over sequences padded to a few lengths.

torch's fused kernel computes one sequence and head at a time, in steps that suit long texts. Two products with a
softmax between them are faster for short ones, above all in half precision, if the lengths are multiples of what a
vector register holds: the softmax treats a remainder number by number. The padding exists only within attention.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workers.encoder.packing import Ints, PackedBatch, flat_starts

_SCORES = 1 << 15
"""The most scores of a block for one head, so that they stay in the processor's cache; a sequence may have more."""
_LONGEST = 512
"""Tokens: up to here products were measured to be faster in half precision, with any number of threads."""
_LONGEST_FLOAT32 = 64
"""Tokens, if a forward uses several threads. With one thread, the fused kernel is as fast in float32."""


@dataclass(frozen=True, slots=True)
class Block:
    """Sequences that are padded to one length, and their place among all that are.

    - ``count`` sequences of ``length`` rows, padding included.
    - ``first_row``, ``first_token``: where they begin in the padded rows, and in the packed batch.
    - ``mask``: ``[count * heads, 1, length]``, -inf for keys that are padding; None if there are none.
    """

    count: int
    length: int
    first_row: int
    first_token: int
    mask: Tensor | None


@dataclass(frozen=True, slots=True)
class Blocks:
    """The first sequences of a packed batch, padded, R rows in all, for models with ``heads`` attention heads.

    - ``heads``: how many attention heads there are.
    - ``tokens``: how many tokens of the batch the sequences have. If they are all of the batch, what pads the batch
      itself counts, too, and gets the result of the first token.
    - ``blocks``: the sequences by padded length, the shortest first.
    - ``gather`` ``[R * heads]``: which rows of ``[T * heads, d]`` the blocks need. Those of one head of a sequence are
      neighbours, so that a block is ``[count * heads, length, d]``. Padding repeats the last token of its sequence.
    - ``back`` ``[tokens * heads]``: where the result for each token and head is among the rows of the blocks.
    """

    heads: int
    tokens: int
    blocks: tuple[Block, ...]
    gather: Tensor
    back: Tensor

    @classmethod
    def of(cls, batch: PackedBatch, heads: int, dtype: torch.dtype, batch_rows: int | None = None) -> Blocks | None:
        """Return the sequences of ``batch`` for which products are faster; None if there are none.

        ``batch_rows``: the rows of the forward, if the batch is padded at its end. The calling thread is the one that
        will compute: it decides how many threads there are.
        """
        sizes = np.diff(batch.starts).astype(np.int64)
        sizes = sizes[: np.searchsorted(sizes, _longest(dtype), side="right")]
        if not len(sizes):
            return None
        padded = _padded(sizes, dtype)
        rows_before = flat_starts(padded)
        tokens = int(batch.starts[len(sizes)])
        gather = np.empty(rows_before[-1] * heads, np.int64)
        back = np.empty((tokens, heads), np.int64)
        blocks = []
        first = 0
        while first < len(sizes):
            length = int(padded[first])
            equal = int(np.searchsorted(padded, length, side="right"))
            last = min(equal, first + max(1, _SCORES // length**2))
            count, start, end = last - first, int(batch.starts[first]), int(batch.starts[last])
            row = int(rows_before[first])
            is_token = np.arange(length) < sizes[first:last, None]
            of_row = batch.starts[first:last, None] + np.minimum(np.arange(length), sizes[first:last, None] - 1)
            places = slice(row * heads, (row + count * length) * heads)
            gather[places] = (of_row[:, None, :] * heads + np.arange(heads)[:, None]).reshape(-1)
            results = np.arange(places.start, places.stop).reshape(count, heads, length)
            back[start:end] = results.transpose(0, 2, 1)[is_token]
            mask = None if is_token.all() else _mask(is_token, heads, dtype)
            blocks.append(Block(count, length, row, start, mask))
            first = last
        if len(sizes) == len(batch) and batch_rows is not None:
            back = np.pad(back, ((0, batch_rows - tokens), (0, 0)))
        return cls(heads, len(back), tuple(blocks), torch.from_numpy(gather), torch.from_numpy(back.reshape(-1)))

    def up_to(self, longest: int) -> tuple[int, int, int]:
        """Return how many blocks are padded to no more than ``longest`` tokens, and their rows and tokens."""
        number = sum(block.length <= longest for block in self.blocks)
        if number == len(self.blocks):
            return number, len(self.gather) // self.heads, self.tokens
        return number, self.blocks[number].first_row, self.blocks[number].first_token


def attend(
    query: Tensor, key: Tensor, value: Tensor, blocks: Blocks, *, scaling: float | None, window: int | None
) -> Tensor:
    """Compute attention within the sequences of ``blocks``, or those whose padded length fits in a sliding ``window``.

    ``query``, ``key`` and ``value`` are ``[T, heads, d]``; the result is ``[tokens, heads, d]`` for the tokens of these
    sequences, which are the first of the batch. ``scaling`` multiplies the scores; None means one over the root of d.
    """
    heads, size = query.shape[1:]
    scale = size**-0.5 if scaling is None else scaling
    number, rows, tokens = blocks.up_to(window or _LONGEST)
    gather, back = blocks.gather[: rows * heads], blocks.back[: tokens * heads]
    q, k, v = (states.reshape(-1, size).index_select(0, gather) for states in (query, key, value))
    out = torch.empty_like(q)
    for block in blocks.blocks[:number]:
        place = slice(block.first_row * heads, (block.first_row + block.count * block.length) * heads)
        of_q, of_k, of_v, of_out = (t[place].view(-1, block.length, size) for t in (q, k, v, out))
        if block.mask is None:
            scores = torch.baddbmm(q.new_zeros(1), of_q, of_k.transpose(1, 2), beta=0, alpha=scale)
        else:
            scores = torch.baddbmm(block.mask, of_q, of_k.transpose(1, 2), alpha=scale)
        torch.bmm(torch.softmax(scores, -1, out=scores), of_v, out=of_out)
    return out.index_select(0, back).view(tokens, heads, size)


def _longest(dtype: torch.dtype) -> int:
    """Return the length of the longest sequences for which products are faster, 0 for none."""
    if dtype != torch.float32:
        return _LONGEST
    return _LONGEST_FLOAT32 if torch.get_num_threads() > 1 else 0


def _padded(sizes: Ints, dtype: torch.dtype) -> Ints:
    """Return the lengths that sequences of ``sizes`` tokens are padded to."""
    whole = 16 if dtype == torch.float32 else 32
    return np.where(sizes <= 16, 16, -(-sizes // whole) * whole)


def _mask(is_token: np.ndarray[tuple[int, int], np.dtype[np.bool_]], heads: int, dtype: torch.dtype) -> Tensor:
    """Return ``[count, length]`` as what is added to the scores: ``[count * heads, 1, length]``."""
    mask = torch.zeros(is_token.shape, dtype=dtype).masked_fill_(torch.from_numpy(~is_token), -torch.inf)
    return mask.repeat_interleave(heads, 0).unsqueeze(1)
