"""Signal handlers: the first SIGTERM or SIGINT stops gracefully, the second at once; SIGHUP reloads the file."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from types import FrameType

log = logging.getLogger("glossator")


class GracefulStop:
    """Handles SIGTERM, SIGINT and SIGHUP from when it is made. Make it on the main thread, before heavy imports.

    The first SIGTERM or SIGINT calls ``stop``; before that is set, nothing is in flight, and the process ends at once
    with status 0. The second ends the process with 128 + its number, whatever the threads are doing; what was in flight
    is processed again after the next start. SIGHUP calls ``reload``; before that is set, it sets ``missed``.

    No handler raises an exception: it would be raised in whatever the main thread is doing, and libraries swallow
    exceptions while they are imported, or report them as another error.

    Attributes:
        stop: What the first signal calls; may be set later.
        reload: What SIGHUP calls; may be set later.
        asked: Whether the first signal has arrived.
        missed: Whether a SIGHUP has arrived before ``reload`` was set.
    """

    def __init__(self) -> None:
        self.stop: Callable[[], None] | None = None
        self.reload: Callable[[], None] | None = None
        self.asked = False
        self.missed = False
        signal.signal(signal.SIGHUP, self._hang_up)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self.asked:
            # No clean-up can be relied on to end now, so none is tried.
            os.write(2, f"{name} again: exiting immediately\n".encode())
            os._exit(128 + number)
        self.asked = True
        if self.stop is not None:
            log.info("%s: finishing what is in flight; send it again to exit immediately", name)
            self.stop()
            return
        try:  # handlers of log records write at once, so nothing is left to be flushed
            log.info("%s: stopped before the worker had started", name)
        finally:  # also if the signal has interrupted the writing of another line
            os._exit(0)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        if self.reload is None:
            self.missed = True
        else:
            self.reload()
