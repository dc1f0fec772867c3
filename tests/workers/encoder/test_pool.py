"""Threads of a pool compute with their own number of threads, and change nobody else's."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
import torch

from workers.encoder.pool import Pool, shared


@pytest.fixture
def three() -> Iterator[None]:
    """The operations of this thread use three threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def threads_of_operations() -> int:
    """How many threads an operation uses, after one that is large enough for several."""
    torch.ones(1_000_000).exp()
    return torch.get_num_threads()


@pytest.mark.usefixtures("three")
def test_each_thread_has_its_number_and_others_keep_theirs() -> None:
    pool = Pool(2, 1)
    assert {pool.submit(threads_of_operations).result() for _ in range(20)} == {1}
    assert threads_of_operations() == 3
    wide = Pool(2, 2)
    assert {wide.submit(threads_of_operations).result() for _ in range(20)} == {2}
    assert {pool.submit(threads_of_operations).result() for _ in range(20)} == {1}
    started: list[int] = []
    thread = threading.Thread(target=lambda: started.append(threads_of_operations()))
    thread.start()
    thread.join()
    assert started == [3]


@pytest.mark.usefixtures("three")
def test_all_threads_are_there_from_the_beginning() -> None:
    pool = Pool(4, 1)
    meet = threading.Barrier(4)
    results = [pool.submit(lambda: (meet.wait(60), threading.current_thread().name)[1]) for _ in range(4)]
    assert len({result.result() for result in results}) == 4


def test_without_more_threads_there_is_no_pool_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="new thread"):
        Pool(3, 1)
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()


def test_trunks_share_a_pool_as_long_as_one_has_it() -> None:
    pool, others = shared(Pool(2, 1)), [Pool(2, 1), Pool(3, 1)]
    assert shared(others[0]) is pool
    assert shared(others[1]) is others[1]
    gone = weakref.ref(pool)
    del pool
    gc.collect()
    assert gone() is None
    assert shared(others[0]) is others[0]
