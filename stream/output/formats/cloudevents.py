"""Writes enriched events as CloudEvents 1.0, in both modes of its Kafka protocol binding."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.cloudevents import ATTRIBUTE, CONTENT_TYPE, OUR_ATTRIBUTES, PREFIX, STRUCTURED_JSON, VERSION
from schemas.errors import EncodeError
from schemas.pipeline.formats import CloudEvents
from schemas.record import Headers, Record
from stream.codecs.members import members


class CloudEventsEncoder:
    """Encodes events as CloudEvents. Any thread may use it.

    The id consists of the coordinates of the source record and the hash of the configuration, so an event that is
    delivered again has the same id. If the input is a CloudEvent, its id becomes ``causationid``, and its other
    attributes that are not the enriched event's own (such as ``traceparent`` and ``correlationid``) stay.
    """

    def __init__(self, options: CloudEvents, pipeline: str, config: str) -> None:
        """``pipeline`` is its name, ``config`` the hash of the configuration."""
        self._structured = options.mode == "structured"
        self._from_key = options.subject == "key"
        self._config = config
        self._fixed = {
            "specversion": VERSION,
            "source": options.source or f"/glossator/{pipeline}",
            "type": options.type,
        }
        if options.dataschema is not None:
            self._fixed["dataschema"] = options.dataschema

    def encode(self, value: bytes, key: bytes | None, headers: Headers, record: Record) -> tuple[bytes, Headers]:
        """Return the value and the headers of the record to send; see ``Encoder``.

        Raises EncodeError if a header of the input is an attribute that no structured CloudEvent can have.
        """
        attributes = self._attributes(key, headers, record)
        if not self._structured:
            kept = [header for header in headers if not _is_ours(header[0])]
            mine = [(f"{PREFIX}{name}", text.encode()) for name, text in attributes.items()]
            return value, [*kept, *mine, (CONTENT_TYPE, b"application/json")]
        kept = []
        for name, content in headers:
            if _is_ours(name):
                continue
            if not name.startswith(PREFIX):
                kept.append((name, content))
                continue
            # Many readers take any such header as the sign of binary mode, so it must not stay a header.
            text, attribute = _text(content), name.removeprefix(PREFIX)
            if text is None or not _is_attribute(attribute):
                raise EncodeError(f"a header {PREFIX}* cannot be an attribute of a structured CloudEvent")
            attributes[attribute] = text
        envelope: dict[str, Any] = {
            **attributes, "datacontenttype": "application/json", "data": orjson.Fragment(value),
        }  # fmt: skip
        return orjson.dumps(envelope), [*kept, (CONTENT_TYPE, f"{STRUCTURED_JSON}; charset=UTF-8".encode())]

    def decode(self, value: bytes) -> bytes:
        """Return the JSON of the event in ``value``. Raises ValueError if there is none."""
        if not self._structured:
            return value
        text = value.decode()
        place = (members(text) or {}).get("data")
        if place is None:
            raise ValueError("not a CloudEvent with data")
        return text[slice(*place)].encode()

    def _attributes(self, key: bytes | None, headers: Headers, record: Record) -> dict[str, str]:
        assignment = record.assignment
        place = f"{assignment.topic}-{assignment.partition}-{record.offset}"
        attributes = {**self._fixed, "id": f"{place}-{self._config}"}
        given = {name: _text(content) for name, content in headers if name.startswith(PREFIX)}
        subject = _text(key) if self._from_key else given.get(f"{PREFIX}subject")
        time = _rfc3339(record.timestamp_ms) or given.get(f"{PREFIX}time")
        more = {"subject": subject, "time": time, "causationid": given.get(f"{PREFIX}id")}
        return attributes | {name: text for name, text in more.items() if text and text.isprintable()}


def _is_ours(header: str) -> bool:
    """Whether the enriched event has this header of its own, so that the input's must not stay."""
    if header.startswith(PREFIX):
        return header[len(PREFIX) :] in OUR_ATTRIBUTES
    return header.lower() == CONTENT_TYPE


def _is_attribute(name: str) -> bool:
    return name != "data" and ATTRIBUTE.fullmatch(name) is not None


def _text(content: str | bytes | None) -> str | None:
    """Return a header or a key as text; None if it is not UTF-8."""
    if not isinstance(content, bytes):
        return content
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _rfc3339(timestamp_ms: int) -> str | None:
    """Return a time as text; None for one that is unknown, or after the year 9999."""
    if timestamp_ms < 0:
        return None
    seconds, thousandths = divmod(timestamp_ms, 1000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return f"{moment.isoformat()[:19]}.{thousandths:03}Z"
