"""The partitions that a worker owns, and offsets to commit for them that are not those of finished events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from schemas.record import Assignment

Place: TypeAlias = tuple[str, int]
"""A topic and the number of one of its partitions."""


class OwnedPartitions:
    """Which partitions are ours, where each begins, and whether it has been polled to its end. For one thread.

    Two kinds of offsets are committed although no finished event ends there, each handed out once: the first offset of
    a partition that the group had none for, so that a group that has finished nothing shows its lag; and the end of a
    partition, because control records may lie before it. They are forgotten with the partition.

    Attributes:
        assignments: the partitions that are ours.
        at_end: those of them that have been polled to their end.
    """

    def __init__(self) -> None:
        """Own nothing."""
        self.assignments: dict[Place, Assignment] = {}
        self.at_end: set[Place] = set()
        self._begins: dict[Place, int] = {}
        self._firsts: dict[Assignment, int] = {}
        self._ends: dict[Assignment, int] = {}
        self._failed: set[Assignment] = set()

    def add(self, place: Place, begin: int) -> None:
        """Take over a partition, which is read from offset ``begin``; negative if that is not known as a number."""
        self.assignments[place] = Assignment(*place)
        self._begins[place] = max(0, begin)

    def remove(self, places: Iterable[Place]) -> list[Assignment]:
        """Give partitions up, and return the assignments that end with it."""
        ended = []
        for place in places:
            self.at_end.discard(place)
            if (assignment := self.assignments.pop(place, None)) is not None:
                self._firsts.pop(assignment, None)
                self._ends.pop(assignment, None)
                ended.append(assignment)
        return ended

    def behind(self) -> list[Assignment]:
        """Return those that have not been polled to their end."""
        return [assignment for place, assignment in self.assignments.items() if place not in self.at_end]

    def begin(self, place: Place) -> int:
        """Return the offset from which a partition is read, 0 if that is not known as a number."""
        return self._begins.get(place, 0)

    def note_first(self, place: Place, offset: int) -> None:
        """Note that ``offset`` is the first in the log, and that the group has no committed offset."""
        self._firsts[self.assignments[place]] = offset

    def note_end(self, place: Place, end: int) -> None:
        """Note that a partition, if it is ours, has been polled to ``end``."""
        if (assignment := self.assignments.get(place)) is None:
            return
        self.at_end.add(place)
        if end != self._begins[place]:  # where we started, the group has that offset already
            self._ends[assignment] = end

    def note_failure(self, assignment: Assignment) -> None:
        """Note that a commit failed which can be repeated."""
        self._failed.add(assignment)

    def take_firsts(self) -> dict[Assignment, int]:
        """Return the first offsets that were noted since the last call."""
        firsts, self._firsts = self._firsts, {}
        return firsts

    def take_ends(self) -> dict[Assignment, int]:
        """Return the ends that were noted since the last call."""
        ends, self._ends = self._ends, {}
        return ends

    def take_failures(self) -> set[Assignment]:
        """Return the assignments whose commits have failed since the last call."""
        failed, self._failed = self._failed, set()
        return failed
