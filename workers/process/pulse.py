"""Ends a process whose poll loop has stopped turning, which the watchdog cannot see because it runs in that loop."""

from __future__ import annotations

import logging
import os
import threading
import time

from schemas.errors import StuckError
from schemas.pipeline.config import Pipeline
from stream.telemetry.stats import Stats

log = logging.getLogger("glossator.watchdog")

_LOOK = 1.0
"""Seconds between two looks at the poll loop."""
_AFTER_DRAIN = 15.0
"""Seconds that committing and closing may take after a drain."""


def guard(pipeline: Pipeline, stats: Stats) -> threading.Event:
    """Start a thread that ends the process with StuckError's status when the poll loop has not turned for too long.

    Calls into librdkafka can hang for as long as the system clock was set back, because it waits by the time of day.
    Set the event that is returned to stop the thread. Without ``watchdog.leave_after_ms`` none is started.
    """
    ended = threading.Event()
    leave = pipeline.watchdog.leave_after_ms
    if leave is not None:
        # One turn may include a whole drain, when partitions are revoked.
        patience = (leave + pipeline.drain_timeout_ms) / 1000 + _AFTER_DRAIN
        threading.Thread(target=_guard, args=(stats, patience, ended), name="pulse", daemon=True).start()
    return ended


def _guard(stats: Stats, patience: float, ended: threading.Event) -> None:
    while not ended.wait(_LOOK):
        if stats.turned and (idle := time.monotonic() - stats.turned) > patience:
            log.critical("the poll loop has not turned for %.0f s", idle)
            os._exit(StuckError.exit_status)
