"""What the encoders of all formats share."""

from __future__ import annotations

from typing import Protocol

from schemas.record import Headers, Record


class Encoder(Protocol):
    """Encodes the events of one topic. Any thread may use it.

    It gets what redaction and routes have made of an event, so it needs no part of the source record except where that
    was and when it was written.
    """

    def encode(self, value: bytes, key: bytes | None, headers: Headers, record: Record) -> tuple[bytes, Headers]:
        """Return the value and the headers of the record to send.

        Args:
            value: the event as JSON.
            key: the key of the record to send.
            headers: its headers. They may be shared with other records, so the list must not be changed.
            record: the source record. Its key, value and headers may be what is to be redacted.

        Raises:
            EncodeError: the event cannot be written in this format; it becomes a dead letter.
        """

    def decode(self, value: bytes) -> bytes:
        """Return the JSON of the event in ``value``, which ``encode`` has made or another producer.

        Raises ValueError if there is none.
        """
