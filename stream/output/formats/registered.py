"""Encodes events with a schema of the Schema Registry, which each value names."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from schemas.errors import DecodeError, GlossatorError, SettingError, UnknownSchemaError
from schemas.record import Headers, Record
from stream.output.formats.forms import FORMS, Read, Write
from stream.registry.client import Registered, RegistryClient
from stream.registry.framing import framed, prefix, schema_id, without_schema
from stream.registry.schema_errors import UnusableSchemaError

if TYPE_CHECKING:
    from schemas.pipeline.config import Pipeline
    from schemas.pipeline.formats import RegisteredFormat

log = logging.getLogger("glossator.registry")


class RegisteredEncoder:
    """Encodes the events of one topic; an ``Encoder``. ``prepare`` must have been called once, or ``plain`` set.

    Attributes:
        plain: events stay JSON, because nobody but the caller reads them; then no registry is asked.
    """

    def __init__(self, name: str, options: RegisteredFormat, topic: str, pipeline: Pipeline) -> None:
        """``topic`` gets the events of ``pipeline``, in the format ``name``. Nothing is connected to."""
        self._name, self._options, self._topic, self._pipeline = name, options, topic, pipeline
        self.plain = False
        self._form = FORMS[name]
        self._write: Write | None = None
        self._client: RegistryClient | None = None
        self._readers: dict[bytes, Read] = {}

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
        if self._write is not None or self.plain:
            return
        client, subject = self._connected(), self.subject
        try:
            number, registered = self._registered(client) if self._options.auto_register else client.latest(subject)
            if registered.kind != self._form.kind:
                raise SettingError(
                    f"the schema of subject {subject} is of type {registered.kind}, not {self._form.kind}"
                )
            self._write = self._form.writer(registered, self._options.explicit_record, framed(number))
        except UnknownSchemaError as error:
            if self._options.auto_register:
                raise
            raise SettingError(
                f"{error}: register what glossator schema --format {self._name} prints, or set auto_register"
            ) from None
        except GlossatorError:
            raise
        except UnusableSchemaError as error:
            raise SettingError(f"the schema of subject {subject} {error}") from None
        except Exception as error:  # of a foreign library
            raise SettingError(f"the schema of subject {subject} cannot be used ({type(error).__name__})") from None
        log.info("events for topic %s have schema %d of subject %s", self._topic, number, subject)

    def encode(self, value: bytes, key: bytes | None, headers: Headers, record: Record) -> tuple[bytes, Headers]:
        """Return the event behind the id of its schema. Raises EncodeError if the schema does not fit it."""
        if self.plain:
            return value, headers
        if self._write is None:
            raise RuntimeError("prepare has not been called")
        return self._write(value), without_schema(headers)

    def decode(self, value: bytes) -> bytes:
        """Return the JSON of an event that any worker has encoded. Asks the registry for a schema that is new.

        Raises ValueError if it is none, or if its schema cannot be had.
        """
        if self.plain:
            return value
        try:
            name = prefix(value)
            read = self._readers.get(name)
            if read is None:
                read = self._readers[name] = self._form.reader(partial(self._schema, name), f"schema {schema_id(name)}")
            return read(value, len(name))
        except (DecodeError, GlossatorError, UnusableSchemaError) as error:
            raise ValueError(str(error)) from None

    def _schema(self, name: bytes) -> Registered:
        return self._connected().schema(schema_id(name))

    def _registered(self, client: RegistryClient) -> tuple[int, Registered]:
        registered = Registered(self._form.kind, self._form.schema(self._pipeline, self._options.record))
        return client.register(self.subject, registered, self._options.compatibility), registered

    def _connected(self) -> RegistryClient:
        if self._client is None:
            if self._pipeline.registry is None:
                raise SettingError(f'output.format "{self._name}" needs a Schema Registry: set registry.url')
            self._client = RegistryClient(self._pipeline.registry)
        return self._client
