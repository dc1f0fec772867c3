"""Threads that run forwards side by side on a CPU, over the same weights."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import torch

T = TypeVar("T")


class Pool:
    """Some threads, each of which computes with as many threads of OpenMP, oneDNN and MKL as it is told.

    One forward on two cores has its threads wait for each other at every operation; two forwards on a core each do not.
    How many threads an operation uses is a setting of the thread that calls it. Any thread may submit work. The threads
    end when the pool is garbage collected, or when the program ends.

    Attributes:
        forwards: how many forwards run side by side, at least 2.
        threads: the threads that each of them computes with.
    """

    def __init__(self, forwards: int, threads: int) -> None:
        """Start the threads. Raises RuntimeError if the system has no more."""
        self.forwards, self.threads = forwards, threads
        self._submitted: set[Future[Any]] = set()
        self._executor = ThreadPoolExecutor(forwards, "forward", _compute_with, (threads,))
        # A thread that has not set its number begins with the last one that any thread has set. So all of these threads
        # are started here, and then the number of the calling thread is set once more.
        before, together = torch.get_num_threads(), Barrier(forwards)
        try:
            for started in [self._executor.submit(together.wait) for _ in range(forwards)]:
                started.result()
        except RuntimeError:
            together.abort()  # the threads that have started would wait for ever, and the program for them
            raise
        torch.set_num_threads(before)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have the next free thread call ``work``; return the future of its result."""
        future = self._executor.submit(work)
        self._submitted.add(future)
        future.add_done_callback(self._submitted.discard)
        return future

    @property
    def busy(self) -> bool:
        """Whether something runs, or is about to, that was submitted."""
        return bool(self._submitted)

    def finish(self) -> None:
        """Return when nothing runs any more of what has been submitted so far."""
        wait([*self._submitted])


def shared(pool: Pool) -> Pool:
    """Return the pool that trunks share, so that together they do not compute on too many threads.

    It has the numbers of ``pool``, which becomes that pool if there is none. It is kept as long as a trunk has it. Call
    it on the thread that loads models.
    """
    return _shared.setdefault((pool.forwards, pool.threads), pool)


_shared: WeakValueDictionary[tuple[int, int], Pool] = WeakValueDictionary()


def _compute_with(threads: int) -> None:
    """Set how many threads the operations of the calling thread use."""
    torch.get_num_threads()  # otherwise its first operation would replace what is set before
    torch.set_num_threads(threads)
