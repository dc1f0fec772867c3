"""Writers of the Avro types without parts: primitive and logical types, enums and fixed.

JSON has fewer types than Avro: bytes are Base64, and dates, times and decimals are text.
``docs/schema-registry.md`` describes the mapping.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias
from uuid import UUID

import orjson

from stream.codecs.avro_logical import JSON, OURS
from stream.output.formats.unfit import UnfitError

Write: TypeAlias = Callable[[Any, bytearray], None]
"""Appends a value. Raises UnfitError."""

_FLOAT, _DOUBLE = struct.Struct("<f").pack, struct.Struct("<d").pack
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BITS = {"int": 31, "long": 63}
"""Type -> the bits of its numbers without their sign."""
_LONGEST_DECIMAL = 1000
"""Characters of a decimal, and digits by which it may be moved."""


def append_long(number: int, out: bytearray) -> None:
    """Append ``number``, of up to 64 bits, as Avro's variable-length integer."""
    number = (number << 1) ^ (number >> 63)
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def append_bytes(data: bytes, out: bytearray) -> None:
    """Append the length of ``data`` and then ``data``."""
    append_long(len(data), out)
    out += data


def leaf(schema: Mapping[str, Any]) -> Write:
    """Return the writer of a type without parts; ``schema`` is that of the type."""
    kind, logical = schema["type"], str(schema.get("logicalType", ""))
    if kind in _BITS:
        return _integer(_BITS[kind], _INTEGERS.get(logical.removeprefix(OURS)))
    if kind == "enum":
        symbols = {symbol: index for index, symbol in enumerate(schema["symbols"])}
        return _checked(str, "is not a symbol of its enum", lambda value, out: append_long(symbols[value], out))
    if kind in ("bytes", "fixed"):
        size = schema["size"] if kind == "fixed" else None
        return _binary(size, _BINARY.get(logical.removeprefix(OURS), _from_base64), schema)
    if logical == JSON:
        return lambda value, out: append_bytes(orjson.dumps(value), out)
    return _LEAVES[kind]


def default_leaf(schema: Mapping[str, Any]) -> Write:
    """Return the writer of a type's defaults, which a schema spells otherwise: bytes are characters up to U+00FF."""
    kind = schema["type"]
    if kind in ("bytes", "fixed"):
        return _binary(schema["size"] if kind == "fixed" else None, lambda text, _: text.encode("latin-1"), schema)
    return _LEAVES["string"] if schema.get("logicalType") == JSON else leaf(schema)


def _checked(kind: type, reason: str, write: Write) -> Write:
    def write_checked(value: Any, out: bytearray) -> None:
        if not isinstance(value, kind):
            raise UnfitError(reason)
        try:
            write(value, out)
        except (LookupError, ValueError, ArithmeticError):
            raise UnfitError(reason) from None

    return write_checked


def _integer(bits: int, parse: Callable[[str], int] | None) -> Write:
    limit = 1 << bits

    def write_integer(value: Any, out: bytearray) -> None:
        if parse is not None and isinstance(value, str):
            try:
                value = parse(value)
            except ValueError:
                raise UnfitError("is not a date or time of its type") from None
        if type(value) is not int:
            raise UnfitError("is not a whole number")
        if not -limit <= value < limit:
            raise UnfitError(f"is not a whole number of {bits + 1} bits")
        append_long(value, out)

    return write_integer


def _binary(size: int | None, parse: Callable[[str, Mapping[str, Any]], bytes], schema: Mapping[str, Any]) -> Write:
    def write_binary(value: Any, out: bytearray) -> None:
        if not isinstance(value, str):
            raise UnfitError("is not a string")
        try:
            data = parse(value, schema)
        except (ValueError, InvalidOperation, OverflowError):
            raise UnfitError("cannot be read as bytes of its type") from None
        if size is None:
            append_long(len(data), out)
        elif len(data) != size:
            raise UnfitError(f"does not have {size} bytes")
        out += data

    return write_binary


def _number(pack: Callable[[float], bytes]) -> Write:
    def write_number(value: Any, out: bytearray) -> None:
        if type(value) not in (int, float):
            raise UnfitError("is not a number")
        try:
            out += pack(value)
        except (OverflowError, struct.error):
            raise UnfitError("is beyond the range of its type") from None

    return write_number


def _null(value: Any, _: bytearray) -> None:
    if value is not None:
        raise UnfitError("is not null")


_LEAVES: dict[str, Write] = {
    "null": _null,
    "boolean": _checked(bool, "is not true or false", lambda value, out: out.append(value)),
    "float": _number(_FLOAT),
    "double": _number(_DOUBLE),
    "string": _checked(str, "is not a string", lambda value, out: append_bytes(value.encode(), out)),
}


def _timestamp(unit: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        between = moment - _EPOCH
        seconds = between.days * 86_400 + between.seconds
        fraction = text.partition(".")[2].rstrip("Z")[:9] if unit > 1_000_000 else ""
        below = int(fraction.ljust(9, "0")) if fraction.isdigit() else between.microseconds * unit // 1_000_000
        return seconds * unit + below

    return parse


def _time(unit: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        moment = time.fromisoformat(text)
        seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
        return seconds * unit + moment.microsecond * unit // 1_000_000

    return parse


_UNITS = {"millis": 1000, "micros": 1_000_000, "nanos": 1_000_000_000}


_INTEGERS: dict[str, Callable[[str], int]] = {
    "date": lambda text: date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal(),
    "time-millis": _time(1000),
    "time-micros": _time(1_000_000),
    **{f"timestamp-{name}": _timestamp(unit) for name, unit in _UNITS.items()},
    **{f"local-timestamp-{name}": _timestamp(unit) for name, unit in _UNITS.items()},
}
"""Logical type -> what turns its text into a number. A number is written as it is."""


def _from_base64(text: str, _: Mapping[str, Any]) -> bytes:
    return b64decode(text, validate=True)


def _from_decimal(text: str, schema: Mapping[str, Any]) -> bytes:
    sign, digits, exponent = Decimal(text).as_tuple() if len(text) <= _LONGEST_DECIMAL else (0, (), "n")
    shift = exponent + schema.get("scale", 0) if isinstance(exponent, int) else _LONGEST_DECIMAL
    if abs(shift) >= _LONGEST_DECIMAL:
        raise ValueError
    number: int = int("".join(map(str, digits)))
    number, rest = (number * 10**shift, 0) if shift >= 0 else divmod(number, 10**-shift)
    if rest:  # more digits than the type has
        raise ValueError
    number = -number if sign else number
    size: int = schema.get("size") or (number + (number < 0)).bit_length() // 8 + 1
    data: bytes = number.to_bytes(size, signed=True)
    return data


_BINARY: dict[str, Callable[[str, Mapping[str, Any]], bytes]] = {
    "decimal": _from_decimal,
    "uuid": lambda text, _: UUID(text).bytes,
}
