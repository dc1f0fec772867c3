"""Redacts values that were redacted in a text wherever else they are: in the text, the event, the key, the headers."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TypeAlias

from stream.output.redaction.folding import Folded, fold
from stream.output.redaction.literals import Edit, apply
from stream.output.redaction.spans import Piece

SHORTEST = 4
"""Characters of the shortest value that is searched for; shorter ones are in every other word."""

_MANY = 64
"""Values that are searched one by one; more are searched all at once, so that the time stays linear."""

_ESCAPED = re.compile(r"[^ !#-.0-\[\]-~]")
"""A character that some encoder of JSON escapes."""

Hit: TypeAlias = tuple[int, int, str]
"""Start and end in a text, and the folded value that is there."""


def counted(text: str, folded: str, pieces: Sequence[Piece]) -> dict[str, int]:
    """Return the values of ``pieces``, and of the spans that they were merged from, and how often each is there.

    Values are folded: so they are compared without case, and after Unicode normalisation. Those that are too short to
    search for are left out. ``folded`` is ``fold(text)``.
    """
    counts: dict[str, int] = {}
    plain = text.isascii()  # then folding moves nothing
    for start, end, _, spans, _ in pieces:
        if end - start < SHORTEST:
            continue
        if plain and not spans:  # the commonest
            value = folded[start:end]
            counts[value] = counts.get(value, 0) + 1
            continue
        for first, last in {(start, end), *spans}:
            value = fold(text[first:last])
            if last - first >= SHORTEST and len(value) >= SHORTEST:
                counts[value] = counts.get(value, 0) + 1
    return counts


def only_at_pieces(counts: Mapping[str, int], folded: str) -> bool:
    """Return whether values are in their text only where they come from. False if in doubt.

    ``counts`` is what ``counted`` returned for the text, ``folded`` the text, which contains no backslash.
    """
    if len(counts) > _MANY:
        return False
    for value, count in counts.items():  # noqa: SIM110  # a generator is slower
        if folded.count(value) != count:
            return False
    return True


def absent(values: Collection[str], folded: str) -> bool:
    """Return whether none of ``values`` is in a text, which is folded and has no backslash. False if in doubt."""
    if len(values) > _MANY:
        return False
    for value in values:  # noqa: SIM110  # a generator is slower
        if value in folded:
            return False
    return True


class Values:
    """The values that were redacted in one event's text, and what replaces them.

    They are compared after folding: without case, and after Unicode normalisation.
    """

    __slots__ = ("_groups", "_origins", "_replace", "_replacements", "_sorted")

    def __init__(
        self, text: str, pieces: Sequence[Piece], edits: Sequence[Edit], replace: Callable[[Piece, str], str]
    ) -> None:
        """Note the values of ``pieces``, and those of the spans that they were merged from, if they are long enough.

        Args:
            text: the text that was redacted.
            pieces: its parts that were redacted.
            edits: the replacement of each piece.
            replace: returns the replacement of a value of a piece.
        """
        self._replace = replace
        self._origins: dict[str, tuple[Piece, str]] = {}
        self._replacements: dict[str, str] = {}
        self._sorted: list[str] | None = None
        self._groups: dict[str, _Group] | None = None
        for piece, (start, end, replacement) in zip(pieces, edits, strict=True):
            for first, last in {(start, end), *piece.spans}:
                if last - first >= SHORTEST and len(folded := fold(text[first:last])) >= SHORTEST:
                    self._origins.setdefault(folded, (piece, text[first:last]))
                    if (first, last) == (start, end):
                        self._replacements.setdefault(folded, replacement)

    def add_escaped(self) -> None:
        """Add the values as they are written in JSON, which an event may contain within a string."""
        for piece, value in [*self._origins.values()]:
            if _ESCAPED.search(value):
                escaped, plain = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
                for spelled in (escaped, plain, escaped.replace("/", r"\/"), plain.replace("/", r"\/")):
                    self._origins.setdefault(fold(spelled), (piece, value))

    def piece(self, folded: str) -> Piece:
        """Return the piece that a folded value comes from."""
        return self._origins[folded][0]

    def replacement(self, folded: str) -> str:
        """Return the replacement of a folded value: the same as in the text, if it was replaced there as a whole."""
        replacement = self._replacements.get(folded)
        if replacement is None:
            replacement = self._replacements[folded] = self._replace(*self._origins[folded])
        return replacement

    def within(self, folded: str) -> bool:
        """Return whether any value is in a text, which is folded."""
        if len(self._origins) > _MANY:
            return any(True for _ in self._places(folded))
        return not absent(self._origins, folded)

    def hits(self, text: str) -> list[Hit]:
        """Return where the values are in ``text``, in its order; where they overlap, as one hit of the longest."""
        if not self.within(text.lower() if text.isascii() else fold(text)):
            return []
        folded = Folded(text)
        hits: list[Hit] = []
        if len(self._origins) > _MANY:
            hits = [(*folded.original(at, at + len(value)), value) for at, value in self._places(folded.folded)]
            return _merged(hits)
        if self._sorted is None:
            self._sorted = sorted(self._origins, key=len, reverse=True)
        for value in self._sorted:
            at = folded.folded.find(value)
            while at >= 0:
                hits.append((*folded.original(at, at + len(value)), value))
                at = folded.folded.find(value, at + len(value))
        return _merged(hits) if len(hits) > 1 else hits

    def _places(self, folded: str) -> Iterator[tuple[int, str]]:
        """Yield where values begin in a text, which is folded, and the longest one at each place.

        The time hardly depends on the values: neither on how many there are, nor on how alike they are.
        """
        if self._groups is None:
            by_beginning: dict[str, list[str]] = {}
            for value in self._origins:
                by_beginning.setdefault(value[:SHORTEST], []).append(value)
            self._groups = {beginning: _Group(values) for beginning, values in by_beginning.items()}
        for at in range(len(folded) - SHORTEST + 1):
            group = self._groups.get(folded[at : at + SHORTEST])
            if group is not None and (longest := group.longest(folded, at)) is not None:
                yield at, longest

    def find(self, text: str) -> list[Edit]:
        """Return the edits that replace the values in ``text``."""
        return [(start, end, self.replacement(value)) for start, end, value in self.hits(text)]

    def find_name(self, name: str) -> list[Edit]:
        """Return the edits that replace the values in the name of a member.

        In a name, a value in another case or normalisation counts only as a word: "Mark" is not in "bookmarks".
        """
        return [
            (start, end, self.replacement(value))
            for start, end, value in self.hits(name)
            if _is_word(name, start, end) or any(value in name[start:end] for _, value in self._origins.values())
        ]

    def redacted(self, text: str) -> str:
        """Return ``text`` without the values; the same object if it has none."""
        return apply(text, self.find(text)) if self.within(fold(text)) else text


class _Group:
    """Values with the same beginning."""

    __slots__ = ("_most", "_prefixes", "_values")

    def __init__(self, values: list[str]) -> None:
        self._values = sorted(values)
        self._most = max(map(len, values))
        self._prefixes: dict[str, list[str]] = {}
        """Value -> the values that it begins with, the shortest first, itself included."""
        nested: list[str] = []
        for value in self._values:
            while nested and not value.startswith(nested[-1]):
                nested.pop()
            nested.append(value)
            self._prefixes[value] = nested.copy()

    def longest(self, text: str, at: int) -> str | None:
        """Return the longest value that is in ``text`` from ``at`` on; None if there is none."""
        # A value that is there does not sort behind the text from ``at`` on. What sorts between the two begins with it.
        number = bisect_right(self._values, text[at : at + self._most])
        if not number:
            return None
        prefixes = self._prefixes[self._values[number - 1]]
        there = bisect_left(prefixes, True, key=lambda value: not text.startswith(value, at))
        return prefixes[there - 1] if there else None


def _merged(hits: list[Hit]) -> list[Hit]:
    hits.sort(key=itemgetter(0))
    merged = [hits[0]]
    for start, end, value in hits[1:]:
        first, last, longest = merged[-1]
        if start < last:
            merged[-1] = first, max(last, end), value if len(value) > len(longest) else longest
        else:
            merged.append((start, end, value))
    return merged


def _is_word(text: str, start: int, end: int) -> bool:
    return not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum()
