"""The heads that resolve coreference over whole texts, from the states of all their windows to clusters of words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

import torch
from tokenizers import Encoding
from torch import Tensor, nn

from workers.encoder.packing import PackedBatch
from workers.encoder.tokenization import Cut
from workers.encoder.trunk import States
from workers.encoder.words import Words, words
from workers.heads.base import Head
from workers.heads.fcoref import CoreferenceHead, Span

WordOf: TypeAlias = Callable[[int], Span | None]
"""Maps a token to the code points of its word; None for a special token."""


class ClusterHead(Head):
    """The head of an F-coref checkpoint: clusters of mentions in whole texts."""

    per = "input"

    def __init__(self, module: CoreferenceHead) -> None:
        """Wrap ``module``, whose segments decide how texts are cut."""
        self._module = module
        self.cut = Cut(module.max_segment_len, 0, segments=True)

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        """Return the last layer, ``[T, H]``."""
        return states[-1][0]

    def resolve_clusters(
        self, states: Sequence[Tensor], windows: Sequence[list[Encoding]], texts: Sequence[str]
    ) -> list[list[list[Span]]]:
        """Find the clusters of each text, as half-open spans of code points.

        The windows must be the segments that F-coref reads: cut from words, laid end to end, without overlap. Spans
        that begin or end with a special token are dropped. Raises ForwardError as ``CoreferenceHead`` does.
        """
        clusters_of = self._module(states)
        return [
            _to_words(clusters, _words_of_segments(segments, text)) if clusters else []
            for clusters, segments, text in zip(clusters_of, windows, texts, strict=True)
        ]


class ClusterMix(nn.Module):
    """The coreference module of a pack: F-coref's head on a weighted sum of all layers.

    ``mix``: ``[layers + 1]``. ``revision``: 12 hex digits of the file's SHA-256.
    """

    def __init__(self, entry: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Build it from its entry in the manifest and its tensors.

        Raises KeyError, TypeError, ValueError or RuntimeError if they do not fit together.
        """
        super().__init__()
        self.revision: str = entry["sha256"][:12]
        self.mix = nn.Parameter(tensors["mix"].float())
        weights = {name: value.float() for name, value in tensors.items() if name != "mix"}
        self.head = CoreferenceHead(entry["settings"], weights)
        self.requires_grad_(False)
        self.eval()

    def as_head(self) -> Head:
        """Return the head that runs this module in a chain."""
        return ClusterMixHead(self)


class ClusterMixHead(Head):
    """The coreference head of a pack, which reads the same windows as the other heads of its trunk."""

    per = "input"

    def __init__(self, module: ClusterMix) -> None:
        """Wrap ``module``."""
        self._module = module
        self.mix = module.mix

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        """Return the mix, ``[T, H]``."""
        return states[-1][0]

    def resolve_clusters(
        self, states: Sequence[Tensor], windows: Sequence[list[Encoding]], texts: Sequence[str]
    ) -> list[list[list[Span]]]:
        """Find the clusters of each text, as half-open spans of code points.

        Windows may overlap: a token that two of them share is taken from the window in which it has more context.
        Spans that begin or end with a special token are dropped. Raises ForwardError as ``CoreferenceHead`` does.
        """
        parts = [[slice(*part) for part in _each_once(text_windows)] for text_windows in windows]
        clusters_of = self._module.head([_take(*each) for each in zip(states, windows, parts, strict=True)])
        return [
            _to_words(clusters, _words_of_windows(text_windows, text_parts, text)) if clusters else []
            for clusters, text_windows, text_parts, text in zip(clusters_of, windows, parts, texts, strict=True)
        ]


def _words_of_segments(segments: Sequence[Encoding], text: str) -> WordOf:
    """For windows that were tokenized from words: the tokenizer knows the word of each token."""
    places = words(text)
    token_words = [None if word is None else places[word] for segment in segments for word in segment.word_ids]
    return token_words.__getitem__


def _words_of_windows(windows: Sequence[Encoding], parts: Sequence[slice], text: str) -> WordOf:
    """For windows that were tokenized from the text: a token belongs to the word of its first character."""
    text_words = Words(text)
    offsets = [offset for window, part in zip(windows, parts, strict=True) for offset in window.offsets[part]]

    def word_of(token: int) -> Span | None:
        start, end = offsets[token]
        return text_words.at(start) if start < end else None

    return word_of


def _to_words(clusters: list[list[Span]], word_of: WordOf) -> list[list[Span]]:
    """Turn half-open spans of tokens into half-open spans of code points."""
    in_words = []
    for cluster in clusters:
        ends = [(word_of(first), word_of(last - 1)) for first, last in cluster]
        in_words.append([(first[0], last[1]) for first, last in ends if first is not None and last is not None])
    return in_words


def _each_once(windows: Sequence[Encoding]) -> list[tuple[int, int]]:
    """Return which tokens of each window to take so that each token of the text is taken once.

    Where two windows overlap, each gives half of the tokens they share.
    """
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


def _take(states: Tensor, windows: Sequence[Encoding], parts: Sequence[slice]) -> Tensor:
    """Take the states of the given part of each window; ``states`` has all windows laid end to end."""
    if len(windows) == 1:
        return states[parts[0]]
    starts = accumulate(map(len, windows), initial=0)
    return torch.cat([states[at:][part] for at, part in zip(starts, parts, strict=False)])


def _shared(before: Encoding, after: Encoding) -> int:
    """Return how many tokens at the end of one window are also at the beginning of the next.

    Ids are compared besides offsets, because several tokens can be pieces of one character.
    """
    end, begin = (
        [
            piece
            for *piece, special in zip(window.ids, window.offsets, window.special_tokens_mask, strict=True)
            if not special
        ]
        for window in (before, after)
    )
    most = min(len(end), len(begin))
    tails = (n for n in range(most, 0, -1) if end[-n] == begin[0])
    return next((n for n in tails if end[-n:] == begin[:n]), 0)
