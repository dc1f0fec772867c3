"""Upper case for a trunk that reads lower case alone: it comes in as token types.

all-MiniLM-L6-v2 is uncased, and names are hard to tell without capitals. The starter's trunk has six token
types instead of two: ``side + 2 * case``, ``side`` 1 for the second text of a pair, ``case`` 0 for a token
without capitals, 1 with some, 2 with two or more letters that are all capitals.
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
SIDES = 2

_PLANE = 0x10000
# What Unicode calls upper and lower case, of its first plane: 0, 1 for upper, 2 for lower.
_LETTERS = np.fromiter((1 if chr(n).isupper() else 2 * chr(n).islower() for n in range(_PLANE)), np.uint8, _PLANE)


def counts(text: str) -> tuple[Ints, Ints]:
    """How many capitals, and how many small letters, stand before each place of ``text``: two of ``[len + 1]``."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _LETTERS[np.minimum(points, _PLANE - 1)]
    upper, lower = np.zeros(len(text) + 1, np.int64), np.zeros(len(text) + 1, np.int64)
    np.cumsum(kinds == 1, out=upper[1:])
    np.cumsum(kinds == 2, out=lower[1:])
    return upper, lower


def cases(text: str, spans: Ints) -> Ints:
    """The case of each of the ``spans`` ``[n, 2]`` (half-open, in code points) of ``text``: ``[n]``, 0 to 2."""
    upper, lower = counts(text)
    starts, ends = spans[:, 0], spans[:, 1]
    capitals = upper[ends] - upper[starts]
    found: Ints = (capitals > 0).astype(np.int64) + ((capitals > 1) & (lower[ends] == lower[starts]))
    return found


def cased_types(reads: Sequence[Input], windows: Sequence[Encoding], segments: bool = False) -> Ints:
    """The token types of ``windows``, laid end to end. ``reads``: the text or the pair that each of them is from.

    ``segments``: offsets count from the start of their word (see ``workers.encoder.words``), not of their text.
    """
    bases: dict[Input, tuple[int, int]] = {}
    texts: list[str] = []
    at = 0
    for read in reads:
        if read not in bases:
            pair = read if isinstance(read, tuple) else (read, "")
            bases[read] = (at, at + len(pair[0]))
            texts += pair
            at += len(pair[0]) + len(pair[1])
    lengths = [len(window) for window in windows]
    total = sum(lengths)
    flat = chain.from_iterable(chain.from_iterable(window.offsets for window in windows))
    spans = np.fromiter(flat, np.int64, 2 * total).reshape(total, 2)
    sides = np.fromiter(chain.from_iterable(window.type_ids for window in windows), np.int64, total)
    base = np.repeat(np.array([bases[read] for read in reads], np.int64).reshape(-1, 2), lengths, axis=0)
    starts = np.where(sides == 0, base[:, 0], base[:, 1])
    if segments:
        starts += _word_starts(reads, windows, total)
    # A special token's offsets are equal, and so it has no case wherever it is put.
    return sides + SIDES * cases("".join(texts), spans + starts[:, None])


def _word_starts(reads: Sequence[Input], windows: Sequence[Encoding], total: int) -> Ints:
    firsts: dict[Input, list[int]] = {
        read: [start for start, _ in words(read)] for read in dict.fromkeys(reads) if isinstance(read, str)
    }
    return np.fromiter(
        (
            0 if word is None else firsts[read][word]
            for read, window in zip(reads, windows, strict=True)
            for word in window.word_ids
        ),
        np.int64,
        total,
    )
