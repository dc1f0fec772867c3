"""Ends a process whose poll loop has stopped turning: the watchdog runs in that loop and cannot see it."""

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
_CLOSE = 15.0
"""Seconds that closing may take after the last drain."""


def guard(pipeline: Pipeline, stats: Stats) -> threading.Event:
    """Ends the process with the status of StuckError when a turn takes longer than any should; set the event to stop.

    Calls into librdkafka can hang for as long as the clock was set back: it waits by the time of day.
    """
    ended = threading.Event()
    leave = pipeline.watchdog.leave_after_ms
    if leave is not None:
        # A turn may hold a whole drain, when partitions are taken away.
        patience = (leave + pipeline.drain_timeout_ms) / 1000 + _CLOSE
        threading.Thread(target=_guard, args=(stats, patience, ended), name="pulse", daemon=True).start()
    return ended


def _guard(stats: Stats, patience: float, ended: threading.Event) -> None:
    while not ended.wait(_LOOK):
        if stats.turned and (idle := time.monotonic() - stats.turned) > patience:
            log.critical("the poll loop has not turned for %.0f s", idle)
            os._exit(StuckError.exit_status)
