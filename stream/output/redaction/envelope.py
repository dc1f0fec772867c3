"""The envelope of an encrypted dead letter: the original record, which only who has the key can read or replay.

Layout, with whole numbers in big-endian order::

    5 bytes   MAGIC, whose last byte is the version and whose first byte begins no UTF-8
    1 byte    the length of the key id
    n bytes   the key id
    4 bytes   the length of the rest
    12 bytes  nonce
    m bytes   AES-256-GCM of the original, with the magic and the key id authenticated

The original is the length of a JSON object in 4 bytes, the object (topic, partition, offset, key and headers, bytes in
base64), and the value, which follows as it is: base64 would make a value that just fits into a topic too large for it.
"""

from __future__ import annotations

import os
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from schemas.record import Headers, Record
from stream.output.redaction.keys import Key
from stream.output.redaction.tokens import require_cryptography

MAGIC = b"\x93GLE\x01"
_NONCE = 12
_SIZE = struct.Struct(">I")


class EnvelopeError(Exception):
    """An envelope cannot be opened. The message says why, and quotes nothing of it.

    Attributes:
        key_id: The id of the key that the envelope needs; None if the envelope itself cannot be read.
    """

    def __init__(self, message: str, key_id: str | None = None) -> None:
        super().__init__(message)
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class Original:
    """The record in an envelope.

    Attributes:
        topic: The topic it was read from.
        partition: Its partition there.
        offset: Its offset there.
        key: Its key, or None.
        value: Its value, or None for a tombstone.
        headers: Its headers, or None if it had none.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None


def sealer(key_id: str, key: Key) -> Callable[[Record], bytes]:
    """Return the function that puts a record into an envelope; any thread may call it.

    The envelope is some 100 bytes larger than the value, and 4/3 of the bytes of key and headers. Raises SettingError
    if the library is not installed.
    """
    require_cryptography()
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, start = AESGCM(key.subkey("envelope")), MAGIC + bytes([len(key_id)]) + key_id.encode()

    def seal(record: Record) -> bytes:
        nonce = os.urandom(_NONCE)
        sealed = cipher.encrypt(nonce, _packed(record), start)
        return b"".join((start, _SIZE.pack(len(nonce) + len(sealed)), nonce, sealed))

    return seal


def key_of(data: bytes) -> str:
    """Return the id of the key that the envelope at the start of ``data`` needs. Raises EnvelopeError."""
    return _parts(data)[0]


def size_of(data: bytes) -> int:
    """Return the length of the envelope at the start of ``data``, which may be longer. Raises EnvelopeError."""
    return _parts(data)[2]


def unseal(data: bytes, keys: Mapping[str, Key]) -> Original:
    """Return the record in the envelope at the start of ``data``, with one of ``keys``, key id -> key.

    Raises EnvelopeError if it is no envelope, its key is not among them, or it was changed or cut.
    """
    require_cryptography()
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key_id, body, end = _parts(data)
    if key_id not in keys:
        raise EnvelopeError(f"needs the key {key_id}", key_id)
    start = data[: body - _SIZE.size]
    cipher = AESGCM(keys[key_id].subkey("envelope"))
    try:
        packed = cipher.decrypt(data[body : body + _NONCE], data[body + _NONCE : end], start)
    except (InvalidTag, ValueError):
        raise EnvelopeError(f"was changed, or encrypted with another key {key_id}", key_id) from None
    return _unpacked(packed)


def _parts(data: bytes) -> tuple[str, int, int]:
    """Return (key id, start of the nonce, end of the envelope)."""
    if not data.startswith(MAGIC):
        raise EnvelopeError("is not an encrypted dead letter")
    body = len(MAGIC) + 1 + (data[len(MAGIC)] if len(data) > len(MAGIC) else 0) + _SIZE.size
    if len(data) < body:
        raise EnvelopeError("is cut off")
    (size,) = _SIZE.unpack_from(data, body - _SIZE.size)
    if len(data) < body + size:
        raise EnvelopeError("is cut off")
    return data[len(MAGIC) + 1 : body - _SIZE.size].decode("ascii", "replace"), body, body + size


def _packed(record: Record) -> bytes:
    given = record.consumed_headers
    headers = None if given is None else [[name, _text(value)] for name, value in given]
    described = orjson.dumps({
        "topic": record.assignment.topic, "partition": record.assignment.partition, "offset": record.offset,
        "key": _text(record.key), "headers": headers, "tombstone": record.value is None,
    })  # fmt: skip
    return b"".join((_SIZE.pack(len(described)), described, record.value or b""))


def _unpacked(packed: bytes) -> Original:
    (size,) = _SIZE.unpack_from(packed)
    described = orjson.loads(packed[_SIZE.size : _SIZE.size + size])
    headers = described["headers"]
    return Original(
        described["topic"], described["partition"], described["offset"], _bytes(described["key"]),
        None if described["tombstone"] else packed[_SIZE.size + size :],
        None if headers is None else [(name, _bytes(value)) for name, value in headers],
    )  # fmt: skip


def _text(value: str | bytes | None) -> str | None:
    return None if value is None else b64encode(value.encode() if isinstance(value, str) else value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
