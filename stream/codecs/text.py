"""The codec for values that are plain text."""

from __future__ import annotations

from typing import Any

from stream.codecs.base import Codec, utf8


class TextCodec(Codec):
    """Takes the whole value as the text, in UTF-8."""

    def _read(self, value: bytes) -> tuple[str, bytes | None, Any]:
        return utf8(value), None, None
