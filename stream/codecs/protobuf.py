"""The codecs for Protobuf: with schemas of a Schema Registry, and with a descriptor set."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from schemas.errors import DecodeError, SettingError
from schemas.pipeline.config import Input
from schemas.pipeline.registry import Registry
from schemas.pipeline.wording import did_you_mean
from schemas.record import Headers
from stream.codecs.base import Content
from stream.codecs.debezium import ChangeEvents
from stream.codecs.framed import FramedCodec
from stream.codecs.json import JsonCodec
from stream.codecs.protobuf_json import ProtobufReader
from stream.codecs.protobuf_schema import ProtobufSchema, has_place, may_be_string, text_paths
from stream.registry.client import Registered
from stream.registry.framing import header, is_framed, message_indexes, prefix, without_indexes
from stream.registry.schema_errors import UnusableSchemaError

_LOOKED_AT = 100
"""Messages of a schema of which it is looked up beforehand whether they may have a text."""


class ProtobufFile:
    """A .proto file of a registry, with a reader for each of its messages, by their indexes.

    Attributes:
        lacking: what messages without the text are to say of the file: the schema and its subjects.
    """

    def __init__(self, registered: Registered, paths: list[str], name: str) -> None:
        """``paths``: those of the text; ``name``: what to call the schema. Raises UnusableSchemaError."""
        self.schema = ProtobufSchema.parse(registered.text, registered.references)
        self.lacking = name
        self._name, self._paths = name, paths
        self._readers: dict[tuple[int, ...], ProtobufReader] = {}

    def reader(self, indexes: tuple[int, ...]) -> ProtobufReader:
        """Return what reads the message to which ``indexes`` lead. Raises DecodeError if there is none."""
        reader = self._readers.get(indexes)
        if reader is None:
            message = self.schema.at(indexes)
            if message is None:
                raise DecodeError(f"{self._name} has no message with the indexes of the value")
            try:
                reader = ProtobufReader(message, f"{message.full_name} of {self._name}")
            except Exception as error:  # of the library
                raise DecodeError(f"{self._name} cannot be used ({type(error).__name__})") from None
            if not _may_have_text(message, self._paths):
                reader.lacks = _lacks(f"{message.full_name} of {self.lacking}", self._paths)
            self._readers[indexes] = reader
        return reader


class ProtobufCodec(FramedCodec[ProtobufFile]):
    """Decodes Protobuf whose schemas are in a registry into the JSON that it becomes."""

    kind = "PROTOBUF"

    def __init__(self, config: Input, registry: Registry, keep_fields: bool = False) -> None:
        """``config`` and ``registry`` are sections of the pipeline file. Raises SettingError."""
        super().__init__(config, registry, keep_fields)
        self._paths = config.paths

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        file, start = self._part(value, headers)
        name = header(headers) if headers else None
        if name is None:
            indexes, start = message_indexes(value, start)
        else:
            named = len(without_indexes(name))
            indexes = message_indexes(name, named)[0] if len(name) > named else (0,)
        reader = file.reader(indexes)
        if reader.lacks is not None:
            raise DecodeError(reader.lacks)
        fields, unknown = reader.read(value, start)
        return self._converted(*_json(reader, fields), unknown=unknown)

    def _header(self, headers: Headers) -> bytes | None:
        name = header(headers)
        return None if name is None else without_indexes(name)

    def _compile(self, number: int | str, registered: Registered) -> ProtobufFile:
        file = ProtobufFile(registered, self._paths, f"schema {number}")
        messages = [*islice(file.schema.messages(), _LOOKED_AT + 1)]
        if len(messages) > _LOOKED_AT or not all(_may_have_text(message, self._paths) for message, _ in messages):
            file.lacking = self.named(number)
        return file


class DescribedCodec(JsonCodec):
    """Decodes messages of one type, which a descriptor set describes; before them, an id of a schema is passed over."""

    def __init__(self, config: Input, keep_fields: bool = False) -> None:
        """``config``: the pipeline file's ``input``. Raises SettingError if the descriptor set cannot be used."""
        super().__init__(config, keep_fields)
        self._reader = load_reader(config)

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        start = 0
        if is_framed(value):  # unframed values never begin so: field number 0 does not exist
            _, start = message_indexes(value, len(prefix(value)))
        fields, unknown = self._reader.read(value, start)
        return self._converted(*_json(self._reader, fields), unknown=unknown)


class DebeziumProtobufCodec(ChangeEvents, ProtobufCodec):
    """Decodes change events in Protobuf, whose schemas are in a registry."""


class DebeziumDescribedCodec(ChangeEvents, DescribedCodec):
    """Decodes change events in Protobuf, which a descriptor set describes."""


def load_reader(config: Input) -> ProtobufReader:
    """Make what reads ``input.message`` of ``input.descriptor_set``. Raises SettingError with the place."""
    return ProtobufReader(_load_message(config), str(config.message))


def doubtful_paths(config: Input) -> list[tuple[int, str]]:
    """Return (index, what is wrong) for each path of the text at which ``input.message`` has no field, or no string.

    Raises SettingError with the place, as ``load_reader`` does: also if there is a field at none of the paths.
    """
    message = _load_message(config)
    doubts = []
    for index, path in enumerate(config.paths):
        if not has_place(message, path):
            hint = did_you_mean(path, text_paths(message))
            doubts.append((index, f"{message.full_name} has no such field{hint}"))
        elif not may_be_string(message, path):
            doubts.append(
                (index, f"what {message.full_name} has there is not a string: events that have it become dead letters")
            )
    return doubts


def _load_message(config: Input) -> Any:
    path, name = str(config.descriptor_set), str(config.message)
    place = ("input", "descriptor_set")
    try:
        schema = ProtobufSchema.load(Path(path).read_bytes())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SettingError(f"the file of input.descriptor_set cannot be read: {reason}", place) from None
    except UnusableSchemaError as error:
        raise SettingError(f"the file of input.descriptor_set {error}", place) from None
    message = schema.named(name)
    if message is None:
        hint = did_you_mean(name, schema.names) if schema.names else ", and no other"
        raise SettingError(f"the file of input.descriptor_set has no message {name}{hint}", ("input", "message"))
    if not _may_have_text(message, config.paths):
        hint = did_you_mean(config.paths[0], text_paths(message))
        raise SettingError(_lacks(name, config.paths) + hint, ("input", "text"))
    return message


def _json(reader: ProtobufReader, fields: Any) -> tuple[bytes, Any, Any]:
    event, replaced = reader.as_json(fields)
    return event, fields, replaced


def _may_have_text(message: Any, paths: list[str]) -> bool:
    return any(has_place(message, path) for path in paths)


def _lacks(name: str, paths: list[str]) -> str:
    return f"there is no text: {name} has no field at {', '.join(paths)}"
