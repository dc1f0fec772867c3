"""The next micro-batch begins on cores that the present one leaves idle, and on no others."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from typing import Any, cast

import pytest

from schemas.document import Document
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch
from workers.encoder.pool import Pool
from workers.process.ahead import Ahead
from workers.process.journal import NoJournal
from workers.process.lanes import Channel, Closed

PATIENCE = 10.0
"""Seconds after which a test that waits for threads fails."""


class Chain:
    """Its forwards, one for each document, end when ``ends`` is set; ``begun`` has the offsets of what was begun."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.ends = threading.Event()
        self.futures: list[Future[Any]] = []

    def begin(self, work: list[Document], pool: Pool, count: int) -> list[Future[Any]]:
        some, work[:] = work[:count], work[count:]
        self.begun += [cast(Record, document.record).offset for document in some]
        futures = [pool.submit(lambda: self.ends.wait(2 * PATIENCE)) for _ in some]
        self.futures += futures
        return futures


class Noted(NoJournal):
    """``lanes`` has the offsets that each lane works on; ``suspects`` are the offsets that must not begin ahead."""

    def __init__(self, *suspects: int) -> None:
        self.suspects = suspects
        self.lanes: dict[str, list[int]] = {}

    def may_begin(self, records: Iterable[Record]) -> bool:
        return not any(record.offset in self.suspects for record in records)

    @contextmanager
    def lane(self, lane: Any, records: Iterable[Record]) -> Iterator[None]:
        self.lanes[lane] = [record.offset for record in records]
        yield
        del self.lanes[lane]


class Engine:
    def __init__(self, chain: Chain) -> None:
        self.chain = chain


@pytest.fixture
def pool() -> Pool:
    return Pool(2, 1)


def prepared(chain: Chain, *offsets: int) -> Any:
    assignment = Assignment("posts", 0)
    documents = [Document(Record(assignment, offset, None, b"")) for offset in offsets]
    return Engine(chain), MicroBatch(offsets[0], documents, len(documents)), list(documents)


def waiting(ahead: Ahead, running: list[Future[Any]], pool: Pool) -> threading.Thread:
    thread = threading.Thread(target=ahead.wait_for, args=(running, pool), daemon=True)
    thread.start()
    return thread


def until(holds: Any) -> None:
    ends = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        ends.wait(0.01)
    raise AssertionError("it has not happened")


def test_the_next_one_begins_on_the_idle_core_even_if_it_comes_later(pool: Pool) -> None:
    channel: Channel[Any] = Channel(2)
    journal, chain, present = Noted(), Chain(), Future[None]()
    ahead = Ahead(channel, journal)
    thread = waiting(ahead, [present], pool)
    until(lambda: channel.idle)  # whoever cuts micro-batches sees that a core is idle
    channel.put(prepared(chain, 5, 6, 7))
    until(lambda: chain.begun)
    assert chain.begun == [5]
    assert journal.lanes == {"ahead": [5, 6, 7]}
    present.set_result(None)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    chain.ends.set()
    channel.close()
    with closing(iter(ahead)) as batches:
        for _, batch, _ in batches:
            assert batch.number == 5
            ahead.entered()
    assert journal.lanes == {}


