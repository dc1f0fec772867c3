"""Which events of each partition are finished, and so which offsets may be committed. Pure; owned by one thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.record import Assignment, Record


class Progress:
    """Keeps the invariant of at-least-once: no committable offset passes its partition's first unfinished event.

    Records are polled in offset order and cut into micro-batches numbered 0, 1, 2 ... Micro-batches may finish in any
    order, but they are applied in the order of their numbers. So an offset becomes committable only when everything
    before it is delivered. Records that are dropped, because their partition is revoked before they are in a
    micro-batch, never become committable. They are the last of their partition, so nothing after them can either.

    The log also holds offsets that are not events, such as control records. A tail is an offset up to which a partition
    holds nothing more to poll; it becomes committable when all of the partition's events before it are finished.

    Attributes:
        in_flight: number of records polled and neither finished nor dropped.
        bytes_in_flight: bytes of their values.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.bytes_in_flight = 0
        self._pending: dict[Assignment, int] = {}
        self._ends: dict[Assignment, int] = {}
        self._due: set[Assignment] = set()
        self._tails: dict[Assignment, int] = {}
        self._tails_due: set[Assignment] = set()
        self._early: dict[int, tuple[Mapping[Assignment, tuple[int, int]], int]] = {}
        self._next = 0

    def polled(self, records: Iterable[Record]) -> None:
        """Enter ``records``, which were just polled."""
        pending, count, size = self._pending, 0, 0
        for record in records:
            assignment = record.assignment
            pending[assignment] = pending.get(assignment, 0) + 1
            count += 1
            size += len(record.value or b"")
        self.in_flight += count
        self.bytes_in_flight += size

    def finished(self, number: int, ends: Mapping[Assignment, tuple[int, int]], size: int) -> None:
        """Note that all of micro-batch ``number`` is delivered.

        ``ends`` holds, for each assignment, the offset after its last event and how many events it has; ``size`` is
        the bytes of their values.
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
                    self._tails_due.discard(assignment)
                    self._apply_tail(assignment)

    def begins(self, assignment: Assignment, first: int) -> None:
        """Note that ``first`` is the first offset of ``assignment`` and that the group has no committed offset for it.

        It is committable at once, whatever is in flight: there is nothing before it.
        """
        if assignment.state == Assignment.LIVE and assignment not in self._ends:
            self._ends[assignment] = first
            self._due.add(assignment)
            self._tails_due.add(assignment)

    def reached(self, assignment: Assignment, tail: int) -> None:
        """Note that every event of ``assignment`` before the offset ``tail`` has been entered.

        It is ignored if the partition is leaving, because its last events may have been dropped.
        """
        if assignment.state == Assignment.LIVE:
            self._tails[assignment] = tail
            self._apply_tail(assignment)

    def _apply_tail(self, assignment: Assignment) -> None:
        if assignment in self._pending:
            return
        if (tail := self._tails.pop(assignment, -1)) > self._ends.get(assignment, -1):
            self._ends[assignment] = tail
            self._due.add(assignment)
            self._tails_due.add(assignment)

    def dropped(self, records: Iterable[Record]) -> None:
        """Note that ``records`` will not be processed: the next owner of their partition reads them again."""
        for record in records:
            self.bytes_in_flight -= len(record.value or b"")
            self._tails.pop(record.assignment, None)
            self._leave(record.assignment, 1)

    def _leave(self, assignment: Assignment, count: int) -> None:
        self.in_flight -= count
        left = self._pending[assignment] - count
        if left:
            self._pending[assignment] = left
        else:
            del self._pending[assignment]

    def pending(self, assignments: Iterable[Assignment]) -> int:
        """Count the records of ``assignments`` that are in flight."""
        return sum(self._pending.get(assignment, 0) for assignment in assignments)

    def forget(self, assignments: Iterable[Assignment]) -> None:
        """Note that ``assignments`` are no longer ours: none of their offsets is committable any more."""
        for assignment in assignments:
            self._ends.pop(assignment, None)
            self._tails.pop(assignment, None)
            self._due.discard(assignment)
            self._tails_due.discard(assignment)

    def take_committable(self) -> dict[Assignment, int]:
        """Return the offsets that became committable since the last call; each is the next offset to be read."""
        ends = {assignment: self._ends[assignment] for assignment in self._due}
        self._due.clear()
        self._tails_due.clear()
        return ends

    def take_tails(self) -> dict[Assignment, int]:
        """Return those offsets of ``take_committable`` that no micro-batch ends with, since the last call of either."""
        tails = {assignment: self._ends[assignment] for assignment in self._tails_due}
        self._tails_due.clear()
        return tails

    def put_back(self, assignments: Iterable[Assignment]) -> None:
        """Return the newest committable offsets of ``assignments`` again next time, because their commit failed."""
        self._due.update(assignment for assignment in assignments if assignment in self._ends)
