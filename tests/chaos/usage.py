"""How much memory and how many file descriptors members use, and whether that stays bounded (Linux)."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

_EVERY = 0.5
_WARM, _EARLY = 5.0, 5.0  # seconds after which, and for which, a member's early figures are taken
MIB = 1 << 20
MORE_BYTES = 256 * MIB
"""How much more memory a member may use later than early."""
MORE_FILES, MOST_FILES = 64, 512
"""How many more files than early a member may have open later, and how many in total."""


class Use(NamedTuple):
    """One sample: the process's ``age`` in seconds, ``resident`` memory in bytes, number of open ``files``."""

    age: float
    resident: int
    files: int


class Usage:
    """Collects samples. Call ``look`` often with the running processes."""

    def __init__(self) -> None:
        self._next = 0.0
        self._seen: dict[subprocess.Popen[Any], tuple[float, list[Use]]] = {}

    def look(self, processes: Iterable[subprocess.Popen[Any]]) -> None:
        if (now := time.monotonic()) < self._next:
            return
        self._next = now + _EVERY
        for process in processes:
            begun, uses = self._seen.setdefault(process, (now, []))
            if (use := use_of(process.pid, now - begun)) is not None:
                uses.append(use)

    @property
    def members(self) -> list[list[Use]]:
        return [uses for _, uses in self._seen.values()]


def use_of(process: int, age: float) -> Use | None:
    """Return a sample, or None if the process has ended or the system has no such figures."""
    folder = Path(f"/proc/{process}")
    try:
        resident = int((folder / "statm").read_text().split()[1]) * resource.getpagesize()
        return Use(age, resident, sum(1 for _ in (folder / "fd").iterdir())) if resident else None
    except OSError:
        return None


def growth(uses: Sequence[Use]) -> Use | None:
    """Return how far the median of a member's later half is above its early one; None for a short life."""
    early = [use for use in uses if _WARM <= use.age < _WARM + _EARLY]
    later = [use for use in uses[len(uses) // 2 :] if use.age >= _WARM + _EARLY]
    if not early or not later:
        return None

    def more(figure: str) -> int:
        after, before = (median([getattr(use, figure) for use in some]) for some in (later, early))
        return int(after - before)

    return Use(later[-1].age, more("resident"), more("files"))


def broken(members: Iterable[Sequence[Use]]) -> list[str]:
    """Describe what is not bounded; empty if the round is green."""
    reasons = []
    for uses in members:
        grown = growth(uses)
        if grown is not None and grown.resident > MORE_BYTES:
            reasons.append(f"memory of a member grew by {grown.resident // MIB} MiB")
        if grown is not None and grown.files > MORE_FILES:
            reasons.append(f"file descriptors of a member grew by {grown.files}")
        if (most := max((use.files for use in uses), default=0)) >= MOST_FILES:
            reasons.append(f"a member had {most} file descriptors")
    return reasons


def maxima(members: Iterable[Sequence[Use]]) -> Mapping[str, int]:
    """Return figures for the report; ``judged`` members lived long enough to tell whether they grow."""
    lives = list(members)
    changes = [change for change in map(growth, lives) if change is not None]
    uses = [use for life in lives for use in life]
    return {
        "judged": len(changes),
        "resident_mib": max((use.resident for use in uses), default=0) // MIB,
        "files": max((use.files for use in uses), default=0),
        "resident_growth_mib": max((change.resident for change in changes), default=0) // MIB,
        "files_growth": max((change.files for change in changes), default=0),
    }