def test_as_one_of_its_forwards_ends_another_begins(pool: Pool) -> None:
    channel: Channel[Any] = Channel(2)
    chain, present = Chain(), Future[None]()
    chain.ends.set()
    channel.put(prepared(chain, 1, 2, 3))
    thread = waiting(Ahead(channel, NoJournal()), [present], pool)
    until(lambda: chain.begun == [1, 2, 3])
    present.set_result(None)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_one_that_ends_wakes_the_thread_although_nothing_comes(pool: Pool) -> None:
    channel: Channel[Any] = Channel(2)
    present = Future[None]()
    thread = waiting(Ahead(channel, NoJournal()), [present], pool)
    until(lambda: channel.idle)
    present.set_result(None)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_what_was_begun_ahead_is_counted_once_when_its_turn_has_come(pool: Pool) -> None:
    channel: Channel[Any] = Channel()
    chain, present = Chain(), Future[None]()
    ahead = Ahead(channel, NoJournal())
    with closing(iter(ahead)) as batches:
        for offset in range(3):
            channel.put(prepared(chain, offset))
        next(batches)
        thread = waiting(ahead, [present], pool)
        until(lambda: chain.begun == [1])
        present.set_result(None)
        thread.join(PATIENCE)
        next(batches)
        ahead.entered()
        thread = waiting(ahead, chain.futures, pool)
        until(lambda: chain.begun == [1, 2])
        chain.ends.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_nothing_is_taken_if_all_cores_are_busy(pool: Pool) -> None:
    channel: Channel[Any] = Channel(2)
    chain, present = Chain(), [Future[None](), Future[None]()]
    channel.put(prepared(chain, 1))
    thread = waiting(Ahead(channel, Noted()), present, pool)
    thread.join(0.05)
    assert thread.is_alive()
    assert chain.begun == []
    assert len(channel) == 1
    present[0].set_result(None)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_suspect_waits_for_its_turn_and_the_next_one_begins_ahead_again(pool: Pool) -> None:
    channel: Channel[Any] = Channel()
    journal, chain = Noted(2), Chain()
    chain.ends.set()
    for offsets in ((0,), (1, 2), (3,), (4,)):
        channel.put(prepared(chain, *offsets))
    channel.close()
    ahead, begun = Ahead(channel, journal), list[list[int]]()
    with closing(iter(ahead)) as batches:
        for _, batch, _ in batches:
            ahead.entered()
            assert journal.lanes == {}
            for _ in range(2 * (batch.number < 4)):  # two of its forwards end, one after the other
                present = Future[None]()
                thread = waiting(ahead, [present], pool)
                thread.join(0.05)
                present.set_result(None)
                thread.join(PATIENCE)
                assert not thread.is_alive()
            begun.append([*chain.begun])
    assert begun == [[], [3], [3, 4], [3, 4]]


def test_micro_batches_keep_their_order(pool: Pool) -> None:
    channel: Channel[Any] = Channel()
    chain = Chain()
    chain.ends.set()
    for offset in range(4):
        channel.put(prepared(chain, offset))
    channel.close()
    ahead, numbers = Ahead(channel, NoJournal()), list[int]()
    with closing(iter(ahead)) as batches:
        for _, batch, _ in batches:
            numbers.append(batch.number)
            assert ahead.began is (batch.number > 0)
            ahead.entered()
            if batch.number < 3:
                present = Future[None]()
                thread = waiting(ahead, [present], pool)
                until(lambda: len(chain.begun) == len(numbers))
                present.set_result(None)
                thread.join(PATIENCE)
    assert numbers == [0, 1, 2, 3]
    assert chain.begun == [1, 2, 3]


def test_under_constant_load_some_are_not_begun_ahead_so_that_their_forwards_can_be_timed(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.process.ahead._MOST_IN_A_ROW", 2)
    channel: Channel[Any] = Channel()
    chain, timed = Chain(), list[int]()
    chain.ends.set()
    for offset in range(8):
        channel.put(prepared(chain, offset))
    channel.close()
    ahead = Ahead(channel, NoJournal())
    with closing(iter(ahead)) as batches:
        for _, batch, _ in batches:
            ahead.entered()
            if not ahead.began:
                timed.append(batch.number)
            if batch.number == 7:
                break
            present, following = Future[None](), batch.number + 1
            thread = waiting(ahead, [present], pool)
            if following % 3 == 0:
                thread.join(0.05)
            else:
                until(lambda following=following: following in chain.begun)
            present.set_result(None)
            thread.join(PATIENCE)
    assert timed == [0, 3, 6]


def test_when_the_worker_ends_no_forward_runs_any_more(pool: Pool) -> None:
    channel: Channel[Any] = Channel(2)
    chain, present = Chain(), Future[None]()
    ahead = Ahead(channel, NoJournal())
    batches = iter(ahead)
    channel.put(prepared(chain, 0))
    next(batches)
    channel.put(prepared(chain, 1))
    thread = waiting(ahead, [present], pool)
    until(lambda: chain.begun)
    present.set_result(None)
    thread.join(PATIENCE)
    channel.abort()
    closer = threading.Thread(target=batches.close, daemon=True)
    closer.start()
    closer.join(0.05)
    assert closer.is_alive(), "a forward still runs"
    chain.ends.set()
    closer.join(PATIENCE)
    assert not closer.is_alive()


def test_it_raises_when_the_channel_is_aborted(pool: Pool) -> None:
    channel: Channel[Any] = Channel(2)
    channel.abort()
    with pytest.raises(Closed):
        Ahead(channel, NoJournal()).wait_for([Future[None]()], pool)
