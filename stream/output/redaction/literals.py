"""JSON string literals: where each character of their content is written, and edits that keep the rest as it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import TypeAlias

import orjson

Edit: TypeAlias = tuple[int, int, str]
"""Start, end, and what to write in place of that range."""

# One escaped character: a surrogate pair, any other code unit, or a short escape.
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")


def content(literal: str) -> str:
    """Return the text of a JSON string literal, which includes its quotes."""
    return orjson.loads(literal) if "\\" in literal else literal[1:-1]


def escaped(text: str) -> str:
    """Return ``text`` as it is written between the quotes of a literal."""
    return orjson.dumps(text).decode()[1:-1]


def literal_edits(literal: str, at: int, edits: Iterable[Edit]) -> list[Edit]:
    """Turn edits of a literal's content into edits of the document that contains the literal.

    Args:
        literal: the literal, with its quotes.
        at: where it starts in the document.
        edits: ranges of the content, in code points, with the text to write there, not escaped.
    """
    at += 1
    if "\\" not in literal:
        return [(at + start, at + end, escaped(text)) for start, end, text in edits]
    ends: list[int] = []
    shifts = [0]
    for escape in _ESCAPE.finditer(literal, 1):
        # The escape writes one character of the content with several.
        ends.append(escape.end() - 1 - shifts[-1] - (escape.end() - escape.start() - 1))
        shifts.append(shifts[-1] + escape.end() - escape.start() - 1)
    return [
        (at + start + shifts[bisect_right(ends, start)], at + end + shifts[bisect_right(ends, end)], escaped(text))
        for start, end, text in edits
    ]


def apply(document: str, edits: Iterable[Edit]) -> str:
    """Return ``document`` after ``edits``, which are sorted by their starts; one within an earlier one is left out."""
    parts: list[str] = []
    end = 0
    for start, stop, text in edits:
        if start >= end:
            parts += (document[end:start], text)
            end = stop
    return "".join([*parts, document[end:]])
