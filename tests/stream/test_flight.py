"""Backpressure, commits and draining, with a source that only records what it is told."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from schemas.document import Document
from schemas.record import Assignment, Record
from stream.flight import Flight
from stream.kafka.source import Source
from stream.microbatch import MicroBatch
from tests.noop import pipeline


class Written:
    """A source that records what the flight asks of it."""

    def __init__(self) -> None:
        self.paused = False
        self.commits: list[tuple[dict[Assignment, int], bool]] = []
        self.failed: set[Assignment] = set()
        self.reached: dict[Assignment, int] = {}
        self.firsts: dict[Assignment, int] = {}

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def commit(self, ends: dict[Assignment, int], wait: bool = False) -> None:
        if ends:
            self.commits.append((dict(ends), wait))

    def take_failed_commits(self) -> set[Assignment]:
        failed, self.failed = self.failed, set()
        return failed

    def take_firsts(self) -> dict[Assignment, int]:
        firsts, self.firsts = self.firsts, {}
        return firsts

    def take_reached(self) -> dict[Assignment, int]:
        reached, self.reached = self.reached, {}
        return reached


@pytest.fixture
def written() -> Written:
    return Written()


def _flight(wake: Any = lambda: None, failed: bool = False, **settings: Any) -> Flight:
    return Flight(pipeline(commit_interval_ms=10, **settings), wake, lambda: failed)


def _records(assignment: Assignment, *offsets: int) -> list[Record]:
    return [Record(assignment, offset, None, b"value") for offset in offsets]


def _batch(number: int, records: list[Record]) -> MicroBatch:
    return MicroBatch(number, [Document(record) for record in records], 0)


def test_what_has_landed_is_committed_and_a_failed_commit_again(written: Written) -> None:
    flight, source, assignment = _flight(), cast(Source, written), Assignment("t", 0)
    records = _records(assignment, 0, 1)
    flight.take_off(records)
    flight.apply_landings(source)
    assert written.commits == []
    flight.landed(_batch(0, records))
    threading.Event().wait(0.02)
    flight.apply_landings(source)
    assert written.commits == [({assignment: 2}, False)]
    written.failed = {assignment}
    threading.Event().wait(0.02)
    flight.apply_landings(source)
    assert written.commits == [({assignment: 2}, False)] * 2
    assert flight.events == 0


def test_much_that_has_landed_is_committed_before_the_interval_is_over(written: Written) -> None:
    """A crash repeats what is not committed, however long the interval."""
    flight = Flight(pipeline(commit_interval_ms=60_000), lambda: None, lambda: False)
    source, assignment = cast(Source, written), Assignment("t", 0)
    flight.apply_landings(source)
    for number in range(25):
        records = _records(assignment, *range(100 * number, 100 * (number + 1)))
        flight.take_off(records)
        flight.landed(_batch(number, records))
        flight.apply_landings(source)
    assert [ends[assignment] for ends, _ in written.commits] == [1000, 2000]


@pytest.mark.parametrize("mark", [{"high_events": 3, "low_events": 1}, {"high_bytes": 15}])
def test_polling_pauses_over_the_high_mark_and_resumes_under_the_low_one(written: Written, mark: Any) -> None:
    flight, source, assignment = _flight(backpressure=mark), cast(Source, written), Assignment("t", 0)
    records = _records(assignment, 0, 1, 2, 3)
    flight.take_off(records)
    flight.regulate(source)
    assert written.paused
    flight.landed(_batch(0, records[:1]))
    flight.apply_landings(source)
    flight.regulate(source)
    assert written.paused, "resumed between the marks"
    flight.landed(_batch(1, records[1:]))
    flight.apply_landings(source)
    flight.regulate(source)
    assert not written.paused


def test_draining_commits_what_lands_and_lets_go_of_the_rest(written: Written) -> None:
    leaving, staying = Assignment("t", 0), Assignment("t", 1)
    records = _records(leaving, 0, 1, 2)
    woken: list[int] = []

    def wake() -> None:
        woken.append(leaving.state)
        flight.dropped(records[2:])
        threading.Timer(0.05, lambda: flight.landed(_batch(0, records[:2]))).start()

    flight = _flight(wake)
    flight.take_off(records + _records(staying, 0))
    assert flight.drain([leaving], cast(Source, written))
    assert woken == [Assignment.CLOSING]
    assert written.commits == [({leaving: 2}, True)]
    assert (leaving.state, staying.state) == (Assignment.GONE, Assignment.LIVE)


def test_a_drain_that_takes_too_long_commits_nothing_of_it(written: Written) -> None:
    flight, assignment = _flight(drain_timeout_ms=50), Assignment("t", 0)
    records = _records(assignment, 0)
    flight.take_off(records)
    assert not flight.drain([assignment], cast(Source, written))
    assert written.commits == []
    flight.landed(_batch(0, records))  # too late: another worker owns the partition now
    flight.apply_landings(cast(Source, written))
    assert written.commits == []
    assert flight.events == 0


def test_a_failed_worker_does_not_wait(written: Written) -> None:
    flight, assignment = _flight(failed=True, drain_timeout_ms=3_600_000), Assignment("t", 0)
    flight.take_off(_records(assignment, 0))
    assert not flight.drain([assignment], cast(Source, written))


def test_the_end_of_a_partition_is_committed_when_everything_before_it_has_landed(written: Written) -> None:
    """A transactional topic ends with a control record, which is never polled."""
    flight, source, assignment = _flight(), cast(Source, written), Assignment("t", 0)
    records = _records(assignment, 0, 1)
    flight.take_off(records)
    written.reached = {assignment: 3}
    flight.apply_landings(source)
    assert written.commits == []
    flight.landed(_batch(0, records))
    threading.Event().wait(0.02)
    flight.apply_landings(source)
    assert written.commits == [({assignment: 3}, False)]
    written.reached = {assignment: 5}  # an aborted transaction
    threading.Event().wait(0.02)
    flight.apply_landings(source)
    assert written.commits[1:] == [({assignment: 5}, False)]
    assert flight.take_tails() == {}


def test_with_transactions_the_end_of_a_partition_is_for_the_sink_to_commit(written: Written) -> None:
    flight, source, assignment = _flight(delivery="exactly_once"), cast(Source, written), Assignment("t", 0)
    records = _records(assignment, 0, 1)
    flight.take_off(records)
    written.firsts = {assignment: 0}
    flight.apply_landings(source)
    assert flight.take_tails() == {assignment: 0}
    written.reached = {assignment: 3}
    flight.apply_landings(source)
    assert flight.take_tails() == {}
    flight.landed(_batch(0, records))
    flight.apply_landings(source)
    assert flight.take_tails() == {assignment: 3}
    assert written.commits == []
    written.reached = {assignment: 3}
    flight.apply_landings(source)
    assert flight.take_tails() == {}, "it is committed already"
