"""Redacts the key and the headers of a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from schemas.pipeline.redaction import Operator, Redact
from schemas.record import Headers, Record
from stream.output.redaction.elsewhere import Values
from stream.output.redaction.folding import fold

Replace: TypeAlias = Callable[[Operator, str, str], str]
"""Called with an operator, the place in ``redact`` that names it, and a value; returns the replacement."""


class RecordRedactor:
    """Redacts keys and headers as ``redact`` says. Any thread may use it.

    ``replaces_key``: whether there is an operator for keys.
    """

    def __init__(self, redact: Redact) -> None:
        self._key = redact.key
        self.replaces_key = redact.key is not None
        self._headers = redact.headers

    def key(self, key: bytes | None, values: Values | None, replace: Replace) -> bytes | None:
        """Return a record's key without ``values``, or what the operator for keys makes of it; None: no key."""
        if key is None:
            return None
        if self._key is not None:
            return whole(key, self._key, "key", replace)
        return key if values is None else _without(key, values)

    def headers(self, headers: Headers, values: Values | None, replace: Replace) -> Headers:
        """Return a record's headers without ``values``, and with what operators make of theirs.

        It is ``headers`` itself if nothing changes.
        """
        if not headers or not (self._headers or (values is not None and _within(headers, values))):
            return headers
        return list(self._each(headers, values, replace))

    def searched(self, record: Record) -> list[bytes]:
        """Return everything of a record's key and headers that may contain a value that was redacted elsewhere."""
        parts = [] if record.key is None or self.replaces_key else [record.key]
        for name, value in record.headers or ():
            parts.append(name.encode())
            if value is not None:
                parts.append(value.encode() if isinstance(value, str) else value)
        return parts

    def _each(
        self, headers: Headers, values: Values | None, replace: Replace
    ) -> Iterator[tuple[str, str | bytes | None]]:
        for name, value in headers:
            operator = self._headers.get(name)
            written: str | bytes | None = value
            if value is not None:
                original = value.encode() if isinstance(value, str) else value
                if operator is not None:
                    written = whole(original, operator, f"headers.{name}", replace)
                    if written is None:
                        continue
                elif values is not None:
                    written = _without(original, values)
            yield name if values is None else values.redacted(name), written


def whole(value: bytes, operator: Operator, place: str, replace: Replace) -> bytes | None:
    """Return the replacement of a value; None if it is removed. Bytes that are no text count as their hex digits."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.hex()
    replacement = replace(operator, place, text)
    return None if operator.remove is not None else replacement.encode()


def _without(value: bytes, values: Values) -> bytes:
    text = value.decode(errors="surrogateescape")
    redacted = values.redacted(text)
    return value if redacted is text else redacted.encode(errors="surrogateescape")


def _within(headers: Headers, values: Values) -> bool:
    """Return whether one of ``values`` may be in the headers."""
    joined = ""
    for name, value in headers:
        text = value.decode(errors="surrogateescape") if isinstance(value, bytes) else value or ""
        joined += f"{name}\0{text}\0"
    return values.within(fold(joined))
