"""What of a span is the entity: it ends with its line or column, and has no symbols at its ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workers.encoder.symbols import JOINERS

_BREAKS = re.compile(r"(?<!\s)\s*[\n\r\t\v\f\x85\u2028\u2029]\s*")
"""White space that no entity contains, unless a program has wrapped the text there. It is looked for once per run of
spaces, not at each space."""
_BLANK_LINE = re.compile(r"(?:\n|\r\n?)[ \t]*(?:\n|\r)|\u2029")
_WRAPPED = 50
"""Code points of a line that a program may have wrapped."""


def lines(text: str, start: int, end: int, *, several: bool) -> Iterator[tuple[int, int]]:
    """Yield the parts of an entity that are on lines, or in columns, of their own.

    Tokenizers drop line breaks, so a list of names can come out as one. A line that is long enough to have been wrapped
    does not end an entity. With ``several``, only columns and blank lines end it.
    """
    for space in _BREAKS.finditer(text, start, end):
        line = space.start() - (text.rfind("\n", 0, space.start()) + 1)
        if "\t" in space[0] or (line < _WRAPPED and not several) or _BLANK_LINE.search(space[0]):
            yield start, space.start()
            start = space.end()
    yield start, end


def without_symbols(piece: str, symbols: str) -> str:
    """Return ``piece`` without white space at its ends, and without the symbols at which its text was split."""
    bare = piece.strip()
    while symbols and (shorter := bare.strip(symbols + JOINERS).strip()) != bare:
        bare = shorter
    return bare
