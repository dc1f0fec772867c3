"""The codec for JSON whose schema is in a Schema Registry."""

from __future__ import annotations

from schemas.record import Headers
from stream.codecs.base import Content
from stream.codecs.framed import FramedCodec
from stream.registry.client import Registered


class JsonSchemaCodec(FramedCodec[int | str]):
    """Reads JSON behind the id of its schema, which must be a JSON Schema that the registry knows.

    Values are not validated: that is the producer's part, and costs more than all else here.
    """

    kind = "JSON"

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        _, start = self._part(value, headers)
        return super()._read(value[start:] if start else value, None)

    def _compile(self, number: int | str, registered: Registered) -> int | str:
        return number
