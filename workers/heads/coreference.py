"""The heads that resolve coreference: over whole inputs, from the states of all their windows, to spans of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeAlias

import torch
from tokenizers import Encoding
from torch import Tensor

from workers.encoder.packing import PackedBatch
from workers.encoder.trunk import States
from workers.encoder.words import Words, words
from workers.heads.base import Head
from workers.heads.fcoref import CoreferenceHead, Span
from workers.heads.pack_heads import ClusterMix

Owner: TypeAlias = Callable[[int], Span | None]
"""Token -> the place of the word that it is of; None for a special token."""


class ClusterHead(Head):
    """Coreference over whole texts: what it gives for a batch are the states, settled text by text."""

    def __init__(self, module: CoreferenceHead) -> None:
        self._module = module
        self.segment = module.max_segment_len

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        return states[-1][0]

    def settle(
        self, states: Sequence[Tensor], windows: Sequence[list[Encoding]], texts: Sequence[str]
    ) -> list[list[list[Span]]]:
        """Clusters of half-open code points of each text. What begins or ends with a special token is no mention.

        Windows are the segments that F-coref reads: of words, laid end to end, each token once.
        """
        found = self._module(states)
        return [
            _spans(clusters, _word_owners(own, text)) if clusters else []
            for clusters, own, text in zip(found, windows, texts, strict=True)
        ]


class ClusterMixHead(Head):
    """The same of a pack, on a mix of all layers and on the windows that other tasks read too."""

    def __init__(self, module: ClusterMix) -> None:
        self._module = module
        self.mix = module.mix

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        return states[-1][0]

    def settle(
        self, states: Sequence[Tensor], windows: Sequence[list[Encoding]], texts: Sequence[str]
    ) -> list[list[list[Span]]]:
        """As ``ClusterHead``; tokens that two windows have read count where they have more neighbours."""
        kept = [[slice(*part) for part in _each_once(own)] for own in windows]
        found = self._module.head([_taken(*each) for each in zip(states, windows, kept, strict=True)])
        return [
            _spans(clusters, _place_owners(own, parts, text)) if clusters else []
            for clusters, own, parts, text in zip(found, windows, kept, texts, strict=True)
        ]


def _word_owners(windows: Sequence[Encoding], text: str) -> Owner:
    """Of windows that were cut from words."""
    places = words(text)
    owners = [None if word is None else places[word] for window in windows for word in window.word_ids]
    return owners.__getitem__


def _place_owners(windows: Sequence[Encoding], kept: Sequence[slice], text: str) -> Owner:
    """Of windows cut from the text as it is, by what character a token begins with."""
    own = Words(text)
    offsets = [place for window, part in zip(windows, kept, strict=True) for place in window.offsets[part]]

    def owner(token: int) -> Span | None:
        start, end = offsets[token]
        return own.at(start) if start < end else None

    return owner


def _spans(clusters: list[list[Span]], owner: Owner) -> list[list[Span]]:
    """From half-open spans of tokens to those of code points."""
    found = []
    for cluster in clusters:
        ends = [(owner(first), owner(last - 1)) for first, last in cluster]
        found.append([(first[0], last[1]) for first, last in ends if first is not None and last is not None])
    return found


def _each_once(windows: Sequence[Encoding]) -> list[tuple[int, int]]:
    """Which tokens of each window to take, so that each of the text's comes once: half of what two of them share."""
    if len(windows) == 1:
        return [(0, len(windows[0]))]
    parts = []
    for window in windows:
        real = [n for n, special in enumerate(window.special_tokens_mask) if not special]
        parts.append([real[0], real[-1] + 1] if real else [0, 0])
    for before, after, left, right in zip(windows, windows[1:], parts, parts[1:], strict=False):
        shared = _shared(before, after)
        left[1] -= shared - shared // 2
        right[0] += shared // 2
    parts[0][0], parts[-1][1] = 0, len(windows[-1])
    return [(first, last) for first, last in parts]


def _taken(states: Tensor, windows: Sequence[Encoding], parts: Sequence[slice]) -> Tensor:
    """The states of those parts, of the windows' laid end to end."""
    if len(windows) == 1:
        return states[parts[0]]
    starts = accumulate(map(len, windows), initial=0)
    return torch.cat([states[at:][part] for at, part in zip(starts, parts, strict=False)])


def _shared(before: Encoding, after: Encoding) -> int:
    """How many tokens end one window and begin the next; ids tell apart the pieces of one character."""
    end, begin = (
        [piece for *piece, special in zip(own.ids, own.offsets, own.special_tokens_mask, strict=True) if not special]
        for own in (before, after)
    )
    most = min(len(end), len(begin))
    tails = (n for n in range(most, 0, -1) if end[-n] == begin[0])
    return next((n for n in tails if end[-n:] == begin[:n]), 0)
