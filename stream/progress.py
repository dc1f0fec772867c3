"""What is finished, per partition, in order: and so what may be committed. Pure; one thread owns it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.record import Assignment, Record


class Progress:
    """The invariant at-least-once rests on: **a committable offset never runs ahead of the lowest
    unfinished event of its partition.**

    Records are polled in offset order and cut into micro-batches numbered 0, 1, 2 ... Delivery
    reports may finish micro-batches in any order; they are applied in the order of their numbers,
    so an offset becomes committable only when everything before it is delivered. Records that are
    dropped (their partition is being revoked before they were cut) leave the flight without ever
    becoming committable: they are the tail of their partition, so nothing behind them can.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.bytes_in_flight = 0
        self._pending: dict[Assignment, int] = {}
        self._ends: dict[Assignment, int] = {}
        self._due: set[Assignment] = set()
        self._early: dict[int, tuple[Mapping[Assignment, tuple[int, int]], int]] = {}
        self._next = 0

    def polled(self, records: Iterable[Record]) -> None:
        """Takes ``records``, just polled, into flight."""
        pending = self._pending
        for record in records:
            assignment = record.assignment
            pending[assignment] = pending.get(assignment, 0) + 1
            self.in_flight += 1
            self.bytes_in_flight += len(record.value or b"")

    def finished(self, number: int, ends: Mapping[Assignment, tuple[int, int]], size: int) -> None:
        """Micro-batch ``number`` is delivered whole.

        ``ends``: assignment -> (offset after its last event, how many events); ``size``: bytes of
        the values it held.
        """
        self._early[number] = (ends, size)
        while (head := self._early.pop(self._next, None)) is not None:
            self._next += 1
            head_ends, head_size = head
            self.bytes_in_flight -= head_size
            for assignment, (end, count) in head_ends.items():
                self._leave(assignment, count)
                if assignment.state != Assignment.GONE:
                    self._ends[assignment] = end
                    self._due.add(assignment)

    def dropped(self, records: Iterable[Record]) -> None:
        """``records`` leave the flight unprocessed; whoever owns their partition next reads them again."""
        for record in records:
            self.bytes_in_flight -= len(record.value or b"")
            self._leave(record.assignment, 1)

    def _leave(self, assignment: Assignment, count: int) -> None:
        self.in_flight -= count
        left = self._pending[assignment] - count
        if left:
            self._pending[assignment] = left
        else:
            del self._pending[assignment]

    def pending(self, assignments: Iterable[Assignment]) -> int:
        """How many events of ``assignments`` are in flight."""
        return sum(self._pending.get(assignment, 0) for assignment in assignments)

    def forget(self, assignments: Iterable[Assignment]) -> None:
        """The partitions are no longer ours: nothing of them is committable any more."""
        for assignment in assignments:
            self._ends.pop(assignment, None)
            self._due.discard(assignment)

    def take_committable(self) -> dict[Assignment, int]:
        """Offsets that became committable since the last call: the next offset to be read."""
        ends = {assignment: self._ends[assignment] for assignment in self._due}
        self._due.clear()
        return ends

    def put_back(self, assignments: Iterable[Assignment]) -> None:
        """A commit failed for ``assignments``: their newest committable offsets, and no older ones, are due again."""
        self._due.update(assignment for assignment in assignments if assignment in self._ends)
