"""The codec for values that are JSON objects."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any

import orjson

from schemas.errors import DecodeError
from schemas.pipeline.config import Input
from schemas.pipeline.fields import follow, parse_path
from stream.codecs.base import Codec, utf8

MAX_DEPTH = 500
"""Levels of nested objects and arrays in an event.

The enriched event has one more. Python's json module reads somewhat fewer than 1,000, less what is on the stack of its
caller; orjson reads 1,024.
"""

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LEVELS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_TYPE_NAMES = {
    dict: "an object",
    list: "an array",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
    str: "a string",
}


class JsonCodec(Codec):
    """Decodes values that are JSON objects (RFC 8259) and takes the text at ``input.text``.

    The event keeps the object's own bytes, so integers of any size and repeated keys pass through unchanged.
    """

    def __init__(self, config: Input, keep_fields: bool = False) -> None:
        """``config``: the pipeline file's ``input``; ``keep_fields``: documents also keep the parsed object."""
        super().__init__(config)
        self._keep = keep_fields
        self._path = config.text
        self._steps = parse_path(config.text)

    def _read(self, value: bytes) -> tuple[str, bytes | None, Any]:
        value = value.removeprefix(_BOM)
        try:
            event = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            utf8(value)
            # orjson's messages say which rule of the grammar failed and never quote the input.
            where = f"line {error.lineno}, column {error.colno}"
            raise DecodeError(f"the value is not JSON: {error.msg} ({where})") from None
        if not isinstance(event, dict):
            raise DecodeError(f"the value is {_TYPE_NAMES[type(event)]}, not a JSON object")
        # Only a value with as many brackets can be that deep.
        if len(value) > 2 * MAX_DEPTH and value.count(b"[") + value.count(b"{") > MAX_DEPTH:
            _require_shallow(value)
        text = self._find(event)
        # In JSON an unescaped line break can only be white space. Without them an event is one line.
        if b"\n" in value or b"\r" in value:
            value = value.replace(b"\n", b" ").replace(b"\r", b" ")
        return text, value, event if self._keep else None

    def _find(self, event: Any) -> str:
        try:
            text = follow(self._steps, event)
        except LookupError:
            raise DecodeError(f"there is no text at {self._path}") from None
        if not isinstance(text, str):
            raise DecodeError(f"the text at {self._path} is {_TYPE_NAMES[type(text)]}, not a string")
        return text


def _require_shallow(value: bytes) -> None:
    """Raise DecodeError if ``value``, which is valid JSON, is nested more than ``MAX_DEPTH`` levels deep."""
    brackets = _STRING.sub(b"", value).translate(None, _NO_BRACKETS)
    if max(accumulate(map(_LEVELS.__getitem__, brackets))) > MAX_DEPTH:
        raise DecodeError(f"the value is nested more than {MAX_DEPTH} levels deep")
