"""The codec for values that are plain text."""

from __future__ import annotations

from schemas.record import Headers
from stream.codecs.base import Codec, Content, utf8


class TextCodec(Codec):
    """Takes the whole value as the text, in UTF-8."""

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        return Content(utf8(value))
