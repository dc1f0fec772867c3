"""Emoji and symbols that a WordPiece vocabulary does not know, and a tokenizer that splits texts at them.

WordPiece reads a word with an unknown character as one unknown token, so that an emoji next to a word hides the word.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from itertools import groupby

from tokenizers import Regex, Tokenizer, pre_tokenizers

from workers.encoder.reading import Input
from workers.encoder.styled import STYLED, plain_letters

_EMOJI = range(0x1F000, 0x1FB00)
"""Blocks that are set aside for emoji, including those that Python's version of Unicode does not know."""
_KEYCAP = 0x20E3
JOINERS = "\N{VARIATION SELECTOR-16}\N{ZERO WIDTH JOINER}"
"""Characters other than symbols that an emoji may contain."""


@cache
def _symbols() -> tuple[int, ...]:
    """Return all symbols and emoji beyond ASCII but styled letters, as code points in order."""
    end, letters = min(0x20000, sys.maxunicode), {*map(ord, STYLED)}
    return tuple(
        point
        for point in range(0x80, end)
        if point not in letters
        if unicodedata.category(chr(point))[0] == "S" or point in _EMOJI or point == _KEYCAP
    )


def unknown_symbols(tokenizer: Tokenizer) -> str:
    """Return the symbols and emoji that ``tokenizer`` does not know, in the order of their code points.

    A symbol is known if it is in the vocabulary both alone and as the continuation of a word, so that it does not hide
    its word.
    """
    prefix = getattr(tokenizer.model, "continuing_subword_prefix", None) or ""
    known = tokenizer.token_to_id
    return "".join(
        symbol for symbol in map(chr, _symbols()) if known(symbol) is None or known(f"{prefix}{symbol}") is None
    )


class SymbolSplitter:
    """Finds texts with symbols that a tokenizer does not know, and splits them there. Any thread may use it."""

    def __init__(self, symbols: str) -> None:
        """``symbols``: at least one, in the order of their code points."""
        # A set within the first plane is a table to Python, others are tried range by range.
        first_plane = "".join(symbol for symbol in symbols + STYLED if ord(symbol) < 0x10000)
        self._in_first_plane = re.compile(f"[{first_plane}]").search if first_plane else lambda _: None
        self._beyond = re.compile("[\U00010000-\U0010ffff]").search
        ranges = []
        for _, run in groupby(enumerate(symbols), lambda pair: ord(pair[1]) - pair[0]):
            first, *rest = (symbol for _, symbol in run)
            ranges.append(f"{first}-{rest[-1]}" if rest else first)
        self._pattern = f"[{''.join(ranges)}]+"

    def concerns(self, text: str) -> bool:
        """Whether ``text`` may have such symbols or styled letters: it has one, or a character beyond the first plane.

        Few texts have. Most are ASCII, which is known at once, and the others are searched in about a microsecond.
        """
        return not text.isascii() and (self._beyond(text) is not None or self._in_first_plane(text) is not None)

    def read(self, text_or_pair: Input) -> Input:
        """Return what the tokenizer reads in place of an input: the same, with plain letters for styled ones."""
        if isinstance(text_or_pair, str):
            return plain_letters(text_or_pair)
        return plain_letters(text_or_pair[0]), plain_letters(text_or_pair[1])

    def split(self, tokenizer: Tokenizer) -> None:
        """Let ``tokenizer`` make a word of every run of such symbols.

        It treats all other texts as before, and offsets are those of the text.
        """
        split = pre_tokenizers.Split(Regex(self._pattern), "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [split, tokenizer.pre_tokenizer] if tokenizer.pre_tokenizer else [split]
        )
