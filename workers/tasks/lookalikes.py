"""Letters of other scripts that look like Latin ones, and characters that cannot be seen.

A choice of what people use to disguise words, out of the confusable characters of Unicode (UTS 39), with the letters
of "faux Cyrillic" and with small capitals and superscripts. Accents are no disguise: tokenizers drop them or know them.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain

_FOREIGN = {
    # Cyrillic
    "a": "аАдД", "b": "вВьЬбБъ", "c": "сС", "d": "ԁԀ", "e": "еЕёЁэЭє", "f": "ғ", "g": "ԍ", "h": "нНһҺ", "i": "іІїЇ",
    "j": "јЈ", "k": "кКќ", "l": "ӏӀ", "m": "мМ", "n": "иИйЙпП", "o": "оО", "p": "рР", "q": "ԛԚ", "r": "гГяЯ",
    "s": "ѕЅ", "t": "тТ", "u": "цЦџ", "w": "ԝԜшШщЩѡ", "x": "хХ", "y": "уУүҮчЧ", "z": "ʐ",
}  # fmt: skip
_GREEK = {
    "a": "αΑάΆ", "b": "βΒ", "c": "ϲς", "d": "δ", "e": "εΕέΈ", "h": "Η", "i": "ιΙίΊϊ", "j": "ϳ", "k": "κΚ", "m": "Μ",
    "n": "ηήΝπ", "o": "οΟόΌσθ", "p": "ρΡ", "t": "τΤ", "u": "υύμ", "v": "ν", "w": "ωώ", "x": "χΧ", "y": "γΥΎ", "z": "ζΖ",
}  # fmt: skip
_ARMENIAN = {"g": "ց", "h": "հ", "n": "ո", "o": "օ", "q": "զ", "u": "ս"}
_LATIN = {
    "a": "ᴀɑ", "b": "ʙ", "c": "ᴄ", "d": "ᴅɗ", "e": "ᴇəɛ", "f": "ꜰƒ", "g": "ɢɡ", "h": "ʜ", "i": "ɪıɩ", "j": "ᴊ",
    "k": "ᴋ", "l": "ʟ", "m": "ᴍ", "n": "ɴ", "o": "ᴏ", "p": "ᴘ", "q": "ǫ", "r": "ʀɾ", "s": "ꜱ", "t": "ᴛ", "u": "ᴜʊ",
    "v": "ᴠʋ", "w": "ᴡ", "y": "ʏ", "z": "ᴢ",
}  # fmt: skip


_RAISED = (range(0x02B0, 0x02B9), range(0x1D2C, 0x1D6B), range(0x1D9B, 0x1DC0), range(0x2071, 0x209D))


def _raised() -> dict[int, str]:
    """Return the superscript and subscript letters, with the plain ones."""
    table = {}
    for point in chain(*_RAISED):
        style, _, rest = unicodedata.decomposition(chr(point)).partition(" ")
        if style in {"<super>", "<sub>"} and (plain := chr(int(rest, 16))).isascii() and plain.isalpha():
            table[point] = plain.lower()
    return table


_SCRIPTS = {
    ord(letter): plain.upper() if letter.isupper() else plain
    for table in (_FOREIGN, _GREEK, _ARMENIAN)
    for plain, letters in table.items()
    for letter in letters
}
_DECORATIVE = {ord(letter): plain for plain, letters in _LATIN.items() for letter in letters} | _raised()
_TABLE = _SCRIPTS | _DECORATIVE

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0000-\U000e0fff\u0334-\u0338\u20d2-\u20d3\u20e5-\u20eb"
)
"""Characters without a width, and strokes through letters, as the inside of a character class."""

_scripts, _decorative = ("".join(map(chr, table)) for table in (_SCRIPTS, _DECORATIVE))
_any = re.compile(f"[{_scripts}{_decorative}]").search
_beside_latin = re.compile(
    f"[{_scripts}{_decorative}][A-Za-z{_decorative}]|[A-Za-z{_decorative}][{_scripts}{_decorative}]"
).search
_word = re.compile(r"[^\W\d_]+")
_LATIN_END = 0x250
"""The end of the blocks of Latin letters, accented ones included."""


def latin(text: str) -> str:
    """Return ``text`` with Latin letters for lookalikes, in words that mix scripts or are in small or raised letters.

    Its length stays the same. A word that is in another script alone is left, because it may be a word of a language
    that is written in it; so is one of two letters (``μm``).
    """
    return text if _any(text) is None or _beside_latin(text) is None else _word.sub(_plain, text)


def _plain(word: re.Match[str]) -> str:
    letters = word[0]
    if len(letters) < 3 or letters.isascii():
        return letters
    points = [ord(letter) for letter in letters]
    foreign = sum(point in _SCRIPTS for point in points)
    decorative = sum(point in _DECORATIVE for point in points)
    others = len(points) - foreign - decorative
    if not (foreign or decorative > 1 or len(points) > 3) or (foreign and not others + decorative):
        return letters
    known = all(point in _TABLE or point < _LATIN_END for point in points)
    return letters.translate(_TABLE) if known else letters
