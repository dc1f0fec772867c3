"""Disguised writing, such as ``1d10t`` or ``k i l l``, read as the words behind it.

People hide words from moderation with digits for letters, spaces between letters, letters of other scripts, invisible
characters, emoji within words and repeated letters (Röttger et al. 2021, "HateCheck", on spelling variations; Kurita,
Belova and Anastasopoulos 2019, "Towards Robust Toxic Content Classification"). A disguise can have several meanings
(``1`` is an i or an l), so a text has up to two views, which are read in addition to it, never in its place.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from workers.encoder.styled import plain_letters
from workers.tasks.lookalikes import INVISIBLE, latin

_LONG = 1200
"""Code points from which on only the passages of a text that have disguises are read again."""
_PASSAGE = re.compile(r"\S.{0,299}(?!\S)\s*|\S+\s*|\s+", re.DOTALL)
_LETTERS = "A-Za-z"


class _Meaning(NamedTuple):
    """One way to read what a disguise leaves open.

    - ``signs``: digits and signs -> letters.
    - ``doubled``: the letters of which two are left where they are repeated; of all others one is left.
    - ``glue``: what replaces an emoji within a word.
    - ``article``: whether the first letter of a spaced word can be a word: "a f o o l".
    """

    signs: dict[int, str]
    doubled: str
    glue: str
    article: bool


_SIGNS = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "i", "€": "e", "¢": "c", "¥": "y",
}  # fmt: skip
_MEANINGS = (
    _Meaning(str.maketrans(_SIGNS), "", "", False),
    _Meaning(str.maketrans(_SIGNS | dict.fromkeys("1!|", "l")), "bcdefglmnoprstz", " ", True),
)

_invisible = re.compile(f"[{INVISIBLE}]+")
_emoji = re.compile(f"(?<=[{_LETTERS}])[\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001faff]+(?=[{_LETTERS}])")
_spaced = re.compile(
    rf"(?<![\w'’@$])[{_LETTERS}@$](?P<gap>[ ._*~|/,-])[{_LETTERS}0-9@$!](?:(?P=gap)[{_LETTERS}0-9@$!])+(?![\w'’])"
)
_some_letters = re.compile(rf"[ ._*~|/,-][{_LETTERS}0-9@$!][ ._*~|/,-][{_LETTERS}0-9@$!](?!\w)").search
_some_sign = re.compile(rf"[0-9@$!|€¢¥][{_LETTERS}15$]").search
_token = re.compile(rf"(?<![^\s\"'(\[{{,;*~.!?-])(?=[{_LETTERS}]*+[0-9@$!|€¢¥])[{_LETTERS}0-9@$!|€¢¥]++")
_goes_on = re.compile(r"[\w/:=@#&+%]|\.\w").match
_within = re.compile(rf"[{_LETTERS}][^{_LETTERS}!|]{{1,2}}[{_LETTERS}]|[{_LETTERS}][!|][a-z]|[A-Z][!|][A-Z]").search
_at_the_start = re.compile(rf"[0-9$][{_LETTERS}]{{3}}").match
_at_the_end = re.compile(r"[aeiou](11|55|\$\$)\Z").search
_hexadecimal = re.compile(r"[0-9a-fA-F]*[0-9][a-fA-F]*[0-9][a-fA-F]*[0-9][0-9a-fA-F]*").fullmatch
_repeated = re.compile(rf"(?<![{_LETTERS}])(?=[{_LETTERS}]*?([{_LETTERS}])\1\1)[{_LETTERS}]++")
_some_run = re.compile(rf"([{_LETTERS}])\1\1").search
_run = re.compile(r"(.)\1\1+", re.IGNORECASE)
_MOST_SIGNS = 12
"""Characters of the longest word whose digits can be letters: identifiers are longer, and handles next to a word."""


def views(text: str, *, cleaned: bool) -> tuple[str, ...]:
    """Return what the disguised words of ``text`` may mean, as texts that are not blank: at most two.

    Args:
        text: the text. If it is long, a view has only the passages with disguises and those next to them.
        cleaned: whether the tokenizer reads styled letters as plain ones, and no invisible characters.
    """
    first = _read(text, _MEANINGS[0])
    if first == text or not first.strip() or (cleaned and first == _clean(text)):
        return ()
    if len(text) > _LONG:
        text = _passages(text, cleaned)
        first = _read(text, _MEANINGS[0])
    return tuple({first: None, _read(text, _MEANINGS[1]): None})


def _passages(text: str, cleaned: bool) -> str:
    """Return the passages of ``text`` that have disguises, and their neighbours."""
    passages = _PASSAGE.findall(text)
    plain = map(_clean, passages) if cleaned else passages
    read = (_read(passage, _MEANINGS[0]) for passage in passages)
    hits = [number for number, (view, same) in enumerate(zip(read, plain, strict=True)) if view != same]
    near = sorted({number + step for number in hits for step in (-1, 0, 1)} & {*range(len(passages))})
    parts: list[str] = []
    for number in near:
        if parts and number - 1 not in near:
            parts.append("\n\n")
        parts.append(passages[number])
    return "".join(parts)


def _clean(text: str) -> str:
    return _invisible.sub("", plain_letters(text))


def _read(text: str, meaning: _Meaning) -> str:
    """Return ``text`` with the words behind its disguises."""
    if not text.isascii():
        text = _emoji.sub(meaning.glue, latin(_clean(text)))
    if _some_letters(text) is not None:
        text = _spaced.sub(lambda match: _together(match, meaning), text)
    if _some_sign(text) is not None:
        text = _token.sub(lambda match: _spelled(match, meaning), text)
    if _some_run(text) is not None:
        text = _repeated.sub(lambda match: _shortened(match, meaning), text)
    return text


def _together(match: re.Match[str], meaning: _Meaning) -> str:
    word = match[0][:: len(match["gap"]) + 1]
    if sum(map(str.isalpha, word)) < 2 or (match["gap"] == "." and word.isupper() and len(word) < 5):
        return match[0]
    apart = meaning.article and len(word) > 3 and word[0] in "aAiI"
    return f"{word[0]} {word[1:]}" if apart else word


def _spelled(match: re.Match[str], meaning: _Meaning) -> str:
    if _goes_on(match.string, match.end()):  # asked here, so that a long one is read once, and not from each "!" on
        return match[0]
    word = match[0].rstrip("!|")
    letters = [character for character in word if character.isalpha()]
    if not 0 < len(letters) < len(word) <= _MOST_SIGNS or len(word) < 3:
        return match[0]
    others = [character for character in word if not character.isalpha()]
    if any(ord(character) not in meaning.signs for character in others):
        return match[0]
    is_disguise = (
        (_within(word) or _at_the_start(word) or _at_the_end(word))
        and not _hexadecimal(word)
        and not ("".join(letters).isupper() and len(letters) < 3)
    )
    return word.translate(meaning.signs) + match[0][len(word) :] if is_disguise else match[0]


def _shortened(match: re.Match[str], meaning: _Meaning) -> str:
    word = match[0]
    if len(_run.sub(r"\1", word)) < 3:
        return word
    return _run.sub(lambda run: run[1] * (1 + (run[1].lower() in meaning.doubled)), word)
