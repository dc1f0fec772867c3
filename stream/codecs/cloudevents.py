"""The codec for CloudEvents 1.0, in both modes of its Kafka protocol binding."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Final

from schemas.cloudevents import ATTRIBUTE, CONTENT_TYPE, PREFIX, REQUIRED, STRUCTURED, STRUCTURED_JSON, VERSION
from schemas.errors import DecodeError
from schemas.record import Headers
from stream.codecs.base import Content, utf8
from stream.codecs.json import BOM, JsonCodec
from stream.codecs.members import members, string_at

MOST_ATTRIBUTES: Final = 256
"""The most attributes of a structured event: each of them becomes a header."""
_JSON = ("application/json", "text/json")


class CloudEventsCodec(JsonCodec):
    """Decodes CloudEvents: the event is their data, a JSON object, and their attributes are headers ``ce_*``.

    So both modes become the same: what is a header in binary mode is made one in structured mode, where the envelope
    counts and headers ``ce_*`` of the record do not. A record is structured if its content type is
    ``application/cloudevents+json``, or if it has no header ``ce_specversion``.
    """

    _what = "the data of the CloudEvent"

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        headers = headers or []
        kind = _content_type(headers)
        given = {name: content for name, content in headers if name.startswith(PREFIX)}
        if not kind.startswith(STRUCTURED) and f"{PREFIX}specversion" in given:
            _require_attributes({name.removeprefix(PREFIX): _text(content) for name, content in given.items()})
            _require_json(kind)
            return super()._read(value, headers)
        if kind.startswith(STRUCTURED) and kind != STRUCTURED_JSON:
            what = "a batch" if "batch" in kind else "a structured CloudEvent that is not JSON"
            raise DecodeError(f"the value is {what}, which cannot be read")
        data, attributes = _unwrapped(utf8(value.removeprefix(BOM)))
        others = [header for header in headers if not (_is_attribute(header[0]) or header[0].lower() == CONTENT_TYPE)]
        kind = attributes.pop("datacontenttype", _JSON[0])
        mine = [(f"{PREFIX}{name}", _bytes(text)) for name, text in attributes.items()]
        content = super()._read(data, headers)
        return content._replace(headers=[*others, *mine, (CONTENT_TYPE, _bytes(kind))])


def _unwrapped(text: str) -> tuple[bytes, dict[str, str]]:
    """Return the data and the attributes of a structured event. Raises DecodeError."""
    places = members(text)
    if places is None:
        raise DecodeError("the value is neither a structured CloudEvent nor a binary one (no header ce_specversion)")
    if "specversion" not in places:
        raise DecodeError("the record is no CloudEvent: neither its headers nor its value have a specversion")
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
    _require_json(_media_type(attributes.get("datacontenttype", "")))
    if "data" in places:
        return text[slice(*places["data"])].encode(), attributes
    encoded = string_at(text, places["data_base64"]) if "data_base64" in places else None
    if encoded is None:
        raise DecodeError("the CloudEvent has no data")
    try:
        return b64decode(encoded, validate=True), attributes
    except (binascii.Error, ValueError):
        raise DecodeError("data_base64 of the CloudEvent is not base64") from None


def _require_attributes(attributes: dict[str, str]) -> None:
    """Raise DecodeError if these are not the attributes of a CloudEvent that we can read."""
    if attributes.get("specversion", "").partition(".")[0] != VERSION.partition(".")[0]:
        raise DecodeError(f"the specversion of the CloudEvent is not {VERSION}")
    if missing := [name for name in REQUIRED if not attributes.get(name)]:
        raise DecodeError(f"the CloudEvent has no {', no '.join(missing)}")


def _require_json(kind: str) -> None:
    if kind and kind not in _JSON and not kind.endswith("+json"):
        raise DecodeError("the data of the CloudEvent is not JSON (datacontenttype)")


def _is_attribute(header: str) -> bool:
    return header.startswith(PREFIX)


def _content_type(headers: Headers) -> str:
    return next((_media_type(_text(content)) for name, content in headers if name.lower() == CONTENT_TYPE), "")


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
