"""What the codecs of all formats share: a record becomes a document, or a failed document in its place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.document import Document, Failure, Part
from schemas.errors import DecodeError
from schemas.pipeline.config import Input
from schemas.record import Headers, Record
from schemas.replaced import Replaced


class Content(NamedTuple):
    """What a codec reads from a record's value.

    - ``text``: what the tasks will read.
    - ``event``: for JSON, the event's own bytes. ``fields``: the same parsed, if the codec keeps it.
    - ``replaced``: the values in ``event`` that are not the input's own; None if all are.
    - ``parts``: what ``text`` was joined from, if the input may have several texts; otherwise None.
    - ``missing``: the paths at which one of several texts is missing.
    - ``headers``: what takes the place of the record's headers; None if they stay.
    - ``unknown``: bytes of fields in the value that its schema does not have, so that they are not in ``event``.
    - ``deletes``: the event only says that what has the record's key was deleted; then there is no text.
    """

    text: str
    event: bytes | None = None
    fields: Any = None
    replaced: Replaced | None = None
    parts: tuple[Part, ...] | None = None
    missing: Sequence[str] = ()
    headers: Headers | None = None
    deletes: bool = False
    unknown: int = 0


class Codec(ABC):
    """Decodes records of one format, and enforces the limits that apply to every format. Any thread may use it."""

    def __init__(self, config: Input) -> None:
        """``config``: the pipeline file's ``input``, whose limits in bytes and characters are used."""
        self._max_bytes = config.max_bytes
        self._max_characters = config.max_characters

    def decode(self, record: Record) -> Document:
        """Return the document of ``record``; its ``failure`` is set if the record could not be decoded."""
        try:
            value = record.value
            if value is None:
                raise DecodeError(
                    "the value is null, and a tombstone needs a key" if record.key is None
                    else "the value is null (a tombstone)"
                )  # fmt: skip
            if len(value) > self._max_bytes:
                raise DecodeError(f"the value has {len(value)} bytes, input.max_bytes is {self._max_bytes}")
            given = record.consumed_headers
            text, event, fields, replaced, parts, missing, headers, deletes, unknown = self._read(value, given)
            if headers is not None:
                record.headers, record.original_headers = headers, given or []
            if deletes:
                document = Document(record)
                document.deletes = True
                document.failure = Failure.of(DecodeError("the event is a delete, and has no text"), "decode")
                return document
            if len(text) > self._max_characters:
                raise DecodeError(
                    f"the text has {len(text)} characters, input.max_characters is {self._max_characters}"
                )
            if not text or text.isspace():
                raise DecodeError("the text is only white space" if text else "the text is empty")
            document = Document(record, text, event, fields)
            document.replaced = replaced
            if unknown:
                document.notices.append({"kind": "unknown", "bytes": unknown})
            if parts is not None:
                document.parts = parts
                if missing:
                    document.notices.append({"kind": "missing", "paths": [*missing]})
            return document
        except DecodeError as error:
            document = Document(record)
            document.failure = Failure.of(error, "decode")
            return document

    def fetch_schemas(self, records: Sequence[Record]) -> None:  # noqa: B027 - most formats need no schemas
        """Ask the Schema Registry for what decoding ``records`` needs; without one, do nothing. May block for seconds.

        Raises RegistryError if the registry is away, and AccessError if it rejects our credentials. Afterwards
        ``decode`` raises neither for these records.
        """

    @abstractmethod
    def _read(self, value: bytes, headers: Headers | None) -> Content:
        """Return what is in ``value``, that of a record with ``headers``. Raises DecodeError."""


def utf8(value: bytes) -> str:
    """Decode UTF-8. Raises DecodeError with the position of the first bad byte."""
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"the value is not UTF-8: bad byte at position {error.start}") from None
