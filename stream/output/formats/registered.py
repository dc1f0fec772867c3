"""Encodes events with a schema of the Schema Registry, which each value names."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

import orjson

from schemas.errors import DecodeError, GlossatorError, SettingError, UnknownSchemaError
from schemas.event import json_schema
from schemas.pipeline.event_schema import avro_schema
from schemas.record import Headers, Record
from stream.codecs.avro import AvroReader
from stream.codecs.avro_schema import AvroSchema
from stream.codecs.schema_errors import UnusableSchemaError
from stream.output.formats.avro_writer import AvroWriter
from stream.registry.client import Registered, RegistryClient
from stream.registry.framing import framed, prefix, schema_id, without_schema

if TYPE_CHECKING:
    from schemas.pipeline.config import Pipeline
    from schemas.pipeline.formats import RegisteredFormat

log = logging.getLogger("glossator.registry")

_KINDS = {"avro": "AVRO", "json_schema": "JSON"}


class RegisteredEncoder:
    """Encodes the events of one topic; an ``Encoder``. ``prepare`` must have been called once, or ``plain`` set.

    Attributes:
        plain: events stay JSON, because nobody but the caller reads them; then no registry is asked.
    """

    def __init__(
        self, form: Literal["avro", "json_schema"], options: RegisteredFormat, topic: str, pipeline: Pipeline
    ) -> None:
        """``topic`` gets the events of ``pipeline``. Nothing is connected to."""
        self._form, self._options, self._topic, self._pipeline = form, options, topic, pipeline
        self.plain = False
        self._start = b""
        self._writer: AvroWriter | None = None
        self._client: RegistryClient | None = None
        self._readers: dict[bytes, AvroReader] = {}

    @property
    def subject(self) -> str:
        """The subject whose newest schema the events have."""
        topic, record = self._topic, self._options.record
        names = {"topic": f"{topic}-value", "record": record, "topic_record": f"{topic}-{record}"}
        return names[self._options.subject]

    def prepare(self) -> None:
        """Look the schema up, or register it, unless that is done. May block for seconds; not for several threads.

        Raises RegistryError and AccessError; SettingError if there is no schema, or one that cannot be used.
        """
        if self._start or self.plain:
            return
        client, subject = self._connected(), self.subject
        if self._options.auto_register:
            number, registered = self._registered(client)
        else:
            try:
                number, registered = client.latest(subject)
            except UnknownSchemaError:
                raise SettingError(
                    f"the Schema Registry has no subject {subject}: register what glossator schema --format "
                    f"{self._form} prints, or set auto_register"
                ) from None
        if registered.kind != _KINDS[self._form]:
            raise SettingError(
                f"the schema of subject {subject} is of type {registered.kind}, not {_KINDS[self._form]}"
            )
        if self._form == "avro":
            try:
                self._writer = AvroWriter(AvroSchema(registered.text, (text for _, text in registered.references)))
            except UnusableSchemaError as error:
                raise SettingError(f"the schema of subject {subject} {error}") from None
        self._start = framed(number)
        log.info("events for topic %s have schema %d of subject %s", self._topic, number, subject)

    def encode(self, value: bytes, key: bytes | None, headers: Headers, record: Record) -> tuple[bytes, Headers]:
        """Return the event behind the id of its schema. Raises EncodeError if the schema does not fit it."""
        if self.plain:
            return value, headers
        headers = without_schema(headers)
        if self._writer is None:
            return self._start + value, headers
        return self._writer.write(orjson.loads(value), self._start), headers

    def decode(self, value: bytes) -> bytes:
        """Return the JSON of an event that any worker has encoded. Asks the registry for a schema that is new.

        Raises ValueError if it is none, or if its schema cannot be had.
        """
        if self.plain:
            return value
        try:
            name = prefix(value)
            if self._form != "avro":
                return value[len(name) :]
            reader = self._readers.get(name)
            if reader is None:
                registered = self._connected().schema(schema_id(name))
                schema = AvroSchema(registered.text, (text for _, text in registered.references))
                reader = self._readers[name] = AvroReader(schema, None, f"schema {schema_id(name)}")
            return reader.as_json(reader.read(value, len(name)))[0]
        except (DecodeError, GlossatorError, UnusableSchemaError) as error:
            raise ValueError(str(error)) from None

    def _registered(self, client: RegistryClient) -> tuple[int, Registered]:
        if self._form == "avro":
            text = orjson.dumps(avro_schema(self._pipeline, self._options.record)).decode()
        else:
            text = orjson.dumps(json_schema()).decode()
        registered = Registered(_KINDS[self._form], text)
        return client.register(self.subject, registered, self._options.compatibility), registered

    def _connected(self) -> RegistryClient:
        if self._client is None:
            if self._pipeline.registry is None:
                raise SettingError(f'output.format "{self._form}" needs a Schema Registry: set registry.url')
            self._client = RegistryClient(self._pipeline.registry)
        return self._client
