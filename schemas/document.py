"""Document: an event in flight. The classes are plain and slotted, because every event creates some."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from schemas.errors import EventError
from schemas.paths import Steps
from schemas.record import Record
from schemas.replaced import Replaced

Annotation = dict[str, Any]


class Failure:
    """Why a document cannot be enriched; becomes the headers of its dead letter. Never contains text of the event.

    - ``stage``: the step that failed, such as ``decode`` or ``forward``.
    - ``error``: the class name of the exception.
    - ``message``: the reason, for people.
    - ``task``: the task that failed, for stage ``route`` the route; None if no single one did.
    """

    __slots__ = ("error", "message", "stage", "task")

    def __init__(self, stage: str, error: str, message: str, task: str | None = None) -> None:
        self.stage = stage
        self.error = error
        self.message = message
        self.task = task

    def named(self, task: str) -> Failure:
        """Return this failure as that of ``task``."""
        return Failure(self.stage, self.error, self.message, task)

    @classmethod
    def of(cls, error: BaseException, stage: str, task: str | None = None) -> Failure:
        """Make a failure from ``error``, which was raised in ``stage``.

        Only the messages of our own exceptions are known to be free of event text, so of any other exception only the
        class name is kept.
        """
        name = type(error).__qualname__
        if isinstance(error, EventError):
            return cls(error.stage, name, str(error), task)
        return cls(stage, name, f"{name} at stage {stage}; its message is withheld because it may quote the text", task)


class Part(NamedTuple):
    """One of several texts of an event, as a part of the document's text.

    Attributes:
        path: Where the text is in the event, as JSONPath. It may be cut, so only ``steps`` name the place for sure.
        start: Number of code points of ``Document.text`` before the part.
        end: Number of code points up to the end of the part.
        steps: The exact place in the event.
    """

    path: str
    start: int
    end: int
    steps: Steps

    def as_field(self) -> dict[str, Any]:
        """Return the part in the shape of the public event."""
        return {"path": self.path, "start": self.start, "end": self.end}


class Shadowed(NamedTuple):
    """What a shadow, a task whose annotation is not published, has made of a document.

    Attributes:
        annotation: Its annotation; None if it failed or leaves it out.
        notices: Its notices.
        failure: Why it failed; None if it did not.
    """

    annotation: Annotation | None
    notices: list[dict[str, Any]]
    failure: Failure | None = None


class Document:
    """One event on its way through the threads. It keeps its place in the order even after it has failed.

    One thread at a time works on a document; the queues between the threads hand it over.

    - ``record``: the source record; None for a text that did not come from Kafka.
    - ``text``: the text that the tasks read; empty if decoding failed.
    - ``parts``: what ``text`` was joined from, in its order, if ``input.text`` may name several texts; otherwise None.
    - ``event``: the record's value as UTF-8 JSON bytes; None if the input is not JSON.
    - ``fields``: ``event`` parsed; None unless a task or a condition needs it.
    - ``replaced``: the values in ``event`` and ``fields`` that the codec has replaced; None if there are none.
    - ``annotations``: task name -> annotation, in the shape of the public event.
    - ``notices``: what a consumer should know, such as a truncation, in the shape of the public event.
    - ``shadows``: name of a shadow -> what it has made; None before the first one. A shadow that did not run is absent.
    - ``deletes``: the event says that what has the record's key was deleted, as a tombstone does. It has failed, too.
    - ``failure``: why the document failed; None while it has not.
    - ``sequences``: stage number -> what the encoder will read; owned by ``workers``.
    - ``known``: task name -> (annotation, notices) from the cache; the annotation is None if it is left out.
    - ``tokens``: the number of tokens in ``sequences``, for the budget of the micro-batch.
    - ``number``: the position, from 1, of a text without a record, to give equal texts different ids; otherwise None.
    - ``alone``: the document may have killed the process before, so it must be the only one in its micro-batch.
    """

    __slots__ = (
        "alone", "annotations", "deletes", "event", "failure", "fields", "known", "notices", "number", "parts",
        "record", "replaced", "sequences", "shadows", "text", "tokens",
    )  # fmt: skip

    def __init__(self, record: Record | None, text: str = "", event: bytes | None = None, fields: Any = None) -> None:
        self.record = record
        self.text = text
        self.parts: tuple[Part, ...] | None = None
        self.event = event
        self.fields = fields
        self.replaced: Replaced | None = None
        self.annotations: dict[str, Annotation] = {}
        self.notices: list[dict[str, Any]] = []
        self.shadows: dict[str, Shadowed] | None = None
        self.deletes = False
        self.failure: Failure | None = None
        self.sequences: dict[int, Any] = {}
        self.known: dict[str, tuple[Annotation | None, list[dict[str, Any]]]] = {}
        self.tokens = 0
        self.number: int | None = None
        self.alone = False


def event_id(document: Document, config: str, text: str | None = None) -> str:
    """Return the id of the enriched event, which is equal for equal work.

    It consists of the position of the source record and ``config``, the hash of the configuration. A document without
    a record has the SHA-256 of its text and its number instead of a position. ``text`` replaces that text if something
    else is published.
    """
    record = document.record
    if record is None:
        text = document.text if text is None else text
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        number = "" if document.number is None else f"-{document.number}"
        return f"text-{digest[:16]}{number}-{config}"
    return f"{record.assignment.topic}-{record.assignment.partition}-{record.offset}-{config}"
