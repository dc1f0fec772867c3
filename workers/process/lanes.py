"""Threads of a worker, and the bounded queues between them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):  # noqa: N818 - a signal between threads, not an error
    """The channel is closed: nothing more will come (``get``), or nobody will take it (``put``)."""


class Channel(Generic[T]):
    """A queue of at most ``size`` items (0: unbounded), first in, first out. Every method may be called by any thread.

    After ``close`` nothing can be put, but what is queued can still be taken. ``abort`` also discards what is queued
    and wakes every waiting thread, so that none stays blocked behind one that has died.
    """

    def __init__(self, size: int = 0, on_idle: Callable[[], None] = lambda: None) -> None:
        """``on_idle``: called by a thread that is about to wait for an item; it must not use this channel's ``get``."""
        self._size = size
        self._on_idle = on_idle
        self._idle = 0
        self._items: deque[T] = deque()
        self._closed = False
        self._aborted = False
        self._interrupted = False
        self._changed = threading.Condition()

    def put(self, item: T) -> None:
        """Append ``item``, waiting for room. Raises Closed when the channel is closed."""
        with self._changed:
            while self._size and len(self._items) >= self._size and not self._aborted:
                self._changed.wait()
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def get(self, timeout: float | None = None) -> T | None:
        """Take the next item, or return None when ``timeout`` seconds pass without one (None: wait without end).

        Also returns None without an item after ``interrupt``, once for any number of calls of that.

        Raises Closed when the channel is closed and empty.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            if self._items:
                return self._take()
            self._idle += 1
        self._on_idle()  # without the lock, because it may wake a thread that looks at ``idle``
        with self._changed:
            try:
                while not self._items:
                    if self._closed:
                        raise Closed
                    if self._interrupted:
                        return None
                    left = None if deadline is None else deadline - time.monotonic()
                    if left is not None and left <= 0:
                        return None
                    self._changed.wait(left)
                return self._take()
            finally:
                self._idle -= 1
                self._interrupted = False

    def interrupt(self) -> None:
        """Let the thread that waits for an item, or the next one that would, wait no longer."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def _take(self) -> T:
        item = self._items.popleft()
        self._changed.notify_all()
        return item

    @property
    def idle(self) -> bool:
        """Whether a thread waits for an item that nobody has put yet."""
        with self._changed:
            return self._idle > len(self._items)

    def __iter__(self) -> Iterator[T]:
        """Yield items until the channel is closed and empty."""
        while True:
            try:
                item = self.get()
            except Closed:
                return
            if item is not None:
                yield item

    def __len__(self) -> int:
        return len(self._items)

    def close(self) -> None:
        """Refuse further items; those queued can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Refuse further items, discard those queued, and wake all waiting threads."""
        with self._changed:
            self._closed = self._aborted = True
            self._items.clear()
            self._changed.notify_all()


class Lane(threading.Thread):
    """A started daemon thread that runs ``work`` until a channel of it closes.

    Any exception but Closed is handed to ``fail``, on this thread.
    """

    def __init__(self, name: str, work: Callable[[], None], fail: Callable[[BaseException], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._fail = fail
        self.start()

    def run(self) -> None:
        """Run the work; called by the thread itself."""
        try:
            self._work()
        except Closed:
            pass
        except BaseException as error:
            self._fail(error)
