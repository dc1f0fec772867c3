"""How much of a text a tokenizer does not know, and so the model has not read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Encoding

from workers.encoder.reading import Input
from workers.encoder.words import words


def unknown_share(text_or_pair: Input, windows: Sequence[Encoding], unk_id: int, *, segments: bool = False) -> float:
    """Return the share of a text, by characters, that is in unknown tokens: 0 to 1. Of a pair, the larger share.

    Compared are the characters of unknown tokens, without white space, and all letters and digits. Characters are
    counted because tokens differ: an unknown word is a single token, a known one can be several. What overlapping
    windows share counts once, and what a truncated text has lost does not count.

    Args:
        text_or_pair: what was tokenized.
        windows: all of its windows.
        unk_id: the id of the unknown token.
        segments: whether offsets count from the start of a word, as with ``Cut.segments``.
    """
    texts = (text_or_pair,) if isinstance(text_or_pair, str) else text_or_pair
    starts = [start for start, _ in words(texts[0])] if segments else []
    spans: list[set[tuple[int, int]]] = [set() for _ in texts]
    ends = [0] * len(texts)
    for window in windows:
        for id_, (start, end), side, word in zip(
            window.ids, window.offsets, window.sequence_ids, window.word_ids, strict=True
        ):
            if side is None:
                continue
            first = starts[word] if starts and word is not None else 0
            ends[side] = max(ends[side], first + end)
            if id_ == unk_id:
                spans[side].add((first + start, first + end))
    return max(map(_share, texts, spans, ends))


def _share(text: str, spans: Iterable[tuple[int, int]], end: int) -> float:
    """Return the share of ``text``, read up to ``end``, that is in ``spans``, which do not overlap."""
    pieces = [text[slice(*span)] for span in spans]
    unknown = sum(len("".join(piece.split())) for piece in pieces)
    if not unknown:
        return 0.0
    known = sum(map(str.isalnum, text[:end])) - sum(sum(map(str.isalnum, piece)) for piece in pieces)
    return unknown / (unknown + known)
