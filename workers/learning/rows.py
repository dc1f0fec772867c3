"""Files of labelled texts: which rows they have, and where each of them stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import LabelsError

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text, not yet checked. ``place``: ``file:line``, or the file and the task's number."""

    number: int
    place: str
    fields: Mapping[str, Any]


@dataclass
class Mistakes:
    """What is wrong with a file, collected so that all of it is said at once. Never holds text of a row."""

    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: Row | None, what: str) -> None:
        """``row``: None for what is wrong with the whole file."""
        self.found.append((0, what) if row is None else (row.number, f"{row.place}: {what}"))

    def settle(self) -> None:
        """Raises LabelsError when there are any: the first by their place in the file, and how many others."""
        if not self.found:
            return
        lines = [what for _, what in sorted(self.found, key=lambda mistake: mistake[0])]
        more = len(lines) - MOST_SHOWN
        rest = [f"and {more:,} more mistake{'s' * (more > 1)}"] if more > 0 else []
        raise LabelsError("\n".join(lines[:MOST_SHOWN] + rest))


def read_rows(file: Path, content: bytes, mistakes: Mistakes) -> list[Row]:
    """The objects of JSON lines. What is none, or no UTF-8, goes to ``mistakes``."""
    rows: list[Row] = []
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        mistakes.add(None, f"{file}: written in UTF-16; save it as UTF-8")
        return rows
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        row = Row(number, f"{file}:{number}", {})
        if not line.strip():
            continue
        try:
            value = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            mistakes.add(row, f"not UTF-8: bad byte at position {error.start}; save the file as UTF-8")
            continue
        except (ValueError, RecursionError):
            mistakes.add(row, 'not JSON; each line must be one object such as {"text": "...", "label": "..."}')
            continue
        if not isinstance(value, dict):
            mistakes.add(row, 'no JSON object; each line must be one such as {"text": "...", "label": "..."}')
            continue
        rows.append(Row(number, row.place, value))
    return rows
