"""A document: an event in flight. Slotted and plain, because every event passes through here."""

from __future__ import annotations

import hashlib
from typing import Any

from schemas.errors import EventError
from schemas.record import Record

Annotation = dict[str, Any]


class Failure:
    """Why a document cannot be enriched: what its dead letter will say. Never holds text."""

    __slots__ = ("error", "message", "stage", "task")

    def __init__(self, stage: str, error: str, message: str, task: str | None = None) -> None:
        self.stage = stage
        self.error = error
        self.message = message
        self.task = task

    @classmethod
    def of(cls, error: BaseException, stage: str, task: str | None = None) -> Failure:
        """The failure that stands for ``error``.

        Only our own messages are known to hold no text of the event, so of anybody else's
        exception the class name alone is kept.
        """
        name = type(error).__qualname__
        if isinstance(error, EventError):
            return cls(error.stage, name, str(error), task)
        return cls(stage, name, f"{name} at stage {stage}; its message is withheld, it may quote the text", task)


class Document:
    """One event on its way through the threads, in its place in line even when it has failed.

    - ``text``: what is read by the tasks; empty when decoding failed.
    - ``event``: the input as it came, as UTF-8 JSON bytes; None where the input was not JSON.
    - ``annotations``: task name -> annotation, in the shape of the public event.
    - ``notices``: what a reader should know (a truncation asked for), in the shape of the event.
    - ``fields``: the same, read; kept only where a task or a condition needs it.
    - ``sequences``: per stage of the chain what the encoder will see; owned by ``workers``.
    - ``tokens``: how many tokens those are, for the micro-batch's budget.
    - ``alone``: it may have killed the process, so nothing else may be in its micro-batch.
    - ``number``: which of the texts it is, from 1, where texts come from nowhere and need ids of their own.
    - ``known``: task name -> (annotation, notices) of an equal text before.
    """

    __slots__ = (
        "alone", "annotations", "event", "failure", "fields", "known", "notices", "number", "record", "sequences",
        "text", "tokens",
    )  # fmt: skip

    def __init__(self, record: Record | None, text: str = "", event: bytes | None = None, fields: Any = None) -> None:
        self.record = record
        self.text = text
        self.event = event
        self.fields = fields
        self.annotations: dict[str, Annotation] = {}
        self.notices: list[dict[str, Any]] = []
        self.failure: Failure | None = None
        self.sequences: dict[int, Any] = {}
        self.known: dict[str, tuple[Annotation, list[dict[str, Any]]]] = {}
        self.tokens = 0
        self.number: int | None = None
        self.alone = False


def event_id(document: Document, config: str) -> str:
    """Equal for equal work: by the record's place or, of a text that came from nowhere, by its SHA-256 and its number.

    ``config``: the configuration's hash.
    """
    record = document.record
    if record is None:
        digest = hashlib.sha256(document.text.encode(errors="surrogatepass")).hexdigest()
        number = "" if document.number is None else f"-{document.number}"
        return f"text-{digest[:16]}{number}-{config}"
    return f"{record.assignment.topic}-{record.assignment.partition}-{record.offset}-{config}"
