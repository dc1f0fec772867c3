"""Bytes of a record -> a document. What cannot be decoded becomes a failed document in its place."""

from __future__ import annotations

from schemas.pipeline.config import Input
from stream.codecs.base import Codec
from stream.codecs.json import JsonCodec
from stream.codecs.text import TextCodec


def codec(config: Input, keep_fields: bool = False) -> Codec:
    """The codec that ``input.format`` names. ``keep_fields``: documents keep their event's fields, read."""
    return JsonCodec(config, keep_fields) if config.format == "json" else TextCodec(config)
