"""Letters and digits of decorative alphabets, read as the plain ones.

People write posts in mathematical bold, full-width, circled or squared letters, for style or to get past moderation. A
vocabulary has none of these letters. Each is replaced by a single ASCII character, so offsets stay those of the text.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain, groupby
from string import ascii_uppercase

_BLOCKS = (
    range(0x2100, 0x2150),
    range(0x2460, 0x2500),
    range(0xFF00, 0xFF60),
    range(0x1D400, 0x1D800),
    range(0x1F100, 0x1F190),
    range(0x1FBF0, 0x1FBFA),
)
"""The blocks that have such letters and digits."""
_STYLES = ("<font>", "<wide>", "<circle>", "<square>")
"""How Unicode names the decompositions that only change the style. Superscripts, for example, have a meaning."""
_NEGATIVE = (0x1F150, 0x1F170)
"""Where the white letters on black circles and squares begin; Unicode does not decompose them."""
_INFORMATION = 0x2139
"""The emoji for information looks like a letter."""


def _plain(point: int) -> str | None:
    """Return the plain form of a letter or digit of a decorative alphabet; None for any other code point."""
    style, _, rest = unicodedata.decomposition(chr(point)).partition(" ")
    if style not in _STYLES or " " in rest or point == _INFORMATION:
        return None
    plain = chr(int(rest, 16))
    return plain if plain.isascii() and plain.isalnum() else None


_TABLE = {
    **{point: plain for point in chain(*_BLOCKS) if (plain := _plain(point)) is not None},
    **{first + number: letter for first in _NEGATIVE for number, letter in enumerate(ascii_uppercase)},
}
STYLED = "".join(map(chr, sorted(_TABLE)))
"""All such letters and digits, in the order of their code points."""


def _ranges() -> str:
    """Return ``STYLED`` as ranges of a character class."""
    runs = (
        [chr(point) for _, point in run]
        for _, run in groupby(enumerate(sorted(_TABLE)), lambda pair: pair[1] - pair[0])
    )
    return "".join(f"{run[0]}-{run[-1]}" for run in runs)


has_styled = re.compile(f"[{_ranges()}]").search
"""Find the first such letter or digit of a text."""


def plain_letters(text: str) -> str:
    """Return ``text`` with plain letters and digits in place of styled ones; its length stays the same."""
    return text.translate(_TABLE) if has_styled(text) is not None else text
