"""Dead letters: the original record with headers that say where and why it failed.

The record is there unchanged, encrypted, or not at all, as ``output.dead_letter`` says.

The headers follow Kafka Connect's ``__connect.errors.*`` (KIP-298) under our own prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from schemas.document import Failure
from schemas.pipeline.config import Pipeline
from schemas.record import Headers, Outbound, Record
from stream.output.redaction.envelope import sealer
from stream.output.redaction.keys import Keys, load_keys

PREFIX = "__glossator.errors."
"""The names of our headers start with it."""
ATTEMPT = "__glossator.replay.attempt"
"""The header that counts how often a record has been sent again. A worker passes it on like any other header, so it
is in the next dead letter as well, and a record that fails each time does not circle for ever."""
OMITTED = f"{PREFIX}original.omitted"
"""The header of a letter without the original: why it is not there."""
ENCRYPTED = f"{PREFIX}original.encrypted"
"""The header of a letter whose value is an envelope with the original: the id of the key that opens it."""


class LetterWriter:
    """Makes the dead letters of a pipeline. Any thread may use it."""

    def __init__(self, pipeline: Pipeline, keys: Keys | None = None) -> None:
        """``keys``: those of the pipeline; default: they are loaded.

        Raises SettingError if dead letters are encrypted and the key, or the library for it, is missing.
        """
        self._topic = pipeline.output.dead_letter_topic
        self._pipeline = pipeline.pipeline
        self._text = pipeline.output.dead_letter_text
        self._key_id = ""
        self._seal: Callable[[Record], bytes] | None = None
        if self._text == "encrypted":
            self._key_id, key = next(iter((keys or load_keys(pipeline)).encrypt.items()))
            self._seal = sealer(self._key_id, key)

    def letter(self, record: Record, failure: Failure, config: str) -> Outbound:
        """Make the dead letter of ``record``; ``config`` is the hash of the configuration that it failed under."""
        letter = dead_letter(record, failure, self._topic, self._pipeline, config)
        if self._text == "original":
            return letter
        original = record.consumed_headers or []
        letter.key, letter.headers = None, [*_attempts(original), *letter.headers[len(original) :]]
        if self._seal is None:
            letter.value, letter.kind = None, "coordinates"
            letter.headers.append((OMITTED, f"as configured; value of {len(record.value or b'')} bytes".encode()))
        else:
            letter.value = self._seal(record)
            letter.headers.append((ENCRYPTED, self._key_id.encode()))
        return letter


def dead_letter(record: Record, failure: Failure, topic: str, pipeline: str, config: str) -> Outbound:
    """Make the dead letter of ``record``: its value, key, headers and timestamp, and headers with the reason.

    ``pipeline`` and ``config`` are the pipeline's name and the hash of its configuration. None of our headers holds
    text of the event.
    """
    headers = [
        *(record.consumed_headers or []),
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


def undated(letter: Outbound) -> Outbound:
    """Make the letter to send when the dead-letter topic rejects the timestamp of ``letter``.

    It gets the time of sending, and the original timestamp in a header, in milliseconds since the epoch.
    """
    headers = [*letter.headers, (f"{PREFIX}timestamp", str(letter.timestamp_ms).encode())]
    return replace(letter, headers=headers, timestamp_ms=-1, alone=False)


def coordinates_only(letter: Outbound) -> Outbound:
    """Make the letter to send when the dead-letter topic rejects ``letter``: our headers alone, with a note.

    They say where the original is, why it failed, and how often it has been sent again. Value, key, other headers and
    timestamp are left out, because any of them may be what was rejected; the input topic still has them.
    """
    kept = [
        header for header in letter.headers if header[0].startswith(PREFIX) and header[0] not in {OMITTED, ENCRYPTED}
    ]
    note = (OMITTED, f"refused by this topic; value of {len(letter.value or b'')} bytes".encode())
    headers = [*_attempts(letter.headers), *kept, note]
    return Outbound(letter.topic, None, None, headers, origin=letter.origin, kind="coordinates")


def _attempts(headers: Headers) -> Headers:
    """Return the last header that counts attempts, if it is a number."""
    counts = [value for name, value in headers if name == ATTEMPT]
    return [(ATTEMPT, counts[-1])] if counts and re.fullmatch(rb"[0-9]{1,18}", _bytes(counts[-1])) else []


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
