"""Where the sentences of a text are.

The rules are those of Unicode's text segmentation (UAX #29) as far as chat and comments need them: a sentence ends at
a line break, at ``!`` and ``?`` and their like, and at a full stop that a lower-case letter does not follow. Other than
there, stops of scripts with spaces end a sentence only before white space, so that addresses stay whole; a full stop
does not end it after initials and titles, nor any stop within a quotation that the sentence goes on after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from schemas.document import Part

MOST = 1000
"""Sentences of an event; what follows in a text is one sentence with the last of them."""

_CLOSERS = "\"'”’»›)]}」』】）"
_STOPS = ".!?…؟۔।॥։"
_UNSPACED = "。！？｡"
_WEAK = ".…"
"""Stops that may be within a sentence: a lower-case letter behind them tells."""
_END = re.compile(
    rf"[\n\r\x85\u2028\u2029]+|[{_UNSPACED}]+[{re.escape(_CLOSERS)}]*"
    # Possessive and only at the first stop of several, so that the time is linear in the length of any text.
    rf"|(?<![{_STOPS}])[{_STOPS}]++[{re.escape(_CLOSERS)}]*+(?=\s)"
)
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "e.g", "i.e", "z.b", "d.h", "hr", "fr"})
_WORD = re.compile(r"[^\W\d_](?:[\w.]*\w)?\Z")
_LONGEST = 8
"""Characters before a full stop in which a title is looked for."""


def sentences(text: str, parts: Sequence[Part] | None = None) -> list[tuple[int, int]]:
    """Return start and end of each sentence of ``text``, in order, without white space around it.

    Every letter and digit is in one of them; other signs between two sentences belong to the first. ``parts``: the
    texts that ``text`` was joined from; no sentence is in two of them.
    """
    if parts is None:
        return _limited(list(_in(text, 0, len(text))), MOST)
    spans: list[tuple[int, int]] = []
    for part in parts:
        spans += _limited(list(_in(text, part.start, part.end)), max(1, MOST - len(spans)))
    return spans


def _limited(spans: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    return spans if len(spans) <= most else [*spans[: most - 1], (spans[most - 1][0], spans[-1][1])]


def _in(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the sentences between two places of ``text``."""
    held: tuple[int, int] | None = None
    start = first
    for end in (*_ends(text, first, last), last):
        piece = _trimmed(text, start, end)
        start = end
        if piece is None:
            continue
        wordless = not any(map(str.isalnum, text[piece[0] : piece[1]]))
        if held is None:
            held = piece
        elif wordless or not any(map(str.isalnum, text[held[0] : held[1]])):
            held = held[0], piece[1]
        else:
            yield held
            held = piece
    if held is not None:
        yield held


def _ends(text: str, first: int, last: int) -> Iterator[int]:
    """Yield where sentences may end between two places of ``text``."""
    for match in _END.finditer(text, first, last):
        stop, end = match[0], match.end()
        certain = stop[0] not in _WEAK and (stop[-1] not in _CLOSERS or stop[0] in _UNSPACED)
        if certain or not (_continues(text, end, last) or (stop == "." and _abbreviated(text, first, match.start()))):
            yield end


def _continues(text: str, at: int, last: int) -> bool:
    """Return whether what ends at ``at`` is followed by a lower-case letter, after any white space."""
    while at < last and text[at].isspace():
        at += 1
    return at < last and text[at].islower()


def _abbreviated(text: str, first: int, stop: int) -> bool:
    """Return whether the full stop at ``stop`` belongs to an initial or a title."""
    word = _WORD.search(text[max(first, stop - _LONGEST) : stop])
    if word is None:
        return False
    return word[0].lower() in _TITLES or (len(word[0]) == 1 and word[0].isupper())


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return a range without white space around it; None if there is nothing else."""
    piece = text[start:end]
    begin = start + len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    return (begin, end) if begin < end else None
