"""Which dead letters a replay has left behind, so that the next run of the same command tries them again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

MOST_CHARACTERS = 3500
"""Characters of a note; a broker accepts 4096 bytes by default (``offset.metadata.max.bytes``)."""
_START = "left:"


def note(offsets: Iterable[int]) -> tuple[str, int]:
    """Return the note for the offsets that are left, such as ``left:3,7-9``, and how many it does not name.

    If it would be too long, the last ones are not named.
    """
    ordered = sorted(offsets)
    ranges: list[str] = []
    named = length = 0
    for _, group in groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0]):
        run = [offset for _, offset in group]
        text = f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0])
        if length + len(text) + 1 > MOST_CHARACTERS:
            break
        ranges.append(text)
        length += len(text) + 1
        named += len(run)
    return _START + ",".join(ranges) if ranges else "", len(ordered) - named


def offsets(note: str) -> set[int]:
    """Return the offsets that a note names; none for the note of somebody else."""
    left: set[int] = set()
    if not note.startswith(_START):
        return left
    for part in note.removeprefix(_START).split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            left.update(range(int(first), int(last or first) + 1))
    return left
