"""Waits while the Schema Registry is away: events stay where they are, and readiness tells why."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from schemas.errors import RegistryError
from schemas.record import Record
from stream.telemetry.stats import Stats

log = logging.getLogger("glossator.registry")

_FIRST, _MOST = 0.1, 5.0
"""Seconds until the registry is asked again, at first and at most."""
_LOOK = 0.1
"""Seconds between two looks at which events are still ours."""

Fetch = Callable[[Sequence[Record]], None]
"""Asks for the schemas that records need. Raises RegistryError while the registry is away."""


def await_schemas(
    fetch: Callable[[], Fetch], records: list[Record], stats: Stats, still_ours: Callable[[list[Record]], list[Record]]
) -> list[Record]:
    """Wait until the registry has told what decoding ``records`` needs; return those that are still ours.

    Nothing is decoded meanwhile, so backpressure pauses polling. ``stats.away`` tells ``/readyz`` about it.

    Args:
        fetch: returns what asks for schemas; called again before each attempt, because a reload may replace it.
        records: what is to be decoded.
        stats: those of the worker.
        still_ours: returns the records that need not be given up; called several times a second. It raises what ends
            the calling thread when the worker ends.

    Raises:
        AccessError: the registry rejects our credentials.
    """
    pause = _FIRST
    while records:
        try:
            fetch()(records)
            break
        except RegistryError as error:
            if "registry" not in stats.away:
                log.warning("%s: events wait until it can be asked again", error)
            stats.away["registry"] = str(error)
        until, pause = time.monotonic() + pause, min(2 * pause, _MOST)
        while records and time.monotonic() < until:
            time.sleep(_LOOK)
            records = still_ours(records)
    if stats.away.pop("registry", None) is not None:
        log.info("events no longer wait for the Schema Registry")
    return records
