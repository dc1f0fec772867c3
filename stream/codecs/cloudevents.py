"""The codec for CloudEvents 1.0, in both modes of its Kafka protocol binding."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Final

import orjson

from schemas.cloudevents import ATTRIBUTE, CONTENT_TYPE, PREFIX, REQUIRED, STRUCTURED, STRUCTURED_JSON, VERSION
from schemas.errors import DecodeError
from schemas.paths import EVERYWHERE, parse_pattern
from schemas.pipeline.config import Input
from schemas.record import Headers
from stream.codecs.base import Content, utf8
from stream.codecs.json import BOM, JsonCodec
from stream.codecs.members import members, string_at

MOST_ATTRIBUTES: Final = 256
"""The most attributes of a structured event: each of them becomes a header."""
_JSON = ("application/json", "text/json")
_TEXT = "text/plain"
_TEXT_PATH = "$.text"
"""Where the text is in the object that plain text becomes."""
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s;"]+)', re.IGNORECASE)
_CHARSETS: Mapping[str, str] = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "latin-1",
    "latin1": "latin-1", "iso-8859-15": "iso8859-15", "windows-1252": "cp1252", "utf-16": "utf-16",
}  # fmt: skip
"""Charsets of plain text -> Python's names. No others, because looking a name up may load a module."""


class CloudEventsCodec(JsonCodec):
    """Decodes CloudEvents: the event is their data, a JSON object, and their attributes are headers ``ce_*``.

    So both modes become the same: what is a header in binary mode is made one in structured mode, where the envelope
    counts and headers ``ce_*`` of the record do not. A record is structured if its content type is
    ``application/cloudevents+json``, or if it has no header ``ce_specversion``.

    Plain text becomes a JSON object, with the text at ``$.text``, so that redaction and routes need not know of it.
    """

    _what = "the data of the CloudEvent"

    def __init__(self, config: Input, keep_fields: bool = False) -> None:
        """``config``: the pipeline file's ``input``; ``keep_fields``: documents also keep the parsed object."""
        super().__init__(config, keep_fields)
        self._paths = config.paths
        self._reads_text = any(path == EVERYWHERE or _matches_text(path) for path in config.paths)

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        headers = headers or []
        kind = _media_type(_content_type(headers))
        given = {name: content for name, content in headers if name.startswith(PREFIX)}
        if not kind.startswith(STRUCTURED) and f"{PREFIX}specversion" in given:
            _require_attributes({name.removeprefix(PREFIX): _text(content) for name, content in given.items()})
            if kind == _TEXT:
                content = self._plain(_wrapped(value, _content_type(headers)), headers)
                others = [header for header in headers if header[0].lower() != CONTENT_TYPE]
                return content._replace(headers=[*others, (CONTENT_TYPE, _JSON[0].encode())])
            _require_json(kind)
            return super()._read(value, headers)
        if kind.startswith(STRUCTURED) and kind != STRUCTURED_JSON:
            what = "a batch" if "batch" in kind else "a structured CloudEvent that is not JSON"
            raise DecodeError(f"the value is {what}, which cannot be read")
        data, attributes = _unwrapped(utf8(value.removeprefix(BOM)))
        others = [header for header in headers if not (_is_attribute(header[0]) or header[0].lower() == CONTENT_TYPE)]
        kind = attributes.pop("datacontenttype", _JSON[0])
        mine = [(f"{PREFIX}{name}", _bytes(text)) for name, text in attributes.items()]
        if _media_type(kind) == _TEXT:
            content, kind = self._plain(data, headers), _JSON[0]
        else:
            content = super()._read(data, headers)
        return content._replace(headers=[*others, *mine, (CONTENT_TYPE, _bytes(kind))])

    def _plain(self, value: bytes, headers: Headers) -> Content:
        """Return the content of ``value``, the object that plain text has become. Raises DecodeError."""
        if not self._reads_text:
            paths = ", ".join(self._paths)
            raise DecodeError(
                f"there is no text at {paths}: the data of the CloudEvent are plain text, at {_TEXT_PATH}"
            )
        self._require_small(value)
        return super()._read(value, headers)


