"""Dead letters for people and for programs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from schemas.record import Headers
from stream.output.letters import Letter
from workers.cli.views.events import moment, readable

_MOST = 500
"""Characters of an original that are shown to people."""


def letter_json(letter: Letter, original: bool) -> bytes:
    """Return a letter as JSON: why its event failed, and with ``original`` key, value and headers."""
    content: dict[str, Any] = {"letter": letter.variables()}
    if original:
        record = letter.record
        content |= record_fields(record.key, record.value, record.headers or [], record.timestamp_ms)
    return orjson.dumps(content)


def record_fields(key: bytes | None, value: bytes | None, headers: Headers, timestamp_ms: int) -> Mapping[str, Any]:
    """Return a record as JSON: bytes that are not UTF-8 as ``{"base64": ...}``."""
    return {
        "key": _printable(key),
        "value": _printable(value),
        "headers": [[name, _printable(entry)] for name, entry in headers],
        "timestamp_ms": timestamp_ms,
    }


def letter_line(letter: Letter, original: bool) -> str:
    """Return a letter in one line: when, where, and why; with ``original`` a second line with its value."""
    when = moment(letter.record.timestamp_ms)
    task = f', task "{letter.task}"' if letter.task else ""
    place = f"{letter.topic or '?'}[{letter.partition}]@{letter.offset}"
    line = readable(f"{when} {place} {letter.stage or '?'}{task}: {letter.message} ({letter.error})")
    if not original:
        return line
    value = letter.record.value
    text = "no value" if value is None else value.decode(errors="replace")
    return f"{line}\n  {readable(text if len(text) <= _MOST else text[:_MOST] + '…')}"


def _printable(value: str | bytes | None) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
