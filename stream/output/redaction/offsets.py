"""Where the characters of a text are after parts of it were replaced."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from stream.output.redaction.literals import Edit


class Offsets:
    """Offsets in a text, and the same in the text after edits. Both count code points.

    ``text`` is the text after the edits. ``starts`` and ``ends`` have the new offset of the start and the end of each
    range that was replaced: most ranges that are asked for are those.
    """

    __slots__ = ("_bounds", "ends", "starts", "text")

    def __init__(self, text: str, edits: Sequence[Edit]) -> None:
        """Apply ``edits``, sorted ranges of ``text`` that do not overlap and are not empty."""
        self.starts: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        starts, ends, edited, last = self.starts, self.ends, "", 0
        for start, end, replacement in edits:
            edited += text[last:start]
            starts[start] = len(edited)
            edited += replacement
            ends[end] = len(edited)
            last = end
        self.text = edited + text[last:]
        self._bounds: tuple[list[int], list[int]] | None = None

    def start(self, offset: int) -> int:
        """Return where a range starts that started at ``offset``: before a replacement, if it started within one."""
        known = self.starts.get(offset)
        if known is not None:
            return known
        starts, ends = self._bounds or self._sorted()
        index = bisect_right(starts, offset) - 1
        if index < 0:
            return offset
        end = ends[index]
        return self.starts[starts[index]] if offset < end else offset - end + self.ends[end]

    def end(self, offset: int) -> int:
        """Return where a range ends that ended at ``offset``: behind a replacement, if it ended within one."""
        known = self.ends.get(offset)
        if known is not None:
            return known
        starts, ends = self._bounds or self._sorted()
        index = bisect_left(starts, offset) - 1
        if index < 0:
            return offset
        end = ends[index]
        return self.ends[end] if offset <= end else offset - end + self.ends[end]

    def _sorted(self) -> tuple[list[int], list[int]]:
        self._bounds = list(self.starts), list(self.ends)
        return self._bounds
