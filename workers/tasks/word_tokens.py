"""Which tokens of a window form a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tokenizers import Encoding

from workers.encoder.reading import HeadInfo


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
