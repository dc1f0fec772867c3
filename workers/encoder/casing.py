"""Upper case for a trunk that reads only lower case: it is encoded as token types.

all-MiniLM-L6-v2 is uncased, and names are hard to recognise without capitals. The starter's trunk has six token types
instead of two: ``side + 2 * case``. ``side`` is 1 for the second text of a pair; ``case`` is 0 for a token without
capitals, 1 for some, 2 for two or more letters that are all capitals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from workers.encoder.reading import Input
from workers.encoder.words import words

Ints = NDArray[np.int64]
CASES = 3
"""How many cases a token can have: no capitals, some, or all capitals."""
SIDES = 2
"""How many texts a pair has."""

_PLANES = 0x20000
# The case of every code point of Unicode's first two planes: 1 for upper, 2 for lower, 0 for neither.
_LETTERS = np.fromiter((1 if chr(n).isupper() else 2 * chr(n).islower() for n in range(_PLANES)), np.uint8, _PLANES)


def counts(text: str) -> tuple[Ints, Ints]:
    """Count the upper-case and the lower-case letters before each position of ``text``: two arrays ``[len + 1]``."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _LETTERS[np.minimum(points, _PLANES - 1)]
    upper, lower = np.zeros(len(text) + 1, np.int64), np.zeros(len(text) + 1, np.int64)
    np.cumsum(kinds == 1, out=upper[1:])
    np.cumsum(kinds == 2, out=lower[1:])
    return upper, lower


def cases(text: str, spans: Ints) -> Ints:
    """Return the case, 0 to 2, of half-open ``spans`` of ``text``, in code points: ``[n, 2]`` -> ``[n]``."""
    upper, lower = counts(text)
    starts, ends = spans[:, 0], spans[:, 1]
    capitals = upper[ends] - upper[starts]
    span_cases: Ints = (capitals > 0).astype(np.int64) + ((capitals > 1) & (lower[ends] == lower[starts]))
    return span_cases


def cased_types(sources: Sequence[Input], windows: Sequence[Encoding], segments: bool = False) -> Ints:
    """Return the token types of all ``windows``, laid end to end: ``[tokens]``.

    ``sources``: the text or pair that each window is from. ``segments``: whether offsets count from the start of a
    word (see ``workers.encoder.words``) instead of the text.
    """
    bases: dict[Input, tuple[int, int]] = {}
    texts: list[str] = []
    at = 0
    for source in sources:
        if source not in bases:
            pair = source if isinstance(source, tuple) else (source, "")
            bases[source] = (at, at + len(pair[0]))
            texts += pair
            at += len(pair[0]) + len(pair[1])
    lengths = [len(window) for window in windows]
    total = sum(lengths)
    flat = chain.from_iterable(chain.from_iterable(window.offsets for window in windows))
    spans = np.fromiter(flat, np.int64, 2 * total).reshape(total, 2)
    base = np.array([bases[source] for source in sources], np.int64).reshape(-1, 2)
    if any(isinstance(source, tuple) for source in bases):
        sides = np.fromiter(chain.from_iterable(window.type_ids for window in windows), np.int64, total)
        base = np.repeat(base, lengths, axis=0)
        starts = np.where(sides == 0, base[:, 0], base[:, 1])
    else:
        sides, starts = np.zeros(total, np.int64), np.repeat(base[:, 0], lengths)
    if segments:
        starts += _word_starts(sources, windows, total)
    # The offsets of a special token are equal, so it has no case whatever is added to them.
    return sides + SIDES * cases("".join(texts), spans + starts[:, None])


def _word_starts(sources: Sequence[Input], windows: Sequence[Encoding], total: int) -> Ints:
    """Return where the word of each token starts in its text; 0 for special tokens."""
    firsts: dict[Input, list[int]] = {
        source: [start for start, _ in words(source)] for source in dict.fromkeys(sources) if isinstance(source, str)
    }
    return np.fromiter(
        (
            0 if word is None else firsts[source][word]
            for source, window in zip(sources, windows, strict=True)
            for word in window.word_ids
        ),
        np.int64,
        total,
    )
