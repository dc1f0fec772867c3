"""Where a value may begin and end: what may touch it, and when it is only part of a longer number."""

from __future__ import annotations

import re

UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\u2e80-\u2fdf"
    "\u3005-\u3007\u3021-\u3029\u3031-\u303c\u3040-\ua4cf\ua960-\ua97f\ua980-\ua9df\uaa60-\uaadf\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uffdc\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
"""Scripts that put no space between words, or glue particles to them, as ranges of a character class: Thai, Lao,
Tibetan, Burmese, Khmer, Chinese, Japanese, Korean and some of their neighbours."""
LATIN = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
"""Latin letters, as ranges of a character class."""
JOINING = rf"[^\W_{UNSPACED}]"
"""A letter or digit that belongs to the word next to it. An underscore does not: file names join fields by it."""

# The first of the two is much the faster and refuses nearly all.
ALONE_BEFORE = rf"(?<![A-Za-z0-9])(?<!{JOINING})"
ALONE_AFTER = rf"(?!{JOINING})"
UNBROKEN_BEFORE = rf"{ALONE_BEFORE}(?<![0-9][.,-])"
UNBROKEN_AFTER = rf"{ALONE_AFTER}(?![.,-][0-9])"
"""For values that nothing proves: they touch no word, and no digit across a point, a comma or a hyphen."""
FIELD_BEFORE = rf"{ALONE_BEFORE}(?<![0-9][.-])(?<![^0-9]0,)"
FIELD_AFTER = rf"{ALONE_AFTER}(?![.-][0-9]|,[0-9]{{1,2}}(?![0-9/:-]))"
"""For single runs of digits that only a word near them makes likely: a comma may separate fields, as in CSV, but not
the decimals of an amount."""

SEPARATOR = r"[ .\t-]|  "
"""What people put between the groups of a number."""
_SEPARATORS = re.compile(r"[ .\t\r\n/_\u00b7-]+")
_LETTERS_BEFORE = re.compile(rf"(?<!{JOINING})[^\W\d_]{{1,20}}\Z")
_LETTERS_AFTER = re.compile(rf"[^\W\d_]{{1,20}}(?!{JOINING})")
_JOINING = re.compile(JOINING)
_NUMBER_BEFORE = re.compile(r"(?<![0-9/:.,-])[0-9]{1,19} \Z")
_NUMBER_AFTER = re.compile(r" [0-9]{1,19}(?![0-9/:-])")
_LATIN = re.compile(f"[{LATIN}]")
_CENTS = re.compile(r",[0-9]{1,2}(?![0-9/:-])")
_ZERO_COMMA = re.compile(r"(?<![0-9.,;])0,")
_HYPHEN_SAFE = 13
"""Digits of a number with a check digit, in one run, that may be next to a hyphen and a digit. Shorter ones also end
UUIDs (12) and are parts of part numbers."""
LONG_RUN = re.compile("[A-Za-z0-9_-]{14}")
"""What texts with tokens, codes or addresses of many characters have in them, and few others."""
_CONSONANT = "CFGHJKLMNPRTVWXYZcfghjklmnprtvwxyz"
CODE = re.compile(
    # Starts with a digit, because a search for one is fast.
    rf"[0-9](?:(?![A-Za-z0-9])(?<=[{_CONSONANT}][{_CONSONANT}0-9]{{7}}.)"  # documents of ICAO
    "|(?<=[A-Za-z][0-9]{3}[A-Za-z0-9]{5}.)[A-Za-z0-9](?![A-Za-z0-9])|[A-Za-z](?<=[Uu]1[A-Za-z0-9]{8})"  # licences
    "|[A-Za-z][0-9A-Za-z][0-9][ .\\t-]{0,2}[A-Za-z][0-9A-Za-z][0-9]"  # beneficiaries
    "|(?<=[Hh][Rr][ABab].)|(?<=[Hh][Rr][ABab] .))"  # registers
)
"""What those numbers of the national rows that may have few digits have in them."""
FOUR_AND_LETTER = re.compile("[0-9][0-9]{3}[A-Za-z]")
"""What the numbers of Indian taxpayers have in them."""


def compact(number: str) -> str:
    """The number without the separators between its groups."""
    return _SEPARATORS.sub("", number)


def groups(number: str) -> list[str]:
    """The groups of a number that has separators between them."""
    return _SEPARATORS.split(number)


def touches_word(text: str, start: int, end: int) -> bool | None:
    """Whether ``text[start:end]`` touches Latin letters, such as ``tel202-555-0143`` or ``512-34-5678Patient``.

    Digits may touch letters of other alphabets: hashes and identifiers have none. Returns None if the value is a part
    of a longer token: a letter touches a letter, or the letters next to it are followed by more digits.
    """
    before = start > 0 and _JOINING.match(text, start - 1) is not None
    after = _JOINING.match(text, end) is not None
    if before and not (text[start].isdigit() and _LETTERS_BEFORE.search(text, max(0, start - 20), start)):
        return None
    if after and not (text[end - 1].isdigit() and _LETTERS_AFTER.match(text, end)):
        return None
    return (before and _LATIN.match(text, start - 1) is not None) or (after and _LATIN.match(text, end) is not None)


def continues(text: str, start: int, end: int, proved: bool) -> bool:
    """Whether the number ``text[start:end]`` continues across a point, a comma or a hyphen.

    Decimals, thousands, timestamps and part numbers do: ``4.7370000000000001``, ``123 456 782,50``, ``123-45-6789-01``.
    A field of CSV or of a JSON array does not: ``42,449-87-4100``, ``4111111111111111,12/27``. ``proved`` says whether
    the number has a valid check digit.
    """
    before = start > 1 and text[start - 1] in ".,-" and text[start - 2] in "0123456789"
    after = text[end : end + 1] in tuple(".,-") and text[end + 1 : end + 2] in tuple("0123456789")
    if not before and not after:
        return False
    number = text[start:end]
    parts = groups(number)
    separators = set(number) & set(" .\t-")
    bare = len(parts) == 1
    # 1 250 000,50 and 1.250.000,50: the comma begins the decimals of a number in threes.
    threes = len(parts[0]) <= 3 and all(len(part) == 3 for part in parts[1:])
    address = proved and len(parts) == 4 and separators == {"."}
    thousands = threes and separators in ({" "}, {"."}) and not address

    def joins(mark: str, edge: str) -> bool:
        if mark in separators:
            return True
        if mark == "-":
            return not proved if not bare else not (proved and len(number) >= _HYPHEN_SAFE)
        if not edge.isdigit():
            return False
        if bare and mark == "," and _ZERO_COMMA.match(text, start - 2) and not text.startswith(",", end):
            return True
        # A single run that nothing proves needs a word near it anyway, unless it is an amount: 449874100,50.
        return thousands or (bare and (mark == "." or (not proved and _CENTS.match(text, end) is not None)))

    return (before and joins(text[start - 1], number[0])) or (after and joins(text[end], number[-1]))


def is_one_of_many(text: str, start: int, end: int) -> bool:
    """Whether other numbers precede or follow ``text[start:end]``, separated by spaces as its own groups are."""
    if " " not in text[start:end]:
        return False
    return _NUMBER_BEFORE.search(text, max(0, start - 20), start) is not None or (
        _NUMBER_AFTER.match(text, end) is not None
    )
