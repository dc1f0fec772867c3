"""What is different between the formats whose values name a schema of the Schema Registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import orjson

from schemas.event import json_schema
from schemas.paths import EVERYWHERE
from schemas.pipeline.event_proto import proto_schema
from schemas.pipeline.event_schema import avro_schema
from schemas.pipeline.formats import EVENT_TYPE
from stream.codecs.avro import AvroReader
from stream.codecs.avro_schema import AvroSchema
from stream.output.formats.avro_writer import AvroWriter
from stream.registry.client import Registered, require_protobuf
from stream.registry.framing import index_list, message_indexes

if TYPE_CHECKING:
    from schemas.pipeline.config import Pipeline

Write: TypeAlias = Callable[[bytes], bytes]
"""Takes an event as JSON; returns the value of a record. Raises EncodeError."""
Read: TypeAlias = Callable[[bytes, int], bytes]
"""Takes the value of a record, and where the event begins in it; returns its JSON. Raises DecodeError."""


@dataclass(frozen=True, slots=True)
class Form:
    """One format.

    Attributes:
        kind: the type of its schemas, by the registry's name.
        schema: returns the schema of the events of a pipeline, given it and the full name of their type.
        writer: returns what encodes events, given their schema, the full name of their type if the pipeline file has
            one, and the id that they begin with. Raises UnusableSchemaError, and SettingError if a library is missing.
        reader: returns what decodes values, given what asks for their schema, and what to call that. Raises the same,
            and what asking raises.
    """

    kind: str
    schema: Callable[[Pipeline, str], str]
    writer: Callable[[Registered, str | None, bytes], Write]
    reader: Callable[[Callable[[], Registered], str], Read]


def _avro_schema(pipeline: Pipeline, record: str) -> str:
    return orjson.dumps(avro_schema(pipeline, record)).decode()


def _avro_writer(registered: Registered, _: str | None, start: bytes) -> Write:
    writer = AvroWriter(_parsed(registered))
    return lambda event: writer.write(orjson.loads(event), start)


def _avro_reader(registered: Callable[[], Registered], name: str) -> Read:
    reader = AvroReader(_parsed(registered()), None, name)
    return lambda value, at: reader.as_json(reader.read(value, at))[0]


def _parsed(registered: Registered) -> AvroSchema:
    return AvroSchema(registered.text, (text for _, text in registered.references))


def _protobuf_writer(registered: Registered, record: str | None, start: bytes) -> Write:
    """Events are the message that is called ``record``; None: the one with our name for them, or else the first."""
    require_protobuf()
    from stream.codecs.protobuf_schema import ProtobufSchema
    from stream.output.formats.protobuf_writer import ProtobufWriter

    message, indexes = ProtobufSchema.parse(registered.text, registered.references).chosen(
        record or EVENT_TYPE, or_first=record is None
    )
    writer, start = ProtobufWriter(message), start + index_list(indexes)
    return lambda event: writer.write(orjson.loads(event), start)


def _protobuf_reader(registered: Callable[[], Registered], name: str) -> Read:
    require_protobuf()
    from stream.codecs.protobuf import ProtobufFile

    file = ProtobufFile(registered(), [EVERYWHERE], name)

    def read(value: bytes, at: int) -> bytes:
        indexes, at = message_indexes(value, at)
        reader = file.reader(indexes)
        return reader.as_json(reader.read(value, at)[0])[0]

    return read


FORMS = {
    "avro": Form("AVRO", _avro_schema, _avro_writer, _avro_reader),
    "protobuf": Form("PROTOBUF", proto_schema, _protobuf_writer, _protobuf_reader),
    "json_schema": Form(
        "JSON",
        lambda pipeline, record: orjson.dumps(json_schema()).decode(),
        lambda registered, record, start: start.__add__,
        lambda registered, name: lambda value, at: value[at:],
    ),
}
"""The name in the pipeline file -> the format."""
