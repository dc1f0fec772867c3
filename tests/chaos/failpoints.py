"""Points in a worker where it can be made to kill itself or run out of memory."""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from stream.kafka.at_least_once import AtLeastOnceSink
from stream.kafka.exactly_once import ExactlyOnceSink
from stream.kafka.source import Source

POINTS = ("polled", "forward", "sent", "offsets", "committed")
"""After a poll with records; in a forward; after outputs were given to the client; between sending a transaction's
offsets and committing it; between the commit and learning of it. Without transactions ``offsets`` and ``committed`` are
before and after an offset commit."""


class Failpoint:
    """Once armed, makes the process kill itself or raise MemoryError the ``count``th time that it passes a point.

    ``struck`` is called just before that, with the specification that ``arm`` was given.
    """

    def __init__(self, struck: Callable[[str], object] = lambda _: None) -> None:
        self._struck = struck
        self._spelled = self._what = self._point = ""
        self._left = 0
        self._lock = threading.Lock()

    def arm(self, spelled: str) -> None:
        """``spelled``: ``what:point:count``, where ``what`` is kill (SIGKILL) or memory (MemoryError)."""
        self._point = ""
        self._spelled = spelled
        self._what, point, count = spelled.split(":")
        self._left = int(count)
        self._point = point

    def passed(self, point: str) -> None:
        if point != self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left:
                return
        self._struck(self._spelled)
        if self._what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise MemoryError("injected")


def install(failpoint: Failpoint, transactional: bool) -> None:
    """Make this process's workers pass ``failpoint``; the forward does that itself."""

    def polled(records: Any, *_: Any) -> None:
        if records:
            failpoint.passed("polled")

    _around(Source, "poll", after=polled)

    def at(point: str, doing: str | None = None) -> Callable[..., None]:
        """Pass ``point`` only in an ``_ask`` that is ``doing`` this, or in a commit that is not empty."""

        def hear(*arguments: Any) -> None:
            if doing in arguments if doing else any(isinstance(argument, dict) and argument for argument in arguments):
                failpoint.passed(point)

        return hear

    _around(AtLeastOnceSink, "send", after=lambda *_: failpoint.passed("sent"))
    _around(ExactlyOnceSink, "_send", after=lambda *_: failpoint.passed("sent"))
    if transactional:
        _around(ExactlyOnceSink, "_ask", before=at("offsets", "committing"), after=at("committed", "committing"))
    else:
        _around(Source, "commit", before=at("offsets"), after=at("committed"))


def _around(
    owner: type, name: str, before: Callable[..., Any] | None = None, after: Callable[..., Any] | None = None
) -> None:
    """Wrap a method: call ``before`` with its arguments, and ``after`` with its result and arguments."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **more: Any) -> Any:
        if before is not None:
            before(*arguments)
        result = original(*arguments, **more)
        if after is not None:
            after(result, *arguments)
        return result

    setattr(owner, name, wrapped)
