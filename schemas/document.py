"""A document: an event in flight. Slotted and plain, because every event passes through here."""

from __future__ import annotations

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
    - ``sequences``: per stage of the chain what the encoder will see; owned by ``workers``.
    - ``tokens``: how many tokens those are, for the micro-batch's budget.
    """

    __slots__ = ("annotations", "event", "failure", "notices", "record", "sequences", "text", "tokens")

    def __init__(self, record: Record | None, text: str = "", event: bytes | None = None) -> None:
        self.record = record
        self.text = text
        self.event = event
        self.annotations: dict[str, Annotation] = {}
        self.notices: list[dict[str, Any]] = []
        self.failure: Failure | None = None
        self.sequences: list[Any] = []
        self.tokens = 0
