"""Sequences into packed batches: sorted by length, laid end to end, no padding. Pure numpy.

Sequences are known here by their lengths alone. Their tokens lie in flat arrays, sequence after
sequence; ``PackedBatch.tokens`` says which of them a forward takes, and back where its results go.
After "Efficient Sequence Packing without Cross-contamination" (Krell et al., 2021), with sorting in
place of bin packing because a forward has no fixed length to fill.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbours of equal length in a packed batch: ``count`` sequences of ``length`` tokens from token ``at`` on."""

    at: int
    count: int
    length: int

    @property
    def end(self) -> int:
        return self.at + self.count * self.length


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """One forward of N sequences and T tokens, shortest sequence first.

    - ``sequences`` [N]: which sequences, in the order in which they lie in the batch.
    - ``starts`` [N+1]: where each begins, and T; the cumulative lengths of variable-length kernels.
    - ``positions`` [T]: 0, 1, 2 ... within each sequence.
    - ``tokens`` [T]: where each token lies in the flat arrays. ``batch_ids = ids[tokens]`` gathers,
      ``scores[tokens] = batch_scores`` scatters.
    - ``groups``: the runs of equal length.
    - ``sides`` [T]: 1 for the tokens of the second text of a pair; None where there are no pairs.
    """

    sequences: Ints
    starts: NDArray[np.int32]
    positions: Ints
    tokens: Ints
    groups: tuple[Group, ...]
    sides: Ints | None = None

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def longest(self) -> int:
        return self.groups[-1].length


def flat_starts(lengths: Ints) -> Ints:
    """Where each sequence begins in the flat arrays, and their whole size: [S] -> [S+1]."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def pack(lengths: Ints, starts: Ints, chosen: Ints, budget: int, padded: bool = False) -> list[PackedBatch]:
    """Cuts the ``chosen`` sequences into forwards of at most ``budget`` tokens; a longer one stands alone.

    ``lengths`` [S] and ``starts`` [S+1] describe all sequences, ``chosen`` indexes them. With ``padded``
    the padding a rectangular batch would need counts against the budget too.
    """
    order = chosen[np.argsort(lengths[chosen], kind="stable")]
    sizes = lengths[order]
    batches = []
    first = 0
    # Sizes never fall, so the padding of a batch is decided by its last sequence.
    while first < len(order):
        taken = sizes[first:] * np.arange(1, len(order) - first + 1) if padded else np.cumsum(sizes[first:])
        count = max(1, int(np.searchsorted(taken, budget, side="right")))
        batches.append(_batch(order[first : first + count], lengths, starts))
        first += count
    return batches


def _batch(sequences: Ints, lengths: Ints, starts: Ints) -> PackedBatch:
    sizes = lengths[sequences]
    own = flat_starts(sizes)
    positions = np.arange(own[-1]) - np.repeat(own[:-1], sizes)
    tokens = positions + np.repeat(starts[sequences], sizes)
    edges = np.flatnonzero(np.diff(sizes, prepend=-1))
    counts = np.diff(edges, append=len(sizes))
    groups = tuple(
        Group(int(own[edge]), int(count), int(sizes[edge])) for edge, count in zip(edges, counts, strict=True)
    )
    return PackedBatch(sequences, own.astype(np.int32), positions, tokens, groups)
