"""The codec for values that are JSON objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import orjson

from schemas.errors import DecodeError
from schemas.paths import follow, parse_path
from schemas.pipeline.config import Input
from schemas.pipeline.registry import FORMATS
from schemas.record import Headers
from schemas.replaced import Replaced
from stream.codecs.base import Codec, Content, utf8
from stream.codecs.repair import repair
from stream.codecs.texts import TYPE_NAMES, TextCollector, require_text
from stream.registry.framing import is_framed

MAX_DEPTH = 500
"""Levels of nested objects and arrays in an event.

The enriched event has one more. Python's json module reads somewhat fewer than 1,000, less what is on the stack of its
caller; orjson reads 1,024.
"""

BOM = b"\xef\xbb\xbf"
# Numbers, because bytes are first tried as one, which takes longer than looking for them.
_LINE_FEED, _RETURN = b"\n\r"
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ENVELOPES = {
    "cloudevents": {"specversion", "id", "source", "type"},
    "connect": {"schema", "payload"},
    "debezium": {"before", "op", "source"},
}
"""Values of ``input.format`` -> the members by which an event that needs it is recognised."""
_LEVELS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class JsonCodec(Codec):
    """Decodes values that are JSON objects (RFC 8259) and takes the text or texts at ``input.text``.

    The event keeps the object's own bytes, so long numbers and repeated keys pass through unchanged. Only what common
    readers refuse, and ``repair`` names, is replaced.
    """

    _what = "the value"
    """What messages call the JSON."""

    def __init__(self, config: Input, keep_fields: bool = False) -> None:
        """``config``: the pipeline file's ``input``; ``keep_fields``: documents also keep the parsed object."""
        super().__init__(config)
        self._keep = keep_fields
        self._collector = TextCollector(config.paths) if config.several else None
        self._path = config.paths[0]
        self._format, self._encoding = config.format, config.encoding
        self._steps = [] if self._collector else parse_path(self._path)
        self._only_step = self._steps[0] if len(self._steps) == 1 else None

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        value = value.removeprefix(BOM)
        replaced: Replaced | None = None
        try:
            event = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            value, event, replaced = _repaired(value, error)
        if not isinstance(event, dict):
            raise DecodeError(f"{self._what} is {TYPE_NAMES[type(event)]}, not a JSON object")
        # Only a value with as many brackets can be that deep.
        if len(value) > 2 * MAX_DEPTH and value.count(b"[") + value.count(b"{") > MAX_DEPTH:
            _require_shallow(value)
        # In JSON an unescaped line break can only be white space. Without them an event is one line.
        if _LINE_FEED in value or _RETURN in value:
            value = value.replace(b"\n", b" ").replace(b"\r", b" ")
        return self._content(value, event, replaced)

    def _content(self, value: bytes, event: dict[str, Any], replaced: Replaced | None) -> Content:
        """Return what a codec reads from ``value``, one line of JSON, which is ``event``. Raises DecodeError."""
        texts = None
        if self._collector is None:
            text = self._find(event, replaced)
        else:
            texts = self._collector.collect(event, replaced)
            text = texts.text
        fields = event if self._keep else None
        if texts is None:
            return Content(text, value, fields, replaced)
        return Content(text, value, fields, replaced, texts.parts, texts.missing)

    def _converted(
        self, event: bytes, fields: Any, replaced: Replaced | None, *, changed: bool = False, unknown: int = 0
    ) -> Content:
        """Return what a codec reads from a value of another format, which was converted to JSON. Raises DecodeError.

        Args:
            event: the JSON.
            fields: what was decoded.
            replaced: the values that JSON cannot represent; None if all can.
            changed: ``event`` has other values than ``fields`` for other reasons, too.
            unknown: bytes of fields that the schema lacks.
        """
        self._require_small(event)
        if changed or replaced is not None:
            fields = orjson.loads(event)
        if not isinstance(fields, dict):
            raise DecodeError(f"the value becomes {TYPE_NAMES[type(fields)]}, not a JSON object")
        content = self._content(event, fields, replaced)
        return content._replace(unknown=unknown) if unknown else content

    def _require_small(self, event: bytes) -> None:
        """Raise DecodeError if ``event``, JSON that the value was converted to, is larger than values may be."""
        if len(event) > self._max_bytes:
            raise DecodeError(f"as JSON the value has {len(event)} bytes, input.max_bytes is {self._max_bytes}")

    def _find(self, event: Any, replaced: Replaced | None) -> str:
        if replaced is None and type(event) is dict and isinstance(text := event.get(self._only_step), str):
            return text  # the usual path has one step
        try:
            text = follow(self._steps, event)
        except LookupError:
            raise DecodeError(f"there is no text at {self._path}{hint(event, self._format)}") from None
        if replaced is None and isinstance(text, str):
            return text
        return require_text(text, self._steps, self._path, replaced)


def hint(event: Mapping[str, Any], chosen: str) -> str:
    """Return which ``input.format`` is probably missing for an event without the text, as the end of a message.

    ``chosen``: the format by which it was read.
    """
    form = next((form for form, names in _ENVELOPES.items() if event.keys() >= names), None)
    if form is None or form == chosen:
        return ""
    encoding = f", input.encoding: {chosen}" if form == "debezium" and chosen in FORMATS else ""
    return f"; it looks like an event for input.format: {form}{encoding}"


def _repaired(value: bytes, error: orjson.JSONDecodeError) -> tuple[bytes, Any, Replaced]:
    """Return what ``repair`` makes of ``value``, which failed with ``error``, and that parsed. Raises DecodeError."""
    if is_framed(value):
        raise DecodeError("the value is framed for a Schema Registry: set input.format")
    text, replaced = repair(utf8(value))
    if not text or text.isspace():
        raise DecodeError(f"the value is {'only white space' if text else 'empty'}, not a JSON object")
    if replaced.count:
        value = text.encode()
        try:
            return value, orjson.loads(value), replaced
        except orjson.JSONDecodeError:
            pass
    # orjson's messages say which rule of the grammar failed and never quote the input.
    where = f"line {error.lineno}, column {error.colno}"
    raise DecodeError(f"the value is not JSON: {error.msg} ({where})") from None


def depth_of(value: bytes) -> int:
    """Return how many levels of objects and arrays ``value``, which is valid JSON, has; 0 for a scalar."""
    brackets = _STRING.sub(b"", value).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_LEVELS.__getitem__, brackets)), default=0)


def _require_shallow(value: bytes) -> None:
    """Raise DecodeError if ``value``, which is valid JSON, is nested more than ``MAX_DEPTH`` levels deep."""
    if depth_of(value) > MAX_DEPTH:
        raise DecodeError(f"the value is nested more than {MAX_DEPTH} levels deep")
