"""Codecs of the formats whose schemas are in a registry, and what they make of values."""

from __future__ import annotations

from schemas.document import Document
from schemas.pipeline.config import Input
from schemas.pipeline.registry import Registry
from schemas.record import Assignment, Headers, Record
from stream.codecs.base import Codec
from stream.codecs.formats import codec
from tests.registry import FakeRegistry


def codec_of(registry: FakeRegistry, keep: bool = False, *, form: str, **fields: object) -> Codec:
    """Return the codec of an input in the format ``form``; ``fields`` are other settings of the input."""
    config = Input.model_validate({"topics": ["posts"], "format": form, **fields})
    return codec(config, keep, Registry(url=registry.url))


def decoded(decoder: Codec, value: bytes | None, headers: Headers | None = None) -> Document:
    record = Record(Assignment("posts", 0), 7, b"key", value, headers)
    decoder.fetch_schemas([record])
    return decoder.decode(record)
