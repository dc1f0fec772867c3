"""The codec for what Kafka Connect's JSON converter writes."""

from __future__ import annotations

from schemas.record import Headers
from stream.codecs.base import Content, utf8
from stream.codecs.json import BOM, JsonCodec
from stream.codecs.members import members


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
