"""The codec for Avro whose schemas are in a Schema Registry."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from schemas.errors import DecodeError, SettingError
from schemas.pipeline.config import Input
from schemas.pipeline.registry import Registry
from schemas.record import Headers
from schemas.replaced import Replaced
from stream.codecs.avro_bounds import bounds
from stream.codecs.avro_schema import AvroSchema
from stream.codecs.base import Content
from stream.codecs.converted import as_json
from stream.codecs.framed import FramedCodec
from stream.registry.client import Registered
from stream.registry.schema_errors import UnusableSchemaError


class AvroReader:
    """Reads values of one schema, as the JSON that ``docs/schema-registry.md`` describes.

    Attributes:
        changes: whether the JSON has other values than what ``read`` returns: bytes become text in it.
        lacks: why no value of the schema can have a text; None if it can.
    """

    def __init__(self, writer: AvroSchema, reader: AvroSchema | None, name: str) -> None:
        """``writer`` is the schema of the values, ``reader`` the one to read them in; ``name``: the writer's.

        Raises UnusableSchemaError.
        """
        from fastavro import schemaless_reader

        self._load: Callable[..., Any] = schemaless_reader
        self._writer, self._reader = writer.parsed, None if reader is None else reader.parsed
        self._wrapped = writer.wrapped
        try:
            self._check = bounds(writer)
        except RecursionError:
            raise UnusableSchemaError("is nested too deep") from None
        schemas = [writer] if reader is None else [writer, reader]
        self.changes = any(schema.has_bytes for schema in schemas)
        self._floats = any(schema.has_floats for schema in schemas)
        self._name = name
        self.lacks: str | None = None

    def read(self, value: bytes, start: int) -> Any:
        """Return what ``value`` contains from ``start`` on. Raises DecodeError, which quotes nothing of it."""
        stream = BytesIO(value)
        stream.seek(start)
        try:
            self._check(value, start)
            fields = self._load(stream, self._writer, self._reader)
        except DecodeError:
            raise
        except Exception as error:  # of many kinds, whose messages may quote the value
            raise DecodeError(f"the value is not Avro of {self._name} ({type(error).__name__})") from None
        if (left := len(value) - stream.tell()) > 0:
            raise DecodeError(f"the value is not Avro of {self._name}: {left} bytes are left over")
        return fields["value"] if self._wrapped else fields

    def as_json(self, fields: Any) -> tuple[bytes, Replaced | None]:
        """Return what ``read`` returned as JSON, and the values in it that JSON cannot represent; None if all can."""
        return as_json(fields, self._floats, _base64)


class AvroCodec(FramedCodec[AvroReader]):
    """Decodes Avro into the JSON that it becomes, once, so that all else works as it does for JSON."""

    kind = "AVRO"

    def __init__(self, config: Input, registry: Registry, keep_fields: bool = False) -> None:
        """``config`` and ``registry`` are sections of the pipeline file. Raises SettingError."""
        super().__init__(config, registry, keep_fields)
        self._paths = config.paths
        self._reader = None if config.reader_schema is None else load_schema(config.reader_schema)

    def _read(self, value: bytes, headers: Headers | None) -> Content:
        reader, start = self._part(value, headers)
        if reader.lacks is not None:
            raise DecodeError(reader.lacks)
        fields = reader.read(value, start)
        event, replaced = reader.as_json(fields)
        return self._converted(event, fields, replaced, changed=reader.changes)

    def _compile(self, number: int | str, registered: Registered) -> AvroReader:
        schema = AvroSchema(registered.text, (text for _, text in registered.references))
        reader = AvroReader(schema, self._reader, f"schema {number}")
        if not any((self._reader or schema).has_place(path) for path in self._paths):
            named = self.named(number) if self._reader is None else "input.reader_schema"
            reader.lacks = f"there is no text: {named} has no field at {', '.join(self._paths)}"
        return reader


def load_schema(path: str) -> AvroSchema:
    """Read the Avro schema in the file at ``path``. Raises SettingError."""
    try:
        return AvroSchema(Path(path).read_bytes())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SettingError(f"the file of input.reader_schema cannot be read: {reason}") from None
    except UnusableSchemaError as error:
        raise SettingError(f"the file of input.reader_schema {error}") from None


def _base64(value: Any) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError
