"""No committable offset passes the first unfinished event of its partition."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from schemas.document import Document
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch, MicroBatcher
from stream.pacing import FixedPacing
from stream.progress import Progress
from tests.thoroughness import examples


class ProgressMachine(RuleBasedStateMachine):
    """Polls, cuts, finishes in any order, revokes and reassigns; compares with a model that keeps every offset."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress()
        self.batcher = MicroBatcher(FixedPacing(10_000, 0.0), 10_000, lambda: 0.0)
        self.owned = {p: Assignment("t", p) for p in range(3)}
        self.position = dict.fromkeys(range(3), 0)
        self.unfinished: dict[Assignment, set[int]] = {a: set() for a in self.owned.values()}
        self.cut: list[MicroBatch] = []
        self.committed = dict.fromkeys(range(3), 0)
        self.seen: set[Assignment] = set()
        """Assignments with a commit: the first may repeat where the partition started, a later one must not."""

    def _commit(self) -> None:
        for assignment, end in self.progress.take_committable().items():
            assert assignment.state != Assignment.GONE
            first = assignment not in self.seen
            assert end > self.committed[assignment.partition] or (first and end == self.committed[assignment.partition])
            self.seen.add(assignment)
            assert all(offset >= end for offset in self.unfinished[assignment]), (
                "committed ahead of an unfinished event"
            )
            self.committed[assignment.partition] = end

    @rule(partition=st.integers(0, 2), count=st.integers(1, 5), gap=st.integers(0, 3))
    def poll(self, partition: int, count: int, gap: int) -> None:
        assignment = self.owned[partition]
        # Compacted topics and transaction markers leave gaps between offsets.
        start = self.position[partition] + gap
        records = [Record(assignment, offset, None, b"v") for offset in range(start, start + count)]
        self.position[partition] = start + count
        self.unfinished[assignment].update(record.offset for record in records)
        self.progress.polled(records)
        assert not self.batcher.add(Document(record) for record in records)

    @rule(partition=st.integers(0, 2), gap=st.integers(0, 3))
    def reach_the_end(self, partition: int, gap: int) -> None:
        """The partition ends with control records, or with nothing."""
        self.position[partition] += gap
        self.progress.reached(self.owned[partition], self.position[partition])

    @rule()
    def cut_all(self) -> None:
        if (batch := self.batcher.cut_rest()) is not None:
            self.cut.append(batch)

    @precondition(lambda self: self.cut)
    @rule(data=st.data())
    def finish_one(self, data: st.DataObject) -> None:
        batch = self.cut.pop(data.draw(st.integers(0, len(self.cut) - 1)))
        for document in batch.documents:
            assert document.record is not None
            self.unfinished[document.record.assignment].discard(document.record.offset)
        self.progress.finished(batch.number, batch.ends, batch.size)

    @rule()
    def commit(self) -> None:
        self._commit()

    @rule(failed=st.booleans())
    def commit_may_fail(self, failed: bool) -> None:
        ends = self.progress.take_committable()
        self.progress.put_back(ends)
        if not failed:
            self._commit()

    @rule(partition=st.integers(0, 2), in_time=st.booleans())
    def revoke(self, partition: int, in_time: bool) -> None:
        """The group revokes the partition; when it is assigned again, reading continues from the last commit."""
        assignment = self.owned[partition]
        assignment.state = Assignment.CLOSING
        purged = self.batcher.purge()
        self.unfinished[assignment].difference_update(record.offset for record in purged)
        self.progress.dropped(purged)
        dropped = min((record.offset for record in purged), default=None)
        self.progress.reached(assignment, self.position[partition])
        if in_time:
            while self.cut:
                batch = self.cut.pop()
                for document in batch.documents:
                    assert document.record is not None
                    self.unfinished[document.record.assignment].discard(document.record.offset)
                self.progress.finished(batch.number, batch.ends, batch.size)
            assert not self.progress.pending([assignment])
        self._commit()
        assert dropped is None or self.committed[partition] <= dropped, "a dropped event was committed"
        assignment.state = Assignment.GONE
        self.progress.forget([assignment])
        fresh = Assignment("t", partition)
        self.owned[partition] = fresh
        self.unfinished[fresh] = set()
        self.position[partition] = self.committed[partition]

    @invariant()
    def counts_match(self) -> None:
        waiting = sum(len(batch.documents) for batch in self.cut)
        assert self.progress.in_flight >= waiting
        assert self.progress.bytes_in_flight >= 0

    def teardown(self) -> None:
        self.cut_all()
        for batch in self.cut:
            for document in batch.documents:
                assert document.record is not None
                self.unfinished[document.record.assignment].discard(document.record.offset)
            self.progress.finished(batch.number, batch.ends, batch.size)
        self._commit()
        assert self.progress.in_flight == 0
        assert self.progress.bytes_in_flight == 0
        for partition, assignment in self.owned.items():
            assert not self.unfinished[assignment]
            assert self.committed[partition] == self.position[partition] or self.committed[partition] == 0


