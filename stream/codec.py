"""Bytes of a record -> a document. What cannot be decoded becomes a failed document in its place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import orjson

from schemas.config import Input
from schemas.document import Document, Failure
from schemas.errors import DecodeError
from schemas.fields import follow, parse_path
from schemas.record import Record

_BOM = b"\xef\xbb\xbf"
_TYPE_NAMES = {
    dict: "an object",
    list: "an array",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
    str: "a string",
}


def codec(config: Input, keep_fields: bool = False) -> Codec:
    """The codec that ``input.format`` names. ``keep_fields``: documents keep their event's fields, read."""
    return JsonCodec(config, keep_fields) if config.format == "json" else TextCodec(config)


class Codec(ABC):
    """Bounds, and failures in their place, for every format."""

    def __init__(self, config: Input) -> None:
        self._max_bytes = config.max_bytes
        self._max_characters = config.max_characters

    def decode(self, record: Record) -> Document:
        """The document of ``record``; one whose ``failure`` is set where decoding failed."""
        try:
            value = record.value
            if value is None:
                raise DecodeError("the value is null (a tombstone)")
            if len(value) > self._max_bytes:
                raise DecodeError(f"the value has {len(value)} bytes, input.max_bytes is {self._max_bytes}")
            text, event, fields = self._read(value)
            if len(text) > self._max_characters:
                raise DecodeError(
                    f"the text has {len(text)} characters, input.max_characters is {self._max_characters}"
                )
            if not text or text.isspace():
                raise DecodeError("the text is only white space" if text else "the text is empty")
            return Document(record, text, event, fields)
        except DecodeError as error:
            document = Document(record)
            document.failure = Failure.of(error, "decode")
            return document

    @abstractmethod
    def _read(self, value: bytes) -> tuple[str, bytes | None, Any]:
        """(text, the event's own JSON and what it says, where it is JSON). Raises DecodeError."""


class TextCodec(Codec):
    """The whole value is the text, in UTF-8."""

    def _read(self, value: bytes) -> tuple[str, bytes | None, Any]:
        return _utf8(value), None, None


class JsonCodec(Codec):
    """The value is a JSON object (RFC 8259); the text stands at ``input.text``.

    The event keeps the object's own bytes, so integers of any size and repeated keys pass through
    unchanged.
    """

    def __init__(self, config: Input, keep_fields: bool = False) -> None:
        super().__init__(config)
        self._keep = keep_fields
        self._path = config.text
        self._steps = parse_path(config.text)

    def _read(self, value: bytes) -> tuple[str, bytes | None, Any]:
        value = value.removeprefix(_BOM)
        try:
            event = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            _utf8(value)
            # orjson's messages name the grammar's point of failure and never quote the input.
            where = f"line {error.lineno}, column {error.colno}"
            raise DecodeError(f"the value is not JSON: {error.msg} ({where})") from None
        if not isinstance(event, dict):
            raise DecodeError(f"the value is {_TYPE_NAMES[type(event)]}, not a JSON object")
        text = self._find(event)
        # Raw line breaks are only ever white space in JSON; without them an event is one line.
        if b"\n" in value or b"\r" in value:
            value = value.replace(b"\n", b" ").replace(b"\r", b" ")
        return text, value, event if self._keep else None

    def _find(self, event: Any) -> str:
        try:
            found = follow(self._steps, event)
        except LookupError:
            raise DecodeError(f"there is no text at {self._path}") from None
        if not isinstance(found, str):
            raise DecodeError(f"the text at {self._path} is {_TYPE_NAMES[type(found)]}, not a string")
        return found


def _utf8(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"the value is not UTF-8: bad byte at position {error.start}") from None
