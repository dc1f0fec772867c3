"""Chooses the codec for a pipeline's ``input.format``."""

from __future__ import annotations

from schemas.pipeline.config import Input
from stream.codecs.base import Codec
from stream.codecs.json import JsonCodec
from stream.codecs.text import TextCodec


def codec(config: Input, keep_fields: bool = False) -> Codec:
    """Make the codec for ``input.format``; with ``keep_fields`` documents also keep their event's parsed fields."""
    return JsonCodec(config, keep_fields) if config.format == "json" else TextCodec(config)
