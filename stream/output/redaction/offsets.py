"""Where the characters of a text are after parts of it were replaced."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from stream.output.redaction.literals import Edit


class Offsets:
    """Offsets in a text, and the same in the text after edits. Both count code points."""

    __slots__ = ("_ends", "_known_ends", "_known_starts", "_new_ends", "_new_starts", "_starts", "text")

    def __init__(self, text: str, edits: Sequence[Edit]) -> None:
        """Apply ``edits``, sorted ranges of ``text`` that do not overlap; ``self.text`` is the result."""
        starts, ends, new_starts, new_ends = [], [], [], []
        parts: list[str] = []
        last = length = 0
        for start, end, replacement in edits:
            parts += (text[last:start], replacement)
            length += start - last
            starts.append(start)
            new_starts.append(length)
            length += len(replacement)
            last = end
            ends.append(end)
            new_ends.append(length)
        parts.append(text[last:])
        self.text = "".join(parts)
        self._starts, self._ends, self._new_starts, self._new_ends = starts, ends, new_starts, new_ends
        # Most ranges that are asked for are those that were replaced.
        self._known_starts = dict(zip(starts, new_starts, strict=True))
        self._known_ends = dict(zip(ends, new_ends, strict=True))

    def start(self, offset: int) -> int:
        """Return where a range starts that started at ``offset``: before a replacement, if it started within one."""
        known = self._known_starts.get(offset)
        if known is not None:
            return known
        index = bisect_right(self._starts, offset) - 1
        if index < 0:
            return offset
        end = self._ends[index]
        return self._new_starts[index] if offset < end else offset - end + self._new_ends[index]

    def end(self, offset: int) -> int:
        """Return where a range ends that ended at ``offset``: behind a replacement, if it ended within one."""
        known = self._known_ends.get(offset)
        if known is not None:
            return known
        index = bisect_left(self._starts, offset) - 1
        if index < 0:
            return offset
        end = self._ends[index]
        return self._new_ends[index] if offset <= end else offset - end + self._new_ends[index]
