"""The codecs for Debezium's change events; those in Protobuf are in ``protobuf.py``, whose library is optional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from schemas.errors import DecodeError
from schemas.replaced import Replaced
from stream.codecs.avro import AvroCodec
from stream.codecs.base import Content
from stream.codecs.connect import ConnectCodec
from stream.codecs.json import JsonCodec
from stream.codecs.json_schema import JsonSchemaCodec

UNAVAILABLE: Final = "__debezium_unavailable_value"
"""What Debezium writes in place of a value that the database did not tell it, such as a long text of PostgreSQL that an
update has not changed (``unavailable.value.placeholder``)."""
_WITHOUT_ROW: Mapping[object, str] = {
    "t": "a truncate, which has no row and no key",
    "m": "a message of the database's log, which has no row",
}
_ROWS = ("c", "r", "u")


class ChangeEvents(JsonCodec):
    """A mixin for codecs: their JSON is a change event.

    The event stays as it is: ``before``, ``after``, ``op`` and so on. One that deletes a row is a delete.
    """

    def _content(self, value: bytes, event: dict[str, Any], replaced: Replaced | None) -> Content:
        operation = event.get("op")
        if operation == "d":
            return Content("", deletes=True)
        if operation not in _ROWS:
            if isinstance(operation, str) and operation in _WITHOUT_ROW:
                raise DecodeError(f"the event is {_WITHOUT_ROW[operation]}")
            form = "json, or connect" if self._encoding == "json" else self._encoding
            flattened = f"events of ExtractNewRecordState are for input.format: {form}"
            raise DecodeError(f"the value is not a Debezium change event: its op is not one of c, r, u, d; {flattened}")
        content = super()._content(value, event, replaced)
        texts = [content.text] if content.parts is None else [content.text[p.start : p.end] for p in content.parts]
        if UNAVAILABLE in texts:
            raise DecodeError("the database has not told Debezium the text, which an update has not changed")
        return content


class DebeziumCodec(ChangeEvents, ConnectCodec):
    """Decodes change events in JSON, in the envelope of Kafka Connect or without it."""


class DebeziumAvroCodec(ChangeEvents, AvroCodec):
    """Decodes change events in Avro, whose schemas are in a registry."""


class DebeziumSchemaCodec(ChangeEvents, JsonSchemaCodec):
    """Decodes change events in JSON whose schemas are in a registry."""
