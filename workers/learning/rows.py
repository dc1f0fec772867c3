"""Rows of a file of labelled texts, with their line numbers, and the mistakes found in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import LabelsError

MOST_SHOWN = 20
"""The most mistakes that an error message lists."""
MOST_ALIKE = 3
"""The most rows with the same mistake that it lists one by one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text, not yet checked.

    - ``number``: of the line, or of the task in a Label Studio export; from 1.
    - ``place``: ``file:line``, or the file and the task's id, for messages.
    - ``fields``: its JSON object.
    """

    number: int
    place: str
    fields: Mapping[str, Any]


@dataclass
class Mistakes:
    """The mistakes in a file, collected to be reported together. They never quote the text of a row.

    ``entries`` are the row's number (0 for the whole file), its place, and what is wrong. ``cure`` is what to do about
    rows from the number ``cure_from`` on.
    """

    entries: list[tuple[int, str, str]] = field(default_factory=list)
    cure: str = ""
    cure_from: int = 1

    def add(self, row: Row | None, message: str) -> None:
        """Add a mistake in ``row``, or in the whole file if it is None."""
        self.entries.append((0, "", message) if row is None else (row.number, f"{row.place}: ", message))

    @property
    def numbers(self) -> set[int]:
        """The numbers of the rows that have mistakes."""
        return {number for number, _, _ in self.entries if number}

    def forgive(self) -> int:
        """Forget the mistakes of single rows, which are to be left out; return the number of these rows."""
        count = len(self.numbers)
        self.entries = [entry for entry in self.entries if not entry[0]]
        return count

    def raise_if_any(self) -> None:
        """Raise LabelsError if there are mistakes: the first ``MOST_SHOWN`` in file order, and how many more.

        If more than ``MOST_ALIKE`` rows have the same mistake, only the first is listed, with their number.
        """
        if not self.entries:
            return
        alike = Counter(message for _, _, message in self.entries)
        lines, seen = [], set()
        for _, place, message in sorted(self.entries, key=lambda entry: entry[0]):
            if alike[message] <= MOST_ALIKE:
                lines.append(f"{place}{message}")
            elif message not in seen:
                seen.add(message)
                lines.append(f"{place}{message} (and {alike[message] - 1:,} more rows like this)")
        more = len(lines) - MOST_SHOWN
        rest = [f"and {more:,} more mistake{'s' * (more > 1)}"] if more > 0 else []
        if self.cure and max(self.numbers, default=0) >= self.cure_from:
            rest.append(self.cure)
        raise LabelsError("\n".join(lines[:MOST_SHOWN] + rest))


_EXAMPLE = '{"text": "...", "label": "..."}'


def read_rows(file: Path, content: bytes, mistakes: Mistakes, example: str = _EXAMPLE) -> list[Row]:
    """Parse JSON lines in UTF-8. Lines that are not, or that hold no object, are added to ``mistakes``.

    ``example``: a row, for messages.
    """
    rows: list[Row] = []
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        mistakes.add(None, f"{file}: it is in UTF-16; save it as UTF-8")
        return rows
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        row = Row(number, f"{file}:{number}", {})
        if not line.strip():
            continue
        try:
            value = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            mistakes.add(row, f"not UTF-8: invalid byte at position {error.start}; save the file as UTF-8")
            continue
        except (ValueError, RecursionError):
            mistakes.add(row, f"not JSON; each line must be one object such as {example}")
            continue
        if not isinstance(value, dict):
            mistakes.add(row, f"not a JSON object; each line must be one such as {example}")
            continue
        rows.append(Row(number, row.place, value))
    return rows
