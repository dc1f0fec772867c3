"""The models of ``tests``: what ``glossator test`` gives to a pipeline, and what it expects in return.

``case_files.py`` reads them, ``case_checks.py`` has the rules between cases and their pipeline, and ``expectations.py``
compares. A worker accepts the section and never reads it.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, create_model

from schemas.answers import ANSWERS
from schemas.event import EnrichedEvent
from schemas.pipeline.fields import Strict, Text, TopicName, refuse


def _is_json(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise refuse("contains a number that JSON does not have; to send such text, use record.value") from None
    return value


def _is_value(value: Any) -> Any:
    if value is not None and not isinstance(value, str | dict):
        raise refuse("must be text, a mapping (a JSON object), or null (a tombstone); put other values in quotes")
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_is_json)]


class CaseRecord(Strict):
    """A record of the input topic."""

    value: Annotated[Any, BeforeValidator(_is_value), AfterValidator(_is_json)]
    """The value: text, which is sent as it is in UTF-8; a mapping, which is sent as JSON; null for a tombstone."""
    key: str | None = None
    """The key; default: none."""
    headers: dict[str, str | None] = Field(default_factory=dict)
    """Names and values of the headers."""
    timestamp_ms: Annotated[int, Field(ge=0)] | None = None
    """Milliseconds since the epoch; default: none."""
    topic: TopicName | None = None
    """The topic it is read from, one of ``input.topics``; default: the first."""


class ExpectedLetter(Strict):
    """A dead letter; only the fields that are named are compared."""

    stage: Text | None = None
    """The step that fails, such as ``decode``."""
    reason: Text | None = None
    """A part of the reason."""
    task: Text | None = None
    """The name of the task or the route that fails."""


class Expected(Strict):
    """What becomes of the record of a case; only what is named is compared."""

    annotations: dict[str, Any] = Field(default_factory=dict)
    """Task name -> its annotation, as the tasks make it: nothing is left out or redacted yet."""
    absent: list[str] = Field(default_factory=list)
    """Tasks without an annotation, because their ``when`` is false."""
    notices: Any = None
    """The notices of the event."""
    routes: list[Text] | None = None
    """The names of all routes that take the event, in any order; none: it goes to ``output.topic``."""
    outputs: dict[str, Any] = Field(default_factory=dict)
    """Topic -> the record that is published there, as in ``Published``; null if none is."""
    nowhere: Annotated[list[Text], Field(min_length=1)] | None = None
    """Texts that no published record contains, dead letters included: neither in its value nor in key or headers."""
    dead_letter: ExpectedLetter | None = None
    """The event becomes a dead letter. Without this, a case whose event becomes one fails."""
    tombstone: Literal["forwarded", "skipped"] | None = None
    """What becomes of a record whose value is null, if not a dead letter."""


class Case(Strict):
    """One case: exactly one of a text, an event and a record, and what is expected of it."""

    name: Text
    """What the case shows; each case of a pipeline needs its own name."""
    text: str | None = None
    """A text, which is put at ``input.text`` of an otherwise empty event."""
    event: JsonObject | None = None
    """The JSON object that is the value of the record."""
    record: CaseRecord | None = None
    """The whole record."""
    expect: Expected
    """What is expected."""


class Published(EnrichedEvent):
    """What is published for an event: the fields of the enriched event, and the record's key and headers."""

    key: str | None = None
    headers: dict[str, str | None] = Field(default_factory=dict)


class _PublishedRecord(BaseModel):
    key: str | None = None
    headers: dict[str, str | None] = Field(default_factory=dict)


PUBLISHED_ANSWERS: dict[str, type[BaseModel]] = {
    name: create_model(f"Published{answer.__name__}", __base__=(_PublishedRecord, answer))
    for name, answer in ANSWERS.items()
}
"""The name of a shape -> what is published in it: the fields of the answer, and the record's key and headers."""


class Cases(Strict):
    """A file of cases, or the section of a pipeline file."""

    tests: Annotated[list[Case], Field(min_length=1)]
    """The cases, in the order in which their records are read."""
