"""One finished document -> the enriched event's JSON, in the shape of ``schemas/event.py``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

from schemas.document import Document, event_id
from schemas.errors import EncodeError
from schemas.event import SCHEMA
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from schemas.record import Record


class EventBuilder:
    """Builds the events of one pipeline; what is the same in all of them is encoded once."""

    def __init__(self, pipeline: Pipeline, models: Mapping[str, Mapping[str, str]]) -> None:
        """``models``: per task ``model`` and ``revision``, as the chain has loaded them."""
        self.config = config_hash(pipeline)
        self._pipeline = orjson.Fragment(orjson.dumps({"name": pipeline.pipeline, "config": self.config}))
        self._models = orjson.Fragment(orjson.dumps(models))
        self._with_text = pipeline.output.text == "original"

    def build(self, document: Document) -> bytes:
        """The event of a document that has not failed, as one line of UTF-8 JSON.

        The input's own bytes are embedded as they came. Raises EncodeError for a number JSON cannot
        say, or a text UTF-8 cannot.
        """
        annotations: dict[str, Any] | orjson.Fragment = document.annotations
        if not self._with_text:
            annotations = {name: _without_text(annotation) for name, annotation in document.annotations.items()}
        event: dict[str, Any] = {
            "schema": SCHEMA,
            "id": event_id(document, self.config),
            "pipeline": self._pipeline,
            "source": None if document.record is None else _source(document.record),
        }
        if self._with_text:
            if document.event is not None:
                event["event"] = orjson.Fragment(document.event)
            event["text"] = document.text
        try:
            made = orjson.dumps(annotations)
            # orjson writes null for what is not finite; a span's text may read the same, so it is only a sign.
            if b":null" in made or b",null" in made or b"[null" in made:
                _require_finite(document.annotations)
            event["annotations"] = orjson.Fragment(made)
            event["models"] = self._models
            event["notices"] = document.notices
            return orjson.dumps(event)
        except TypeError as error:
            # orjson's message names types and never the value.
            raise EncodeError(f"the enriched event cannot be written as JSON: {error}") from None


def _source(record: Record) -> dict[str, Any]:
    return {
        "topic": record.assignment.topic,
        "partition": record.assignment.partition,
        "offset": record.offset,
        "key": _readable(record.key),
        "timestamp_ms": record.timestamp_ms if record.timestamp_ms >= 0 else None,
    }


def _readable(key: bytes | None) -> str | None:
    try:
        return None if key is None else key.decode()
    except UnicodeDecodeError:
        return None


# What of an annotation may be, or quote, text of the event.
_TEXTS = frozenset({"text", "question", "aspect"})


def _without_text(value: Any) -> Any:
    """An annotation, or a part of one, without the words of the event."""
    if isinstance(value, dict):
        # A label may be called so too, but what stands under it is a score.
        kept = {key: own for key, own in value.items() if key not in _TEXTS or isinstance(own, float)}
        return {key: _without_text(own) for key, own in kept.items()}
    return [_without_text(own) for own in value] if isinstance(value, list) else value


def _require_finite(value: Any) -> None:
    """Raises EncodeError when ``value`` holds, at any depth, a float JSON has no word for."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EncodeError("an annotation holds a number that is not finite")
    elif isinstance(value, dict):
        for item in value.values():
            _require_finite(item)
    elif isinstance(value, list):
        for item in value:
            _require_finite(item)
