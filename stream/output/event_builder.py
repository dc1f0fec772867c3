"""Builds the JSON of enriched events, in the shape that ``schemas/event.py`` defines."""

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
    """Builds the events of one configuration; the parts that all of them share are encoded once.

    Any thread may use it. ``config`` is the hash of the configuration.
    """

    def __init__(self, pipeline: Pipeline, models: Mapping[str, Mapping[str, str]]) -> None:
        """``models``: the ``model`` and ``revision`` of each task, as the chain has loaded them."""
        self.config = config_hash(pipeline)
        self._pipeline = orjson.Fragment(orjson.dumps({"name": pipeline.pipeline, "config": self.config}))
        self._models = orjson.Fragment(orjson.dumps(models))
        self._with_text = pipeline.output.text == "original"

    def build(self, document: Document) -> bytes:
        """Return the event of a document that has not failed, as one line of UTF-8 JSON.

        The document's own bytes are embedded unchanged, with a notice if the codec has replaced values in them. Raises
        EncodeError for a number that JSON cannot represent, or a text that UTF-8 cannot.
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
            encoded = orjson.dumps(annotations)
            # orjson writes null for a number that is not finite. The text of a span may contain the same characters,
            # so they only tell when to look.
            if b":null" in encoded or b",null" in encoded or b"[null" in encoded:
                _require_finite(document.annotations)
            event["annotations"] = orjson.Fragment(encoded)
            event["models"] = self._models
            notices = document.notices
            if document.replaced is not None and self._with_text:
                notices = [document.replaced.notice(), *notices]
            event["notices"] = notices
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


_TEXTS = frozenset({"text", "question", "aspect"})
"""Keys of an annotation under which text of the event may be."""


def _without_text(value: Any) -> Any:
    """Copy an annotation, or a part of one, without text of the event."""
    if isinstance(value, dict):
        # A label may have such a name too, but then its value is a score.
        kept = {key: item for key, item in value.items() if key not in _TEXTS or isinstance(item, float)}
        return {key: _without_text(item) for key, item in kept.items()}
    return [_without_text(item) for item in value] if isinstance(value, list) else value


def _require_finite(value: Any) -> None:
    """Raise EncodeError if ``value`` contains, at any depth, a float that JSON cannot represent."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EncodeError("an annotation holds a number that is not finite")
    elif isinstance(value, dict):
        for item in value.values():
            _require_finite(item)
    elif isinstance(value, list):
        for item in value:
            _require_finite(item)
