"""The hash that names a configuration in every event."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from schemas.event import SCHEMA
from schemas.pipeline.config import Pipeline

_NOT_WHAT: dict[str, Any] = {
    "pipeline": True,
    "kafka": True,
    "delivery": True,
    "batching": True,
    "backpressure": True,
    "compute": True,
    "watchdog": True,
    "stop_after": True,
    "telemetry": True,
    "commit_interval_ms": True,
    "drain_timeout_ms": True,
    "input": {"topics", "start"},
    "output": {"topic", "dead_letter"},
}


def config_hash(pipeline: Pipeline) -> str:
    """The configuration's part of every event's id: 8 hex digits.

    They begin the SHA-256 of the canonical JSON of what decides what an event says: tasks, models,
    how the text is found and what is left of it. A field at its default counts like one not
    written, so neither spelling it out nor a new version with a new field changes any id. Names,
    addresses, secrets, batching and devices are left out: an event worked off again after such a
    change keeps its id, and readers can drop it as a duplicate. What an unpinned model's weights
    were is not known here; the event's ``models`` says it.
    """
    what = pipeline.model_dump(mode="json", exclude=_NOT_WHAT, exclude_defaults=True)
    canonical = json.dumps([SCHEMA, what], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]
