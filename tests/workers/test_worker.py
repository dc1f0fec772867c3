"""What the worker's own steps promise, apart from the brokers."""

from __future__ import annotations

import pytest

from schemas.document import Document
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch, MicroBatcher
from stream.progress import Progress
from workers.worker import _sorted_out

BETWEEN = ("purge", "polled")
"""When the partition begins to leave: just before, or just after what waits in the batcher has been looked at."""


class Leaving(MicroBatcher):
    """A batcher whose partition begins to leave while it is looked through."""

    assignment: Assignment
    when = ""

    def purge(self) -> list[Record]:
        if self.when == "purge":
            self.assignment.state = Assignment.CLOSING
        purged = super().purge()
        if self.when == "polled":
            self.assignment.state = Assignment.CLOSING
        return purged


@pytest.mark.parametrize("when", BETWEEN)
def test_what_is_dropped_is_the_tail_of_its_partition_whenever_that_begins_to_leave(when: str) -> None:
    """Were older events dropped and newer ones cut, the offset after these would be committed past the others."""
    assignment = Assignment("in", 0)
    batcher, progress = Leaving(1_000_000, 5, 60.0), Progress()
    batcher.assignment = assignment
    records = [Record(assignment, offset, None, b"x") for offset in range(8)]
    progress.polled(records)
    older, newer = records[:3], records[3:]
    assert batcher.add([Document(record) for record in older]) == []
    batcher.when = when
    live, dropped = _sorted_out(newer, batcher)
    progress.dropped(dropped)
    batches: list[MicroBatch] = batcher.add([Document(record) for record in live])
    batcher.when = ""
    live, dropped = _sorted_out([], batcher)
    progress.dropped(dropped)
    for batch in batches:
        progress.finished(batch.number, batch.ends, batch.size)
    done = {document.record.offset for batch in batches for document in batch.documents if document.record}
    committable = progress.take_committable().get(assignment, 0)
    assert done >= set(range(committable))
    assert progress.pending([assignment]) == 0
