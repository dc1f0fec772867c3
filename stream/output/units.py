"""The units in which offsets can be counted."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["code_point", "utf16", "utf8"]


def table(text: str, unit: Unit) -> list[int] | None:
    """Return the offset in ``unit`` of each offset in code points of ``text``, from 0 to its length.

    None if both are the same, as in ASCII. Half a surrogate pair counts as one unit of UTF-16, or three of UTF-8.
    """
    if unit == "code_point" or text.isascii():
        return None
    if unit == "utf16":
        if max(text) <= "\uffff":
            return None
        return [0, *accumulate(1 + (character > "\uffff") for character in text)]
    return [0, *accumulate(map(_utf8_width, text))]


def translation(text: str, unit: Unit, to: Unit) -> Mapping[int, int] | None:
    """Return the offset in ``to`` of each offset in ``unit`` between characters of ``text``; None if all are equal."""
    if unit == to:
        return None
    before, after = table(text, unit), table(text, to)
    if before is None and after is None:
        return None
    plain = range(len(text) + 1)
    return dict(zip(before or plain, after or plain, strict=True))


def _utf8_width(character: str) -> int:
    return 1 + (character > "\x7f") + (character > "\u07ff") + (character > "\uffff")
