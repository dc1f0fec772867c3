"""A bounded queue between two threads that can be closed, or broken off, from either side."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):  # noqa: N818 - a signal between threads, not an error
    """Nothing more will come (``get``), or nobody will take it (``put``)."""


class Channel(Generic[T]):
    """First in, first out; at most ``size`` items wait (0: as many as come).

    ``close`` says that nothing more comes: what waits can still be taken. ``abort`` throws away
    what waits and wakes everybody, so that no thread is left blocked behind one that has died.
    """

    def __init__(self, size: int = 0) -> None:
        self._size = size
        self._items: deque[T] = deque()
        self._closed = False
        self._aborted = False
        self._changed = threading.Condition()

    def put(self, item: T) -> None:
        """Waits for room. Raises Closed when the channel is closed."""
        with self._changed:
            while self._size and len(self._items) >= self._size and not self._aborted:
                self._changed.wait()
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def get(self, timeout: float | None = None) -> T | None:
        """The next item; None when ``timeout`` seconds pass without one. Raises Closed at the end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._items:
                if self._closed:
                    raise Closed
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def __iter__(self) -> Iterator[T]:
        """Items until the channel is closed and empty."""
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
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abort(self) -> None:
        with self._changed:
            self._closed = self._aborted = True
            self._items.clear()
            self._changed.notify_all()
