"""A job: a stage's share of a micro-batch, packed into forwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor

from schemas.document import Document, Failure
from schemas.errors import TokenizeError
from workers.encoder.casing import cased_types
from workers.encoder.packing import Ints, PackedBatch, flat_starts, pack
from workers.encoder.reading import Input, Scores
from workers.encoder.tokenization import Tokenization
from workers.encoder.trunk import Trunk
from workers.encoder.unknown import unknown_share

_WORTH = 256
"""Tokens: with fewer for each of the forwards side by side, one forward on all cores is as fast."""
LONG = 1024
"""Tokens of a sequence that takes about twice the time per token of a short one."""


def costs_of(lengths: Ints) -> NDArray[np.float64]:
    """Return what sequences of some lengths cost, in tokens: long ones cost more, because they attend to more."""
    return lengths * (1 + lengths / LONG)


@dataclass(slots=True)
class Tokenized:
    """What a stage reads of one document.

    - ``inputs``: the inputs of each task, by its name.
    - ``windows``: the encodings of each input, at least one, in text order.
    - ``failed``: the inputs that have no windows, and why.
    """

    inputs: dict[str, Sequence[Input]]
    windows: dict[Input, list[Encoding]] = field(default_factory=dict)
    failed: dict[Input, Failure] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """A stage's share of a micro-batch: S sequences of L tokens in total. Equal inputs are in it once.

    - ``windows`` [S]: the encodings; ``lengths`` [S]: their tokens; ``starts`` [S+1]: where each begins, then L.
    - ``ids`` [L], ``types`` [L]: token ids and token types; ``types`` is None if the trunk does not need them.
    - ``paired``: whether any input is a pair.
    - ``places``: input -> its first sequence and the one after its last.
    - ``batches``: the forwards still to run; ``running``: those that run on the threads of the trunk's pool.
    - ``scores``: per head ``[S, labels]`` or ``[L, labels]``, filled in by the forwards; None before.
    - ``states``: per head that needs whole inputs, the hidden states ``[L, H]`` of all sequences while it needs them.
    - ``wanted``: per head that needs whole inputs, the inputs that its tasks read.
    - ``clusters``: per head that needs whole inputs, its result for each of them.
    - ``unknown``: input -> the share of it that the tokenizer does not know, if that is more than 0.
    - ``failed``: sequence -> why no head has scores for it.
    - ``failed_heads``: per head, sequence -> why this head has no scores for it.

    One thread at a time may use it: the prepare thread packs it, the device thread runs it, the finish thread reads it.
    """

    windows: list[Encoding]
    lengths: Ints
    starts: Ints
    ids: Ints
    types: Ints | None
    paired: bool
    places: dict[Input, tuple[int, int]]
    batches: list[PackedBatch]
    scores: list[Scores | None]
    states: list[Tensor | None]
    wanted: list[dict[Input, None]]
    clusters: list[dict[Input, Any]]
    failed_heads: list[dict[int, Failure]]
    running: dict[Future[Any], PackedBatch] = field(default_factory=dict)
    unknown: dict[Input, float] = field(default_factory=dict)
    failed: dict[int, Failure] = field(default_factory=dict)

    def failure(self, text_or_pair: Input, head: int | None = None) -> Failure | None:
        """Return why an input has no scores; None if it has all.

        Without the index of a ``head``, only failures that concern every head count.
        """
        sequences = range(*self.places[text_or_pair])
        kinds = (self.failed,) if head is None else (self.failed, self.failed_heads[head])
        return next((failed[n] for failed in kinds if failed for n in sequences if n in failed), None)

    def split(self, sequences: Ints, trunk: Trunk) -> list[PackedBatch]:
        """Cut some of the sequences into forwards of the size that suits ``trunk``."""

        def cut(chosen: Ints) -> list[PackedBatch]:
            return pack(self.lengths, self.starts, chosen, trunk.forward_tokens, padded=not trunk.packed)

        side_by_side = 1 if trunk.pool is None else trunk.pool.forwards
        if side_by_side == 1 or int(self.lengths[sequences].sum()) < side_by_side * _WORTH:
            return cut(sequences)
        return cut_evenly(self.lengths, sequences, side_by_side, cut)


def pack_documents(
    documents: Sequence[Document],
    index: int,
    trunk: Trunk,
    tokenization: Tokenization,
    *,
    heads: int,
    whole: Mapping[str, int],
) -> Job:
    """Pack what a stage has tokenized of ``documents`` into a job.

    Documents that have failed or have nothing for this stage are skipped.

    Args:
        documents: the micro-batch.
        index: the stage's place in the chain.
        trunk: the stage's trunk.
        tokenization: the stage's tokenization.
        heads: how many heads will be computed.
        whole: the tasks whose head needs whole inputs, with the index of that head.
    """
    windows: list[Encoding] = []
    places: dict[Input, tuple[int, int]] = {}
    wanted: list[dict[Input, None]] = [{} for _ in range(heads)]
    paired = False
    for document in documents:
        tokenized: Tokenized | None = document.sequences.get(index)
        if document.failure is not None or tokenized is None:
            continue
        for task, head in whole.items():
            wanted[head].update(dict.fromkeys(tokenized.inputs.get(task, ())))
        for text_or_pair, encodings in tokenized.windows.items():
            if text_or_pair not in places:
                paired = paired or isinstance(text_or_pair, tuple)
                places[text_or_pair] = (len(windows), len(windows) + len(encodings))
                windows += encodings
    lengths = np.fromiter(map(len, windows), np.int64, len(windows))
    starts = flat_starts(lengths)
    total = int(starts[-1])
    ids = np.fromiter(chain.from_iterable(window.ids for window in windows), np.int64, total)
    types = None
    if trunk.cased:
        sources = [text_or_pair for text_or_pair, (first, last) in places.items() for _ in range(first, last)]
        types = cased_types(sources, windows, tokenization.cut.segments)
    elif tokenization.typed or (paired and tokenization.typed_pairs):
        types = np.fromiter(chain.from_iterable(window.type_ids for window in windows), np.int64, total)
    job = Job(
        windows, lengths, starts, ids, types, paired, places, [], [None] * heads, [None] * heads,
        wanted, [{} for _ in range(heads)], [{} for _ in range(heads)],
    )  # fmt: skip
    if tokenization.unk_id is not None:
        job.unknown = _unknown_shares(job, tokenization.unk_id, tokenization.cut.segments)
    # An id without an embedding would break the CUDA context for good, so it must never reach the device.
    for sequence in sequences_of(np.flatnonzero(ids >= trunk.vocabulary), starts):
        error = TokenizeError("the tokenizer gave a token the model has no embedding for")
        job.failed[sequence] = Failure.of(error, "tokenize")
    job.batches = job.split(np.array([n for n in range(len(windows)) if n not in job.failed], np.int64), trunk)
    return job


def _unknown_shares(job: Job, unk_id: int, segments: bool) -> dict[Input, float]:
    """Return the unknown share of each input of ``job`` that has unknown tokens."""
    unknown = set(sequences_of(np.flatnonzero(job.ids == unk_id), job.starts).tolist())
    if not unknown:
        return {}
    return {
        text_or_pair: unknown_share(text_or_pair, job.windows[first:last], unk_id, segments=segments)
        for text_or_pair, (first, last) in job.places.items()
        if not unknown.isdisjoint(range(first, last))
    }


def cut_evenly(
    lengths: Ints, sequences: Ints, side_by_side: int, cut: Callable[[Ints], list[PackedBatch]]
) -> list[PackedBatch]:
    """Cut ``sequences`` so that forwards take about equally long, and their number is a multiple of ``side_by_side``.

    So all of those that run side by side end at about the same time. ``cut`` makes forwards of the largest size; what
    it makes is returned if there are not enough sequences, or if they are too long.
    """
    largest = cut(sequences)
    order = sequences[np.argsort(lengths[sequences], kind="stable")]
    costs = np.cumsum(costs_of(lengths[order]))
    first = -(-len(largest) // side_by_side) * side_by_side
    for count in range(first, min(len(order), first + 2 * side_by_side) + 1, side_by_side):
        edges = np.searchsorted(costs, costs[-1] * np.arange(1, count) / count)
        batches = [batch for part in np.split(order, edges) if len(part) for batch in cut(part)]
        if len(batches) == count:
            return batches
    return largest


def sequences_of(tokens: Ints, starts: NDArray[np.integer]) -> Ints:
    """Return the sequences that the tokens at some flat positions belong to, each once."""
    return np.unique(np.searchsorted(starts, tokens, side="right") - 1)
