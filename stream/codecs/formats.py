"""Chooses the codec for a pipeline's ``input.format``."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.pipeline.config import Input
from schemas.pipeline.registry import FORMATS, Registry
from stream.codecs.avro import AvroCodec
from stream.codecs.base import Codec
from stream.codecs.cloudevents import CloudEventsCodec
from stream.codecs.connect import ConnectCodec
from stream.codecs.debezium import DebeziumAvroCodec, DebeziumCodec, DebeziumSchemaCodec
from stream.codecs.json import JsonCodec
from stream.codecs.json_schema import JsonSchemaCodec
from stream.codecs.text import TextCodec
from stream.registry.client import require_protobuf

_JSON: Mapping[str, type[JsonCodec]] = {
    "json": JsonCodec,
    "cloudevents": CloudEventsCodec,
    "connect": ConnectCodec,
    "debezium": DebeziumCodec,
}


def event_codec(config: Input, keep_fields: bool = False) -> JsonCodec:
    """Make the codec for events that a person has written: the JSON that is in the envelopes of ``input.format``."""
    return JsonCodec(config, keep_fields)


def codec(
    config: Input, keep_fields: bool = False, registry: Registry | None = None, *, encoded: bool = False
) -> Codec:
    """Make the codec for ``input.format``.

    Args:
        config: the pipeline file's ``input``.
        keep_fields: documents also keep their event's parsed fields.
        registry: the pipeline file's ``registry``. Without it, values that would need it are read as the JSON that they
            would become: so are events that a person has written.
        encoded: the same for values that ``input.descriptor_set`` describes: whether they are as producers write them.

    Raises:
        SettingError: a library or a file that the format needs is missing, or cannot be used.
    """
    if config.format == "text":
        return TextCodec(config)
    changes, encoding = config.format == "debezium", config.encoded_as
    if encoded and encoding == "protobuf" and config.descriptor_set is not None:
        require_protobuf()
        from stream.codecs.protobuf import DebeziumDescribedCodec, DescribedCodec

        return (DebeziumDescribedCodec if changes else DescribedCodec)(config, keep_fields)
    if registry is None or encoding not in FORMATS:
        return _JSON.get(config.format, JsonCodec)(config, keep_fields)
    if encoding == "protobuf":
        require_protobuf()
        from stream.codecs.protobuf import DebeziumProtobufCodec, ProtobufCodec

        return (DebeziumProtobufCodec if changes else ProtobufCodec)(config, registry, keep_fields)
    if encoding == "avro":
        return (DebeziumAvroCodec if changes else AvroCodec)(config, registry, keep_fields)
    return (DebeziumSchemaCodec if changes else JsonSchemaCodec)(config, registry, keep_fields)
