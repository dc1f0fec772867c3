"""Names that come back in a text: one label for all, and found at each of their places or at none."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

from workers.tasks.scores import DECIMALS

EventSpan: TypeAlias = dict[str, Any]
"""A span as events have it: ``start``, ``end``, ``label``, ``score`` and ``text``."""
ENOUGH = 0.45
"""The lowest mean score of a name over its places; the best on the dev files, where 0.35 and 0.5 are nearly as good."""
_WORD = re.compile(r"\w+")


def alike(spans: Iterable[EventSpan]) -> dict[str, list[EventSpan]]:
    """Give spans with equal texts the label with the highest sum of scores; of equal sums, the first.

    Returns the spans of each text.
    """
    equal: dict[str, list[EventSpan]] = defaultdict(list)
    for span in spans:
        equal[span["text"]].append(span)
    for same in equal.values():
        votes: Counter[str] = Counter()
        for span in same:
            votes[span["label"]] += span["score"]
        label = votes.most_common(1)[0][0]
        for span in same:
            span["label"] = label
    return equal


def decided(text: str, spans: list[EventSpan]) -> list[EventSpan]:
    """Return the spans after each name has been found at all of its places or at none.

    The places of a name are its spans, and wherever ``text`` has the same characters as whole words and no span that
    begins before or ends after them. If the sum of its scores is ``ENOUGH`` for each of its places, the name is found
    at all of them, instead of shorter ones there; otherwise it is dropped. The score of a new span is that sum, divided
    by the number of places. Longer names come first.

    Args:
        text: the text of the spans.
        spans: sorted by start, without overlaps; equal ones get the same label, see ``alike``.
    """
    equal = alike(spans)
    ballot = _Ballot(text, spans)
    for name, starts in _places(text, equal).items():
        ballot.decide(name, equal[name][0]["label"], starts)
    return ballot.outcome()


class _Ballot:
    """The spans of a text while its names are decided, one after the other."""

    def __init__(self, text: str, spans: list[EventSpan]) -> None:
        """``spans``: sorted by start, without overlaps."""
        self._before = spans
        self._spans = list(spans)
        self._dropped: set[int] = set()
        # The number of the span that each character belongs to; -1 for none. One more at both ends.
        self._owner = np.full(len(text) + 2, -1, np.int32)
        for number in range(len(spans)):
            self._mark(number, number)

    def decide(self, name: str, label: str, starts: Iterable[int]) -> None:
        """Make or drop a span at each place of ``name``, which occurs at ``starts``, in order."""
        size, reach = len(name), 0
        found, free = list[int](), list[tuple[int, set[int]]]()
        for start in starts:
            before, *inside, after = self._owner[start : start + size + 2].tolist()
            numbers = set(inside) - {-1}
            if before in numbers or after in numbers:
                continue  # a span begins before the name or ends after it
            if len(numbers) == 1 and -1 not in inside and self._spans[inside[0]]["text"] == name:
                found.append(inside[0])
            elif start >= reach:
                free.append((start, numbers))
                reach = start + size
        if not found or not free:
            return
        score = sum(self._spans[number]["score"] for number in found) / (len(found) + len(free))
        if score < ENOUGH:
            for number in found:
                self._dropped.add(number)
                self._mark(number, -1)
            return
        for start, shorter in free:
            self._dropped |= shorter
            span = {"start": start, "end": start + size, "label": label, "score": round(score, DECIMALS), "text": name}
            self._spans.append(span)
            self._mark(len(self._spans) - 1, len(self._spans) - 1)

    def outcome(self) -> list[EventSpan]:
        """Return the spans as they are now, sorted by start."""
        if len(self._spans) == len(self._before) and not self._dropped:
            return self._before
        kept = [span for number, span in enumerate(self._spans) if number not in self._dropped]
        return sorted(kept, key=lambda span: int(span["start"]))

    def _mark(self, number: int, owner: int) -> None:
        """Let the characters of span ``number`` belong to ``owner``."""
        span = self._spans[number]
        self._owner[span["start"] + 1 : span["end"] + 1] = owner


def _places(text: str, names: Iterable[str]) -> dict[str, list[int]]:
    """Return where each name occurs as whole words, the longest name first; names without a letter are left out."""
    # First word -> where it begins in names, and their lengths. Many names may have one first word, but few lengths.
    shapes: dict[str, set[tuple[int, int]]] = defaultdict(set)
    places: dict[tuple[int, str], list[int]] = {}
    for name in sorted(names, key=len, reverse=True):
        if (first := _WORD.search(name)) is not None:
            shapes[first[0]].add((first.start(), len(name)))
            places[first.start(), name] = []
    for word in _WORD.finditer(text):
        for offset, size in shapes.get(word[0], ()):
            start = word.start() - offset
            end = start + size
            if start < 0 or end > len(text) or (starts := places.get((offset, text[start:end]))) is None:
                continue
            if not (_WORD.match(text[end - 1]) and _WORD.match(text, end)):
                starts.append(start)
    return {name: starts for (_, name), starts in places.items()}
