"""The codecs for what Kafka Connect's JSON converter writes, and for Debezium's change events in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from schemas.errors import DecodeError
from schemas.record import Headers
from schemas.replaced import Replaced
from stream.codecs.base import Content, utf8
from stream.codecs.json import BOM, JsonCodec
from stream.codecs.members import members

UNAVAILABLE: Final = "__debezium_unavailable_value"
"""What Debezium writes in place of a value that the database did not tell it, such as a long text of PostgreSQL that an
update has not changed (``unavailable.value.placeholder``)."""
_WITHOUT_ROW: Mapping[object, str] = {
    "t": "a truncate, which has no row and no key",
    "m": "a message of the database's log, which has no row",
}
_ROWS = ("c", "r", "u")


class ConnectCodec(JsonCodec):
    """Decodes the JSON of Kafka Connect: the event is the payload, with its own bytes.

    A value is an envelope if it is an object of ``schema`` and ``payload`` alone; any other is the payload itself, as
    the converter writes it with ``schemas.enable=false``. A payload that is ``null`` is a delete.
    """

    _what = "the payload"

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        if b'"schema"' in value and b'"payload"' in value:
            text = utf8(value.removeprefix(BOM))
            places = members(text)
            if places is not None and places.keys() == {"schema", "payload"}:
                value = text[slice(*places["payload"])].encode()
                if value == b"null":
                    return Content("", deletes=True)
        return super()._read(value, headers)


class DebeziumCodec(ConnectCodec):
    """Decodes Debezium's change events, in the envelope of Kafka Connect or without it.

    The event is the change event as it is: ``before``, ``after``, ``op`` and so on. One that deletes a row is a delete.
    """

    def _content(self, value: bytes, event: dict[str, Any], replaced: Replaced | None) -> Content:
        operation = event.get("op")
        if operation == "d":
            return Content("", deletes=True)
        if operation not in _ROWS:
            if isinstance(operation, str) and operation in _WITHOUT_ROW:
                raise DecodeError(f"the event is {_WITHOUT_ROW[operation]}")
            flattened = "; events of ExtractNewRecordState are for input.format: json, or connect"
            raise DecodeError(f"the value is no change event of Debezium: its op is not one of c, r, u, d{flattened}")
        content = super()._content(value, event, replaced)
        texts = [content.text] if content.parts is None else [content.text[p.start : p.end] for p in content.parts]
        if UNAVAILABLE in texts:
            raise DecodeError("the database has not told Debezium the text, which an update has not changed")
        return content
