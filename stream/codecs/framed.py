"""What the codecs of all formats share whose values name a schema of a Schema Registry."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from schemas.errors import DecodeError, GlossatorError, UnknownSchemaError
from schemas.pipeline.config import Input
from schemas.pipeline.registry import Registry
from schemas.record import Headers, Record
from stream.codecs.json import JsonCodec
from stream.registry.client import Registered, RegistryClient
from stream.registry.framing import header, prefix, schema_id
from stream.registry.schema_errors import UnusableSchemaError

S = TypeVar("S")

_MOST_SCHEMAS = 10_000
"""Schemas that are kept, unknown and unusable ones included."""
_FORGET = 60.0
"""Seconds after which a schema that was unknown is asked for again."""
_FORMATS = {"AVRO": "avro", "JSON": "json_schema", "PROTOBUF": "protobuf"}


class FramedCodec(JsonCodec, Generic[S]):
    """Decodes values that name their schema; a subclass turns a schema into what reads values, an ``S``.

    A schema is asked for once, and so is one that the registry does not know, within a minute. ``fetch_schemas`` may
    block and must be called first; ``decode`` asks only for what is still missing.
    """

    kind = ""
    """The type of the schemas, by the registry's name."""

    def __init__(self, config: Input, registry: Registry, keep_fields: bool = False) -> None:
        """``config`` and ``registry`` are sections of the pipeline file. Raises SettingError."""
        super().__init__(config, keep_fields)
        self._client = RegistryClient(registry)
        self._schemas: dict[bytes, S] = {}
        self._refused: dict[bytes, tuple[float, str]] = {}

    def fetch_schemas(self, records: Sequence[Record]) -> None:
        """Ask for the schemas of ``records`` that are not known yet. Raises RegistryError and AccessError."""
        for name in {name for record in records if (name := self._name(record)) is not None} - self._schemas.keys():
            until, _ = self._refused.get(name, (0.0, ""))
            if time.monotonic() >= until:
                with suppress(DecodeError):  # it is the failure of each event that needs this schema
                    self._fetch(name)

    def _schema(self, name: bytes) -> S:
        """Return what reads values whose schema ``name`` names. Raises DecodeError, RegistryError and AccessError."""
        schema = self._schemas.get(name)
        if schema is not None:
            return schema
        if name in self._refused:
            raise DecodeError(self._refused[name][1])
        return self._fetch(name)

    def _fetch(self, name: bytes) -> S:
        number = schema_id(name)
        try:
            schema = self._usable(number)
        except DecodeError as error:
            self._make_room(self._refused)
            unknown = isinstance(error, UnknownSchemaError)
            self._refused[name] = (time.monotonic() + _FORGET if unknown else float("inf"), str(error))
            raise
        self._make_room(self._schemas)
        self._schemas[name] = schema
        return schema

    def _usable(self, number: int | str) -> S:
        try:
            registered = self._client.schema(number)
            if registered.kind != self.kind:
                other = _FORMATS.get(registered.kind)
                hint = f": set input.format: {other}" if other else ""
                raise DecodeError(f"schema {number} is of type {registered.kind}{hint}")
            return self._compile(number, registered)
        except GlossatorError:
            raise
        except UnusableSchemaError as error:
            reason = str(error)
        except Exception as error:  # of a foreign library
            reason = f"cannot be used ({type(error).__name__})"
        raise DecodeError(f"{self.named(number)} {reason}")

    def named(self, number: int | str) -> str:
        """Return what to call the schema with ``number`` in messages: with its subjects, if the registry tells them."""
        subjects = self._client.subjects(number)
        more = f" and {len(subjects) - 3} more" if len(subjects) > 3 else ""
        names = f" of subject {', '.join(subjects[:3])}{more}" if subjects else ""
        return f"schema {number}{names}"

    @abstractmethod
    def _compile(self, number: int | str, registered: Registered) -> S:
        """Return what reads values of a schema. Raises UnusableSchemaError."""

    @staticmethod
    def _make_room(kept: dict[bytes, Any]) -> None:
        if len(kept) >= _MOST_SCHEMAS:
            kept.clear()

    def _part(self, value: bytes, headers: Headers | None) -> tuple[S, int]:
        """Return what reads ``value``, and where in it the encoded value begins. Raises DecodeError."""
        if headers and (name := self._header(headers)) is not None:
            return self._schema(name), 0
        name = prefix(value)
        return self._schema(name), len(name)

    def _header(self, headers: Headers) -> bytes | None:
        """Return what in ``headers`` names the schema; None if nothing does."""
        return header(headers)

    def _name(self, record: Record) -> bytes | None:
        """Return what names the schema of ``record``; None if nothing does."""
        if record.value is None:
            return None
        try:
            return (self._header(record.headers) if record.headers else None) or prefix(record.value)
        except DecodeError:
            return None
