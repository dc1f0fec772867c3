"""What the core seconds of a process go to, by the names of its threads."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

from benchmarks.peers.named_threads import POLL, TOKENIZERS

FORWARDS = "forwards"
PARTS = {
    FORWARDS: r"device|forward.*|load.*",
    "polling": POLL,
    "tokenising": rf"prepare|{TOKENIZERS}",
    "annotating and publishing": "finish",
    "the Kafka client's threads": r"rdk:.*",
}
"""What a worker does -> the names of the threads that do it. "load" is what OpenMP's threads are called if the thread
that loads the models has started them."""
OTHERS = "other threads"
_TICKS = os.sysconf("SC_CLK_TCK")


class Thread(NamedTuple):
    """A thread: its name, and the core seconds that it has taken so far, in user and system mode."""

    name: str
    seconds: float


Threads: TypeAlias = dict[int, Thread]
"""By the number that the system gives a thread."""
Seconds: TypeAlias = dict[str, float]
"""Core seconds, by what they were spent on."""


def threads_of(pid: int) -> Threads:
    """Return the threads of a process, from ``/proc/<pid>/task/*/stat``, which counts hundredths of a second."""
    threads: Threads = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended
            threads[int(task.name)] = thread_from((task / "stat").read_text())
    return threads


def thread_from(stat: str) -> Thread:
    """Read a line of ``/proc/<pid>/task/<tid>/stat``; the name in it may have spaces and parentheses."""
    head, _, tail = stat.rpartition(")")
    fields = tail.split()  # from the third on, the state
    return Thread(head.partition("(")[2], (int(fields[11]) + int(fields[12])) / _TICKS)


def spent(before: Threads, after: Threads) -> defaultdict[str, float]:
    """Return the core seconds between two looks at a process, by ``PARTS`` and ``OTHERS``.

    Those of threads that have ended in between are missing.
    """
    seconds = defaultdict[str, float](float)
    for number, (name, total) in after.items():
        earlier = before[number].seconds if number in before else 0.0
        seconds[part_of(name)] += total - earlier
    return seconds


def part_of(name: str) -> str:
    """Return what a thread with that name does in a worker."""
    return next((part for part, names in PARTS.items() if re.fullmatch(names, name)), OTHERS)


def mean(of: Iterable[Seconds]) -> Seconds:
    """Return the means of the parts, in the order of ``PARTS``, then the others."""
    several = list(of)
    names = dict.fromkeys([*PARTS, *(name for each in several for name in each)])
    sums = {name: sum(each.get(name, 0.0) for each in several) for name in names}
    return {name: total / len(several) for name, total in sums.items() if total}
