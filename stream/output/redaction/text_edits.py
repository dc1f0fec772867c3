"""Edits of one text that come from several sources, made into one list of edits that do not overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter

from schemas.document import Part
from stream.output.redaction.literals import Edit

_START = itemgetter(0)


def covered(edits: Sequence[Edit], start: int, end: int) -> bool:
    """Return whether one of ``edits``, sorted and apart, covers the whole range."""
    index = bisect_right(edits, start, key=_START) - 1
    return index >= 0 and edits[index][1] >= end


def merged(edits: Sequence[Edit], added: Sequence[Edit]) -> list[Edit]:
    """Return all edits, sorted; those that overlap become one with the replacement of the longest of them."""
    merged: list[Edit] = []
    longest = 0
    for start, end, replacement in sorted([*edits, *added], key=_START):
        if merged and start < merged[-1][1]:
            first, last, written = merged[-1]
            merged[-1] = first, max(last, end), replacement if end - start > longest else written
            longest = max(longest, end - start)
        else:
            merged.append((start, end, replacement))
            longest = end - start
    return merged


def replaced_by(edits: Sequence[Edit], replaced: Sequence[Edit]) -> list[Edit]:
    """Return ``replaced``, sorted and apart, and those of ``edits`` that do not overlap any of them."""
    kept = []
    for edit in edits:
        index = bisect_right(replaced, edit[0], key=_START)
        within = index and edit[0] < replaced[index - 1][1]
        reached = index < len(replaced) and replaced[index][0] < edit[1]
        if not (within or reached):
            kept.append(edit)
    return sorted([*kept, *replaced], key=_START)


def within_parts(edits: Sequence[Edit], parts: Sequence[Part]) -> list[Edit]:
    """Cut edits that reach from one text into another; the first part gets the replacement."""
    cut: list[Edit] = []
    number = 0
    for start, end, replacement in edits:
        while parts[number].end <= start:
            number += 1
        reached = number
        while reached < len(parts) and parts[reached].start < end:
            part = parts[reached]
            cut.append((max(start, part.start), min(end, part.end), replacement))
            replacement = ""
            reached += 1
    return cut
