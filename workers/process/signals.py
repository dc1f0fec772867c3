"""SIGTERM and SIGINT: the first asks for a graceful end, the second leaves at once. SIGHUP: read the file again."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from types import FrameType

log = logging.getLogger("glossator")


class GracefulStop:
    """Installs the handlers; ``stop`` is what the first signal calls, and may be set later.

    Before there is anything to stop, the first signal ends the process with status 0. The second
    one ends it with 128 + its number, whatever threads are doing; what was in flight is processed
    again after the next start. SIGHUP calls ``reload``, or, before that is set, sets ``missed``.
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
            # No clean-up can be trusted to end now, so none is tried.
            os.write(2, f"{name} again: leaving at once\n".encode())
            os._exit(128 + number)
        self.asked = True
        if self.stop is None:
            raise SystemExit(0)
        log.info("%s: finishing what is in flight; once more to leave at once", name)
        self.stop()

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        if self.reload is None:
            self.missed = True
        else:
            self.reload()
