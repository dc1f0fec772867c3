"""Text in a form in which values are compared: without case, and after Unicode normalisation."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import combining, normalize

# Unicode's Default_Ignorable_Code_Point: soft hyphens, zero-width spaces and joiners, marks of direction, selectors.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)


def fold(text: str) -> str:
    """Return ``text`` so that spellings of the same characters are equal.

    Folding ignores case and compatibility (full-width letters, ligatures), and composed characters equal decomposed
    ones: it is the decomposition NFKD of the case-folded NFKD (Unicode's toNFKC_Casefold, decomposed). Characters that
    nobody sees, such as a zero-width space, are left out, so the result may be empty.
    """
    if text.isascii():
        return text.lower()
    return normalize("NFKD", normalize("NFKD", _INVISIBLE.sub("", text)).casefold())


class Folded:
    """A text and its folded form, with the place of each folded character in the text."""

    __slots__ = ("_bounds", "folded", "text")

    def __init__(self, text: str) -> None:
        """Fold ``text``."""
        self.text = text
        self.folded = fold(text)
        self._bounds: list[int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the range of the text that the range ``start`` to ``end`` of ``folded``, not empty, comes from.

        It consists of whole characters, and of whole combining sequences at its end.
        """
        text = self.text
        if text.isascii():
            return start, end
        if self._bounds is None:
            self._bounds = _origins(text)
        origins = self._bounds
        first, last = origins[start], origins[end - 1] + 1
        while last < len(text) and combining(text[last]):
            last += 1
        # Combining marks are sorted within their sequence, so the first one may come from any place in it.
        while first and combining(text[first]):
            first -= 1
        return first, last


def _origins(text: str) -> list[int]:
    """Return the index in ``text`` that each character of ``fold(text)`` comes from."""
    return [index for index, character in enumerate(text) for _ in range(_width(character))]


@lru_cache(maxsize=65_536)
def _width(character: str) -> int:
    return len(fold(character))
