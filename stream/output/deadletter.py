"""Dead letters: the original record, unchanged, with headers that say where and why it failed.

The headers follow Kafka Connect's ``__connect.errors.*`` (KIP-298) under our own prefix.
"""

from __future__ import annotations

from schemas.document import Failure
from schemas.record import Outbound, Record

PREFIX = "__glossator.errors."
"""The names of our headers start with it."""


def dead_letter(record: Record, failure: Failure, topic: str, pipeline: str, config: str) -> Outbound:
    """Make the dead letter of ``record``: its value, key, headers and timestamp, and headers with the reason.

    ``pipeline`` and ``config`` are the pipeline's name and the hash of its configuration. None of our headers holds
    text of the event.
    """
    headers = [
        *(record.headers or []),
        (f"{PREFIX}topic", record.assignment.topic.encode()),
        (f"{PREFIX}partition", str(record.assignment.partition).encode()),
        (f"{PREFIX}offset", str(record.offset).encode()),
        (f"{PREFIX}pipeline.name", pipeline.encode()),
        (f"{PREFIX}pipeline.config", config.encode()),
        (f"{PREFIX}stage", failure.stage.encode()),
        (f"{PREFIX}task.name", (failure.task or "").encode()),
        (f"{PREFIX}exception.class.name", failure.error.encode()),
        (f"{PREFIX}exception.message", failure.message.encode()),
    ]
    return Outbound(topic, record.key, record.value, headers, record.timestamp_ms, record, "dead_letter")


def coordinates_only(letter: Outbound) -> Outbound:
    """Make the letter to send when the dead-letter topic rejects ``letter``: our headers alone, with a note.

    They say where the original is and why it failed. Value, key, other headers and timestamp are left out, because any
    of them may be what was rejected; the input topic still has them.
    """
    headers = [header for header in letter.headers if header[0].startswith(PREFIX)]
    note = (f"{PREFIX}original.omitted", f"refused by this topic; value of {len(letter.value or b'')} bytes".encode())
    return Outbound(letter.topic, None, None, [*headers, note], origin=letter.origin, kind="coordinates")