def _unwrapped(text: str) -> tuple[bytes, dict[str, str]]:
    """Return the data, as a JSON object if they are plain text, and the attributes of a structured event.

    Raises DecodeError.
    """
    places = members(text)
    if places is None:
        raise DecodeError("the value is neither a structured CloudEvent nor a binary one (no header ce_specversion)")
    if "specversion" not in places:
        raise DecodeError("the record is not a CloudEvent: neither its headers nor its value have a specversion")
    if len(places) > MOST_ATTRIBUTES:
        raise DecodeError(f"the CloudEvent has more than {MOST_ATTRIBUTES} attributes")
    attributes: dict[str, str] = {}
    for name, place in places.items():
        literal = text[slice(*place)]
        if name in {"data", "data_base64"} or literal == "null":
            continue
        if literal[0] in "{[" or not ATTRIBUTE.fullmatch(name):
            raise DecodeError("an attribute of the CloudEvent is an object or an array, or its name is not allowed")
        written = string_at(text, place)
        attributes[name] = literal if written is None else written
    _require_attributes(attributes)
    kind = attributes.get("datacontenttype", "")
    plain = _media_type(kind) == _TEXT
    if not plain:
        _require_json(_media_type(kind))
    if "data" in places:
        written = text[slice(*places["data"])]
        if not plain:
            return written.encode(), attributes
        if written[0] != '"':
            raise DecodeError("the data of the CloudEvent are not a string, but datacontenttype is text/plain")
        return f'{{"text":{written}}}'.encode(), attributes
    encoded = string_at(text, places["data_base64"]) if "data_base64" in places else None
    if encoded is None:
        raise DecodeError("the CloudEvent has no data")
    try:
        data = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError("data_base64 of the CloudEvent is not base64") from None
    return _wrapped(data, kind) if plain else data, attributes


def _wrapped(data: bytes, content_type: str) -> bytes:
    """Return the JSON object for ``data``, plain text in the charset of ``content_type``. Raises DecodeError."""
    match = _CHARSET.search(content_type)
    charset = _CHARSETS.get(match[1].lower()) if match else "utf-8"
    if charset is None:
        raise DecodeError(f"the charset of the CloudEvent's text is none of {', '.join(_CHARSETS)}")
    try:
        return orjson.dumps({"text": data.decode(charset)})
    except UnicodeError as error:
        place = f": bad byte at position {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        raise DecodeError(f"the data of the CloudEvent are not {charset}{place}") from None


def _matches_text(path: str) -> bool:
    """Whether ``path``, of ``input.text``, leads to the text in the object that plain text becomes."""
    return tuple(parse_pattern(path)) in {("text",), (None,)}


def _require_attributes(attributes: dict[str, str]) -> None:
    """Raise DecodeError if these are not the attributes of a CloudEvent that we can read."""
    if attributes.get("specversion", "").partition(".")[0] != VERSION.partition(".")[0]:
        raise DecodeError(f"the specversion of the CloudEvent is not {VERSION}")
    if missing := [name for name in REQUIRED if not attributes.get(name)]:
        raise DecodeError(f"the CloudEvent has no {', no '.join(missing)}")


def _require_json(kind: str) -> None:
    if kind and kind not in _JSON and not kind.endswith("+json"):
        raise DecodeError("the data of the CloudEvent are neither JSON nor plain text (datacontenttype)")


def _is_attribute(header: str) -> bool:
    return header.startswith(PREFIX)


def _content_type(headers: Headers) -> str:
    return next((_text(content) for name, content in headers if name.lower() == CONTENT_TYPE), "")


def _media_type(content: str) -> str:
    """Return a content type without its parameters, in small letters."""
    return content.partition(";")[0].strip().lower()


def _text(content: str | bytes | None) -> str:
    return content.decode(errors="replace") if isinstance(content, bytes) else content or ""


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise DecodeError("an attribute of the CloudEvent contains half a surrogate pair") from None
