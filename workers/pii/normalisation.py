"""The plain form of a text, which recognisers read: digits, spaces and dashes in ASCII, and nothing invisible."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from unicodedata import normalize


class Plain(NamedTuple):
    """A text in plain form. ``places[i]`` is where ``text[i]`` is in the original; None if offsets are the same."""

    text: str
    places: list[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text for the span ``start:end``, not empty, of the plain one."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def _invisible() -> Iterator[int]:
    for first, last in (
        (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x20E3, 0x20E3), (0x3164, 0x3164), (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0x1BCA0, 0x1BCA3), (0xE0000, 0xE01EF),
    ):  # fmt: skip
        yield from range(first, last + 1)


def _table() -> dict[int, str | None]:
    """Code point -> the plain character, or None for one that is dropped."""
    table: dict[int, str | None] = dict.fromkeys(_invisible())
    assigned = "".join(map(chr, range(0x660, 0x1FC00)))
    table |= {ord(digit): str(int(digit)) for digit in re.findall(r"\d", assigned)}
    # Full-width letters, and those of mathematics, which people use as bold and italic where there is no markup.
    for code in (*range(0xFF21, 0xFF5B), *range(0x1D400, 0x1D800)):
        letter = normalize("NFKC", chr(code))
        if letter.isascii() and letter.isalnum():
            table[code] = letter
    table |= dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000"), " ")
    table |= dict.fromkeys(range(0x2000, 0x200B), " ")
    table |= dict.fromkeys(map(ord, "\u2010\u2011\ufe63\uff0d"), "-")
    table |= {ord(wide): plain for wide, plain in zip("＋﹢＠﹫", "++@@", strict=True)}
    return table


_TABLE = _table()
_INVISIBLE = frozenset(map(chr, _invisible()))
_IN_EMOJI = "\u200d\ufe0e\ufe0f"
"""Joiners and variation selectors, of which emoji are full: they matter only behind a letter or digit."""
_BASIC = "".join(chr(code) for code in _TABLE if code < 0x10000 and chr(code) not in _IN_EMOJI)
# Beyond the basic plane in a few wide ranges, without emoji: a search is slow with many.
_ODD = re.compile(f"[{re.escape(_BASIC)}\U00010000-\U0001efff\U0001fbf0-\U0001fbf9\U000e0000-\U000e01ef]")
_JOINED = re.compile(rf"[{_IN_EMOJI}](?<=\w.)")

_DASHES = "\u2012-\u2015\u2212\u2500\ufe58\u30fc"
"""What is written for a hyphen between digits; elsewhere it separates words or, in Japanese, lengthens a vowel."""
_DASH = re.compile(
    rf"(?<=[0-9])[{_DASHES}](?=[0-9A-Z(])|(?<=[A-Z)])[{_DASHES}](?=[0-9])|(?<=[0-9] )[{_DASHES}](?= [0-9])"
)
_MARKS = {"\uff0e": ".", "\uff0f": "/"}
_MARK = re.compile("(?<=[A-Za-z0-9/])[\uff0e\uff0f](?=[A-Za-z0-9/])")
_BRACKETS = re.compile("\uff08([0-9]{1,5})\uff09")
_ESCAPE = re.compile("%(?:40|2[Bb])")
_CONTEXTUAL = re.compile(f"[{_DASHES}\uff08\uff0e\uff0f]")


def plain(text: str) -> Plain:
    """The plain form of a text, with offsets into the original.

    Digits of all scripts become ASCII digits; full-width and mathematical letters, spaces other than ASCII's, hyphens,
    and dashes between digits become their ASCII counterparts; invisible characters are dropped; ``%40`` and ``%2B``, as
    in the query of a URL, become ``@`` and ``+``. A text that needs none of this is returned itself.
    """
    places = None
    read = text
    if not text.isascii():
        if _ODD.search(text) or _JOINED.search(text):
            read = text.translate(_TABLE)
            if len(read) != len(text):
                places = [at for at, sign in enumerate(text) if sign not in _INVISIBLE]
        if _CONTEXTUAL.search(read):
            read = _DASH.sub("-", read)
            read = _MARK.sub(lambda match: _MARKS[match[0]], read)
            read = _BRACKETS.sub(r"(\1)", read)
    result = Plain(read, places)
    return _without_escapes(result) if _ESCAPE.search(read) else result


def _without_escapes(read: Plain) -> Plain:
    parts: list[str] = []
    places: list[int] = []
    at = 0
    for match in _ESCAPE.finditer(read.text):
        parts += read.text[at : match.start()], "@" if match[0] == "%40" else "+"
        places += range(at, match.start() + 1)
        at = match.end()
    parts.append(read.text[at:])
    places += range(at, len(read.text))
    if read.places is not None:
        places = [read.places[place] for place in places]
    return Plain("".join(parts), places)
