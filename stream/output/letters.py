"""Reads dead letters back: why an event failed, and the record to send again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from schemas.record import Assignment, Headers, Outbound, Record
from stream.output.deadletter import ATTEMPT, OMITTED, PREFIX
from stream.output.redaction.envelope import MAGIC, unseal
from stream.output.redaction.keys import Key


class Letter:
    """One dead letter.

    Attributes:
        record: The letter as it was read.
        topic: The topic of the original record; None if the record is not a dead letter of ours.
        partition: Its partition; -1 if unknown.
        offset: Its offset; -1 if unknown.
        attempts: How often it has been sent again before.
        omitted: Whether the letter has no original value, because a topic or the pipeline file did not want it.
        sealed: Whether the original is encrypted.
    """

    def __init__(self, record: Record) -> None:
        """Read the headers of ``record``; raises nothing, whatever they are."""
        headers = dict(record.headers or ())
        self.record = record
        self._reasons = {
            name.removeprefix(PREFIX): _text(value) for name, value in headers.items() if name.startswith(PREFIX)
        }
        self.topic = self._reasons.get("topic") or None
        self.partition = _number(self._reasons.get("partition"), -1)
        self.offset = _number(self._reasons.get("offset"), -1)
        self.attempts = _number(_text(headers.get(ATTEMPT)), 0)
        self.omitted = OMITTED in headers
        self.sealed = (record.value or b"").startswith(MAGIC)

    def variables(self) -> dict[str, Any]:
        """Return what a condition sees under ``letter``: why the event failed and where it came from."""
        stamp = self.record.timestamp_ms
        return {
            "topic": self.topic or "", "partition": self.partition, "offset": self.offset,
            "pipeline": self._reasons.get("pipeline.name", ""), "config": self._reasons.get("pipeline.config", ""),
            "stage": self.stage, "task": self.task, "error": self.error, "message": self.message,
            "attempts": self.attempts, "age": max(0.0, time.time() - stamp / 1000) if stamp >= 0 else 0.0,
        }  # fmt: skip

    def variable(self, name: str) -> Any:
        """Return what a condition sees under ``letter``, ``key`` or ``headers``. Bad UTF-8 is replaced."""
        if name == "letter":
            return self.variables()
        if name == "key":
            return None if self.record.key is None else _text(self.record.key)
        return {header: None if value is None else _text(value) for header, value in self.record.headers or ()}

    @property
    def stage(self) -> str:
        """The step that failed, such as ``decode``; empty if unknown."""
        return self._reasons.get("stage", "")

    @property
    def task(self) -> str:
        """The name of the task that failed; empty if no single task did."""
        return self._reasons.get("task.name", "")

    @property
    def error(self) -> str:
        """The class of the exception; empty if unknown."""
        return self._reasons.get("exception.class.name", "")

    @property
    def message(self) -> str:
        """The reason, without text of the event; empty if unknown."""
        return self._reasons.get("exception.message", "")

    def unsealed(self, keys: Mapping[str, Key]) -> Record:
        """Return the original of a letter that is ``sealed``. Raises EnvelopeError if no key of ``keys`` opens it."""
        original = unseal(self.record.value or b"", keys)
        assignment = Assignment(original.topic, original.partition)
        return Record(
            assignment, original.offset, original.key, original.value, original.headers, self.record.timestamp_ms
        )

    def again(self, topic: str, original: Record) -> Outbound:
        """Make the record to send to ``topic``: ``original`` without our headers about its failure.

        A header counts this attempt.
        """
        headers: Headers = [
            (name, value) for name, value in original.headers or () if not name.startswith(PREFIX) and name != ATTEMPT
        ]
        headers.append((ATTEMPT, str(self.attempts + 1).encode()))
        return Outbound(topic, original.key, original.value, headers, original.timestamp_ms, self.record)


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def _number(value: str | None, otherwise: int) -> int:
    """Return ``value`` as a whole number of up to 18 digits; ``otherwise`` if it is none."""
    return int(value) if value and value.isascii() and value.isdecimal() and len(value) <= 18 else otherwise
