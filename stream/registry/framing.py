"""How a record names the schema of its value: in the value's first bytes, or in a header."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from schemas.errors import DecodeError
from schemas.record import Headers

HEADER = "__value_schema_id"
"""The header that names the schema of a value, in place of a prefix. It never passes into an output record, whose value
is another one."""

_ID = 0
"""The first byte of a number of 4 bytes, big-endian, which one registry has given to the schema."""
_GUID = 1
"""The first byte of a UUID of 16 bytes, which a schema has in all registries."""
_LARGEST = 2**31 - 1
_MOST_INDEXES = 100
"""Messages within messages that can be named."""
_SIZES = {_ID: 5, _GUID: 17}
"""Bytes of each kind, the first included."""


def header(headers: Headers) -> bytes | None:
    """Return the value of the first header that names the schema, None if there is none."""
    return next((value for name, value in headers if name == HEADER and isinstance(value, bytes)), None)


def without_schema(headers: Headers) -> Headers:
    """Return ``headers`` without those that name the schema of the value, for a record with another value."""
    return [entry for entry in headers if entry[0] != HEADER] if header(headers) is not None else headers


def prefix(value: bytes) -> bytes:
    """Return the beginning of ``value`` that names its schema. Raises DecodeError if there is none."""
    size = _SIZES.get(value[0]) if value else None
    if size is None:
        raise DecodeError("the value is not framed for a Schema Registry: its first byte is neither 0 nor 1")
    if len(value) < size:
        raise DecodeError(f"the value has only {len(value)} bytes, fewer than the id of a schema")
    return value[:size]


def without_indexes(name: bytes) -> bytes:
    """Return the id at the beginning of ``name``, the value of a header, behind which Protobuf names a message."""
    return name[: _SIZES.get(name[0], len(name))] if name else name


def message_indexes(data: bytes, start: int) -> tuple[tuple[int, ...], int]:
    """Return which message of a .proto file is meant, and where in ``data``, from ``start`` on, this ends.

    Each index selects one of the messages within the one before, the first index one of the file. Raises DecodeError.
    """
    if data[start : start + 1] == b"\0":  # short for the first message
        return (0,), start + 1
    numbers: list[int] = []
    count, at = 1, start
    try:
        while len(numbers) <= count:
            number, shift = 0, 0
            while True:
                byte = data[at]
                at += 1
                number |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 or shift > 63:
                    break
            number = (number >> 1) ^ -(number & 1)
            if not numbers:
                count = number
            numbers.append(number)
    except IndexError:
        raise DecodeError("the value ends before it names its message") from None
    if not 0 < count <= _MOST_INDEXES:
        raise DecodeError("the value does not name its message")
    return tuple(numbers[1:]), at


def index_list(indexes: Sequence[int]) -> bytes:
    """Return what ``message_indexes`` reads. Each index is below 2**31."""
    if list(indexes) == [0]:
        return b"\0"
    out = bytearray()
    for number in (len(indexes), *indexes):
        number <<= 1
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return bytes(out)


def framed(number: int) -> bytes:
    """Return the prefix that names the schema with ``number``."""
    return bytes((_ID,)) + number.to_bytes(4)


def is_framed(value: bytes) -> bool:
    """Whether ``value``, which is no JSON and no text, begins with what names a schema."""
    return bool(value) and len(value) > _SIZES.get(value[0], len(value))


def schema_id(name: bytes) -> int | str:
    """Return the number or the UUID that ``name``, a prefix or the value of a header, has. Raises DecodeError."""
    if not name or len(name) != _SIZES.get(name[0]):
        raise DecodeError(f"the header {HEADER} holds no id of a schema")
    if name[0] == _GUID:
        return str(UUID(bytes=name[1:]))
    if (number := int.from_bytes(name[1:])) > _LARGEST:  # registries fail in their own ways if they are asked for it
        raise DecodeError(f"no schema can have the id {number}")
    return number
