"""How many cores this process may use."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

SYSTEM = Path("/")


def usable_cores(system: Path = SYSTEM) -> int:
    """Return how many cores this process may use: those of its affinity, but no more than the quota of its cgroup.

    A container with a quota (``docker run --cpus``, ``limits.cpu`` in Kubernetes) sees all cores of the machine, but
    threads on all of them use its quota up at once, and then all of them wait.

    Args:
        system: The root of the file system that describes the cgroup.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min([cores, *(max(1, math.ceil(quota)) for quota in _quotas(system))])


def _quotas(system: Path) -> Iterator[float]:
    """Yield the quota, in cores, of our cgroup and of each one around it that has one."""
    root = system / "sys/fs/cgroup"
    try:
        lines = (system / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for _, controllers, place in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers == "":  # version 2
            top, read = root, _quota
        elif "cpu" in controllers.split(","):
            top, read = root / "cpu", _quota_of_version_1
        else:
            continue
        # In a namespace of its own, our cgroup is what is mounted, whatever the path says.
        for folder in {top / part for part in (".", *_with_parents(place))}:
            try:
                quota = read(folder)
            except (OSError, ValueError, ZeroDivisionError):
                continue
            if quota > 0:
                yield quota


def _with_parents(place: str) -> list[str]:
    path = Path(place.lstrip("/"))
    return [] if ".." in path.parts else [str(path), *map(str, path.parents)]


def _quota(folder: Path) -> float:
    """Read the file of cgroup version 2: "max 100000", or microseconds in each period. Raises OSError, ValueError."""
    quota, period = (folder / "cpu.max").read_text().split()
    return int(quota) / int(period)


def _quota_of_version_1(folder: Path) -> float:
    """Return the quota in cores, negative if there is none. Raises OSError, ValueError."""
    quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
    return int(quota) / int(period)
