"""The hash that identifies a configuration in every event."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from schemas.event import SCHEMA
from schemas.pipeline.config import Pipeline

# These fields say where, when or how fast events are processed, not what they say: ids do not depend on them.
_LEFT_OUT: dict[str, Any] = {
    "pipeline": True,
    "kafka": True,
    "registry": True,
    "delivery": True,
    "batching": True,
    "backpressure": True,
    "compute": True,
    "watchdog": True,
    "stop_after": True,
    "telemetry": True,
    "commit_interval_ms": True,
    "drain_timeout_ms": True,
    "input": {"topics", "start", "tombstones"},
    "output": {
        "topic": True,
        "dead_letter": True,
        "disagreements": True,
        "format": True,
        "routes": {"__all__": {"when", "topic", "name", "copies", "drop", "key", "headers", "format"}},
    },
    "redact": {"keys"},
}


def config_hash(pipeline: Pipeline, keys: str = "") -> str:
    """Return the configuration's part of every event's id: 8 hex digits.

    ``keys`` is the fingerprint of the keys that redacted values depend on; empty if there are none.

    They are the first digits of the SHA-256 of the canonical JSON of everything that decides what an event says:
    tasks, models, how the text is found, and how much of it is kept. A field at its default counts like an absent
    field, so neither writing a default nor a new version with a new field changes any id.

    Names, addresses, secrets, batching and devices are left out: an event that is processed again after they change
    keeps its id, and consumers can drop it as a duplicate. The weights behind an unpinned model are not known here;
    the event's ``models`` records them.
    """
    content = pipeline.model_dump(mode="json", exclude=_LEFT_OUT, exclude_defaults=True)
    # A shadow changes nothing that an event says.
    content["tasks"] = [task for task in content["tasks"] if "shadow" not in task]
    # Routes that show all that ``output`` shows change nothing, so they count like absent ones.
    views = [view for view in content["output"].pop("routes", ()) if view]
    if views:
        content["output"]["routes"] = views
    parts = [SCHEMA, content, keys] if keys else [SCHEMA, content]
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]
