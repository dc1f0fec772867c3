"""Mistakes that would let a redacted value leave, each through one way out. The test of leaks must notice all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from schemas.document import Failure
from schemas.errors import RedactError
from schemas.pipeline.outputs import DeadLetter
from stream.output import annotations as rewriting
from stream.output import event_builder, publisher
from stream.output.redaction import elsewhere, event_json, json_edits, redacted, redactor
from stream.output.redaction.event_json import EventRedactor
from stream.output.redaction.json_edits import JsonEdits
from stream.output.redaction.record import RecordRedactor

DEAD_LETTERS = DeadLetter(topic="dead", text="none")

Patch = pytest.MonkeyPatch


def _original(method: str) -> Callable[[Patch], None]:
    """The annotation of one kind of task is published as it was."""

    def install(patch: Patch) -> None:
        patch.setitem(rewriting._REWRITES, method, lambda annotation, *_: annotation)

    return install


def _questions(patch: Patch) -> None:
    """Questions are published as they were."""
    original = rewriting._answers

    def answers(annotation: Any, ranges: Any, _: Any) -> Any:
        return original(annotation, ranges, str)

    patch.setitem(rewriting._REWRITES, "question-answering", answers)


def _text(patch: Patch) -> None:
    """A value is redacted in the text only where it was found."""
    patch.setattr(redacted, "only_at_pieces", lambda *_: True)


def _fields(patch: Patch) -> None:
    """Other strings of the event are not searched."""
    patch.setattr(event_json, "absent", lambda *_: True)
    patch.setattr(elsewhere.Values, "within", lambda *_: False)
    patch.setattr(elsewhere.Values, "find", lambda *_: [])


def _names(patch: Patch) -> None:
    """Names of members are not searched."""
    patch.setattr(elsewhere.Values, "find_name", lambda *_: [])


def _escapes(patch: Patch) -> None:
    """Strings are searched as they are written in ASCII, with escapes."""
    original = JsonEdits.__init__

    def init(self: Any, document: str, texts: Any, replace: Any, find: Any, find_name: Any) -> None:
        def search(text: str) -> Any:
            return find(text) if json.dumps(text)[1:-1] == text else []

        original(self, document, texts, replace, find and search, find_name)

    patch.setattr(JsonEdits, "__init__", init)


def _numbers(patch: Patch) -> None:
    """Numbers are not searched."""
    patch.setattr(json_edits, "_NUMERIC", frozenset())


def _hidden(patch: Patch) -> None:
    """What a repeated name hides is published."""
    original = JsonEdits.scan

    def scan(self: JsonEdits, root: Any) -> None:
        original(self, root)
        self.edits = [edit for edit in self.edits if edit[2] != json_edits.UNREAD]

    patch.setattr(JsonEdits, "scan", scan)


def _quick(patch: Patch) -> None:
    """The text's literal is replaced without looking whether it is alone."""

    def quickly(self: Any, document: Any, edits: Any, text: str, values: Any, record: Any) -> bytes | None:
        del self, edits, values, record
        written = orjson.dumps(document.text)
        return document.event.replace(written, orjson.dumps(text)) if written in document.event else None

    patch.setattr(EventRedactor, "quickly", quickly)


def _key(patch: Patch) -> None:
    """The record's key is not searched."""
    patch.setattr(RecordRedactor, "key", lambda self, key, *_: key)


def _source_key(patch: Patch) -> None:
    """The key within the event is the original one."""
    original = event_builder._source
    patch.setattr(event_builder, "_source", lambda record, _: original(record, record.key))


def _headers(patch: Patch) -> None:
    """Headers are not searched."""
    patch.setattr(RecordRedactor, "headers", lambda self, headers, *_: headers)


def _notices(patch: Patch) -> None:
    """Notices quote the paths of the original event."""
    patch.setattr(redacted, "rewritten_notices", lambda notices, *_: list(notices))


def _dead_letters(patch: Patch) -> None:
    """Dead letters keep the original, whatever the pipeline file says."""
    original = publisher.Publisher.__init__

    def init(self: Any, pipeline: Any, *arguments: Any) -> None:
        output = pipeline.output.model_copy(update={"dead_letter": DeadLetter(topic="dead", text="original")})
        original(self, pipeline.model_copy(update={"output": output}), *arguments)

    patch.setattr(publisher.Publisher, "__init__", init)


def _messages(patch: Patch) -> None:
    """The message of any exception becomes the reason of the dead letter."""
    patch.setattr(
        Failure, "of",
        classmethod(lambda cls, error, stage, task=None: cls(stage, type(error).__name__, str(error), task)),
    )  # fmt: skip


def _redact_messages(patch: Patch) -> None:
    """The error of a failed redaction has the message of its cause."""
    patch.setattr(redactor, "_failed", lambda error: RedactError(str(error)))


def _metrics(patch: Patch) -> None:
    """Values are counted under their text."""
    original = redacted.Redacted.__init__

    def init(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        self.applied = {(self._document.text, operator): count for (_, operator), count in self.applied.items()}

    patch.setattr(redacted.Redacted, "__init__", init)


MUTANTS: dict[str, Callable[[Patch], None]] = {
    "span": _original("pii"),
    "mention": _original("coreference"),
    "aspect": _original("aspect-sentiment"),
    "answer": _original("question-answering"),
    "custom": _original("custom"),
    "question": _questions,
    "text": _text,
    "fields": _fields,
    "names": _names,
    "escapes": _escapes,
    "numbers": _numbers,
    "repeated-key": _hidden,
    "quick": _quick,
    "key": _key,
    "source-key": _source_key,
    "headers": _headers,
    "notices": _notices,
    "dead-letters": _dead_letters,
    "messages": _messages,
    "redact-messages": _redact_messages,
    "metrics": _metrics,
}
"""For each name, the function that installs the mistake until the test ends."""

WAYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(MUTANTS, ("event: value", "event: parsed")),
    "key": ("event: key",),
    "headers": ("event: header",),
    "dead-letters": ("dead_letter: value",),
    "messages": ("coordinates: header __glossator.errors.exception.message",),
    "redact-messages": ("coordinates: header __glossator.errors.exception.message",),
    "metrics": ("metrics",),
}
"""Where the value leaves."""