TestProgress = ProgressMachine.TestCase
TestProgress.settings = settings(max_examples=examples(200), stateful_step_count=40, deadline=None)


def test_delivery_out_of_order_waits_for_the_head() -> None:
    progress = Progress()
    assignment = Assignment("t", 0)
    progress.polled(Record(assignment, offset, None, b"abc") for offset in range(4))
    progress.finished(1, {assignment: (4, 2)}, 6)
    assert progress.take_committable() == {}
    progress.finished(0, {assignment: (2, 2)}, 6)
    assert progress.take_committable() == {assignment: 4}
    assert (progress.in_flight, progress.bytes_in_flight) == (0, 0)


def test_a_failed_commit_is_due_again_but_never_overwrites_a_later_one() -> None:
    progress = Progress()
    assignment = Assignment("t", 0)
    progress.polled(Record(assignment, offset, None, b"") for offset in range(2))
    progress.finished(0, {assignment: (1, 1)}, 0)
    assert progress.take_committable() == {assignment: 1}
    progress.finished(1, {assignment: (2, 1)}, 0)
    assert progress.take_committable() == {assignment: 2}
    progress.put_back([assignment])  # the first commit failed, which is noticed only now
    assert progress.take_committable() == {assignment: 2}
    assert progress.take_committable() == {}
    progress.forget([assignment])
    progress.put_back([assignment])
    assert progress.take_committable() == {}


def test_the_tail_of_a_partition_waits_for_its_events() -> None:
    progress = Progress()
    assignment = Assignment("t", 0)
    progress.polled(Record(assignment, offset, None, b"") for offset in (3, 4))
    progress.reached(assignment, 6)
    assert progress.take_committable() == {}
    progress.finished(0, {assignment: (4, 1)}, 0)
    assert progress.take_tails() == {}
    assert progress.take_committable() == {assignment: 4}
    progress.finished(1, {assignment: (5, 1)}, 0)
    assert progress.take_tails() == {assignment: 6}
    assert progress.take_committable() == {assignment: 6}
    progress.reached(assignment, 6)
    assert progress.take_committable() == {}, "it was committed already"


def test_the_tail_of_a_partition_with_dropped_events_is_never_committable() -> None:
    progress = Progress()
    assignment = Assignment("t", 0)
    records = [Record(assignment, offset, None, b"") for offset in (3, 4)]
    progress.polled(records)
    progress.reached(assignment, 6)
    assignment.state = Assignment.CLOSING
    progress.dropped(records[1:])
    progress.finished(0, {assignment: (4, 1)}, 0)
    progress.reached(assignment, 6)
    assert progress.take_committable() == {assignment: 4}
    assert progress.take_tails() == {}


def test_where_a_partition_begins_is_committable_before_its_events_are_finished() -> None:
    progress = Progress()
    begun, late, gone = (Assignment("t", partition) for partition in range(3))
    gone.state = Assignment.GONE
    progress.polled(Record(assignment, 5, None, b"") for assignment in (begun, late))
    progress.reached(begun, 7)
    progress.begins(begun, 5)
    assert progress.take_committable() == {begun: 5}
    progress.finished(0, {begun: (6, 1), late: (6, 1)}, 0)
    progress.begins(late, 5)
    progress.begins(gone, 5)
    assert progress.take_committable() == {begun: 7, late: 6}
