"""Which tokens of a window form a word, and the scores of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from tokenizers import Encoding

from workers.encoder.reading import HeadInfo, Scores


def words_of(tokens: Sequence[int], window: Encoding, head: HeadInfo, text: str) -> list[tuple[int, int]]:
    """Return the words of ``window`` that contain any of ``tokens``, each as its first and its last token.

    ``tokens`` are sorted; ``text`` is the one that the window's offsets refer to.
    """
    continues = _continues(window, head, text)
    words: list[tuple[int, int]] = []
    done = -1
    for token in tokens:
        if token > done:
            first, done = token, token
            while continues(first):
                first -= 1
            while continues(done + 1):
                done += 1
            words.append((first, done))
    return words


def word_scores(table: Scores, words: Sequence[tuple[int, int]], aggregation: str) -> Scores:
    """Return scores ``[words, labels]`` from those of all tokens, ``table``, and each word's first and last token.

    ``aggregation``: "average" takes the mean of a word's tokens, "max" the token with the highest score, anything else
    the first one.
    """
    bounds = np.array(words)
    if aggregation == "max":
        surest = table.max(axis=1)
        bounds[:, 0] = [
            first + int(surest[first : last + 1].argmax()) if first < last else first for first, last in words
        ]
    if aggregation != "average":
        chosen: Scores = table[bounds[:, 0]]
        return chosen
    edges = np.add(bounds, (0, 1)).ravel()
    sums = np.add.reduceat(table, edges[:-1] if edges[-1] == len(table) else edges)[::2]
    means: Scores = np.divide(sums, np.diff(edges)[::2, None], dtype=np.float32)
    return means


def _continues(window: Encoding, head: HeadInfo, text: str) -> Callable[[int], bool]:
    """Return a function that tells whether token i continues the word of token i - 1.

    It is False for special tokens and outside the window. A word-aware tokenizer marks continuing tokens, which makes
    them longer than their text; with any other tokenizer a word begins after a space. The unknown token is always a
    whole word.
    """
    pieces = window.tokens if head.word_aware else []
    ids = window.ids

    def continues(token: int) -> bool:
        if not 0 < token < len(ids) or ids[token] == head.unk_id:
            return False
        chars = window.token_to_chars(token)
        if chars is None or window.token_to_chars(token - 1) is None:
            return False
        start, end = chars
        if head.word_aware:
            return len(pieces[token]) != end - start
        return start > 0 and " " not in text[start - 1 : start + 1]

    return continues
