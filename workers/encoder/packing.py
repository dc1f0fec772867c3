"""Packs sequences into batches: sorted by length, laid end to end, without padding. Pure numpy.

Only the lengths of sequences matter here. Their tokens are in flat arrays, sequence after sequence;
``PackedBatch.tokens`` has the flat position of each token of a batch, both to gather inputs and to scatter results.
After "Efficient Sequence Packing without Cross-contamination" (Krell et al., 2021), with sorting instead of bin
packing, because a forward has no fixed length to fill.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbours of equal length in a packed batch: ``count`` sequences of ``length`` tokens, from token ``at``."""

    at: int
    count: int
    length: int

    @property
    def end(self) -> int:
        """The token after the last one of the group."""
        return self.at + self.count * self.length


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """The input of one forward: N sequences of T tokens in total, the shortest first.

    - ``sequences`` [N]: the numbers of the sequences, in the order of the batch.
    - ``starts`` [N+1]: where each begins, then T; variable-length kernels call this cumulative lengths.
    - ``positions`` [T]: 0, 1, 2 ... within each sequence.
    - ``tokens`` [T]: the position of each token in the flat arrays. ``batch_ids = ids[tokens]`` gathers,
      ``scores[tokens] = batch_scores`` scatters.
    - ``groups``: the runs of equal length.
    - ``sides`` [T]: 1 for tokens of the second text of a pair; None if there are no pairs.
    """

    sequences: Ints
    starts: NDArray[np.int32]
    positions: Ints
    tokens: Ints
    groups: tuple[Group, ...]
    sides: Ints | None = None

    def __len__(self) -> int:
        """Return N."""
        return len(self.sequences)

    @property
    def longest(self) -> int:
        """The length of the longest sequence, in tokens."""
        return self.groups[-1].length


def flat_starts(lengths: Ints) -> Ints:
    """Return where each sequence begins in the flat arrays, then their size: ``[S]`` -> ``[S+1]``."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def rows_on_cpu(tokens: int) -> int:
    """Return how many rows a forward of ``tokens`` tokens should have on a CPU, padding at the end included.

    oneDNN makes a kernel for each number of rows that it meets, which takes as long as the product itself or longer in
    bfloat16, and keeps about a thousand. So few numbers should occur. Memory, too, is used again if its sizes repeat.
    """
    whole = 16 if tokens < 256 else 32
    return -(-tokens // whole) * whole


def pack(lengths: Ints, starts: Ints, chosen: Ints, budget: int, padded: bool = False) -> list[PackedBatch]:
    """Pack the ``chosen`` sequences into batches of at most ``budget`` tokens; a longer sequence gets its own batch.

    ``lengths`` ``[S]`` and ``starts`` ``[S+1]`` describe all sequences; ``chosen`` indexes them. With ``padded``, the
    padding of a rectangular batch counts too.
    """
    order = chosen[np.argsort(lengths[chosen], kind="stable")]
    sizes = lengths[order]
    batches = []
    first = 0
    # Sizes never decrease, so the last sequence of a batch decides its padding.
    while first < len(order):
        taken = sizes[first:] * np.arange(1, len(order) - first + 1) if padded else np.cumsum(sizes[first:])
        count = max(1, int(np.searchsorted(taken, budget, side="right")))
        batches.append(_batch(order[first : first + count], lengths, starts))
        first += count
    return batches


def _batch(sequences: Ints, lengths: Ints, starts: Ints) -> PackedBatch:
    sizes = lengths[sequences]
    batch_starts = flat_starts(sizes)
    positions = np.arange(batch_starts[-1]) - np.repeat(batch_starts[:-1], sizes)
    tokens = positions + np.repeat(starts[sequences], sizes)
    edges = np.flatnonzero(np.diff(sizes, prepend=-1))
    counts = np.diff(edges, append=len(sizes))
    groups = tuple(
        Group(int(batch_starts[edge]), int(count), int(sizes[edge])) for edge, count in zip(edges, counts, strict=True)
    )
    return PackedBatch(sequences, batch_starts.astype(np.int32), positions, tokens, groups)
