"""Writes JSON as Avro, in the mapping that ``docs/schema-registry.md`` describes for reading.

A schema becomes functions that append to the value, one for each of its types, so nothing is looked up while an event
is written. Members that the schema does not have are left out; so a schema may have only some of an event's fields.
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

from schemas.errors import EncodeError
from schemas.paths import jsonpath
from stream.codecs.avro_logical import JSON
from stream.codecs.avro_schema import AvroSchema, Node
from stream.codecs.schema_errors import UnusableSchemaError
from stream.output.formats.unfit import UnfitError

Write: TypeAlias = Callable[[Any, bytearray], None]
"""Appends a value. Raises UnfitError."""
Fits: TypeAlias = Callable[[Any], bool]
"""Whether a value may be of a branch of a union. Only its outside is looked at."""

_FLOAT, _DOUBLE = struct.Struct("<f").pack, struct.Struct("<d").pack
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OURS = "glossator."
_MOST = {"int": 31, "long": 63}
_LONGEST_DECIMAL = 1000
"""Characters of a decimal, and digits by which it may be moved."""


class AvroWriter:
    """Writes events in one schema. Any thread may use it."""

    def __init__(self, schema: AvroSchema) -> None:
        """``schema``: the one to write in. Raises UnusableSchemaError if a default in it does not fit its field."""
        try:
            self._write = _Compiler(schema).writer(schema.root)
        except UnfitError as error:
            raise UnusableSchemaError(f"has a default at {jsonpath(error.steps[::-1])} that {error}") from None
        except RecursionError:
            raise UnusableSchemaError("is nested too deep, or has a default that contains itself") from None

    def write(self, event: Any, start: bytes = b"") -> bytes:
        """Return ``event``, parsed JSON, behind ``start``. Raises EncodeError, which names the place and no value."""
        out = bytearray(start)
        try:
            self._write(event, out)
        except UnfitError as error:
            place = jsonpath(error.steps[::-1])
            raise EncodeError(f"the event does not fit its Avro schema: {place} {error}") from None
        except RecursionError:
            raise EncodeError("the event does not fit its Avro schema: it is nested too deep") from None
        return bytes(out)


class _Compiler:
    """Makes the writers of a schema's types; or, as its own ``_defaults``, those of defaults in the schema.

    In a default, bytes are characters up to U+00FF (Avro 1.12, "Complex Types"), and JSON text is what it is.
    """

    def __init__(self, schema: AvroSchema, of_defaults: bool = False) -> None:
        self._schema = schema
        self._named: dict[str, Write] = {}
        self._leaf = _default_leaf if of_defaults else _leaf
        self._defaults = self if of_defaults else _Compiler(schema, True)

    def writer(self, node: Node) -> Write:
        if isinstance(node, str) and node in self._schema.types:
            return self._by_name(node)
        if isinstance(node, list):
            return self._union(node)
        schema: Mapping[str, Any] = {"type": node} if isinstance(node, str) else node
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.writer(kind)
        if kind in self._schema.types:
            return self._by_name(kind)
        if kind in ("record", "error"):
            return self._record(schema)
        if kind == "array":
            return _array(self.writer(schema["items"]))
        if kind == "map":
            return _map(self.writer(schema["values"]))
        return self._leaf(schema)

    def _by_name(self, name: str) -> Write:
        """Return the writer of a named type, which may contain itself."""
        if name not in self._named:
            self._named[name] = self._later(name)
            self._named[name] = self.writer(self._schema.types[name])
        return self._named[name]

    def _later(self, name: str) -> Write:
        def write_named(value: Any, out: bytearray) -> None:
            self._named[name](value, out)

        return write_named

    def _record(self, schema: Mapping[str, Any]) -> Write:
        fields: list[tuple[str, Write, bytes | None]] = []
        for field in schema["fields"]:
            default = self._defaults.default(field) if "default" in field else None
            fields.append((field["name"], self.writer(field["type"]), default))

        def write_record(value: Any, out: bytearray) -> None:
            if not isinstance(value, dict):
                raise UnfitError("is not an object")
            for name, write, default in fields:
                if name in value:
                    try:
                        write(value[name], out)
                    except UnfitError as error:
                        error.steps.append(name)
                        raise
                elif default is not None:
                    out += default
                else:
                    raise UnfitError(f"lacks {jsonpath([name])[1:]}, which has no default")

        return write_record

    def default(self, field: Mapping[str, Any]) -> bytes:
        """Return the default of a field as it is written: of a union, as the first branch that it fits."""
        kind, value = field["type"], field["default"]
        unfit = UnfitError("is of no type of its union")
        for index, branch in enumerate(kind if isinstance(kind, list) else [kind]):
            written = bytearray()
            if isinstance(kind, list):
                _append_long(index, written)
            try:
                self.writer(branch)(value, written)
            except UnfitError as error:
                unfit = error
            else:
                return bytes(written)
        unfit.steps.append(field["name"])
        raise unfit

    def _union(self, branches: list[Any]) -> Write:
        choices: list[tuple[Fits, bytes, Write]] = []
        for index, branch in enumerate(branches):
            number = bytearray()
            _append_long(index, number)
            choices.append((self._fits(branch), bytes(number), self.writer(branch)))

        def write_union(value: Any, out: bytearray) -> None:
            for fits, number, write in choices:
                if fits(value):
                    out += number
                    write(value, out)
                    return
            raise UnfitError("is of no type of its union")

        return write_union

    def _fits(self, node: Node) -> Fits:
        schema = self._schema.resolve(node)
        if isinstance(schema, list):
            inner = [self._fits(branch) for branch in schema]
            return lambda value: any(fits(value) for fits in inner)
        kind = schema if isinstance(schema, str) else schema["type"]
        if isinstance(schema, dict):
            if not isinstance(kind, str):
                return self._fits(kind)
            if schema.get("logicalType") == JSON:
                return lambda value: value is not None
            if kind in ("record", "error"):
                known = {field["name"] for field in schema["fields"]}
                needed = {field["name"] for field in schema["fields"] if "default" not in field}
                return lambda value: isinstance(value, dict) and needed <= value.keys() <= known
            if kind == "enum":
                symbols = frozenset(schema["symbols"])
                return lambda value: isinstance(value, str) and value in symbols
            if schema.get("logicalType", "").startswith(_OURS):
                return lambda value: isinstance(value, str) or type(value) is int
        return _FITS.get(str(kind), lambda value: isinstance(value, str))


_FITS: dict[str, Fits] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int and -(2**31) <= value < 2**31,
    "long": lambda value: type(value) is int,
    "float": lambda value: type(value) in (int, float),
    "double": lambda value: type(value) in (int, float),
    "array": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
}


def _append_long(number: int, out: bytearray) -> None:
    number = (number << 1) ^ (number >> 63)
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _append_bytes(data: bytes, out: bytearray) -> None:
    _append_long(len(data), out)
    out += data


def _array(write: Write) -> Write:
    def write_array(value: Any, out: bytearray) -> None:
        if not isinstance(value, list):
            raise UnfitError("is not an array")
        if value:
            _append_long(len(value), out)
            index = 0
            try:
                for index, entry in enumerate(value):  # noqa: B007 - for the error
                    write(entry, out)
            except UnfitError as error:
                error.steps.append(index)
                raise
        out.append(0)

    return write_array


def _map(write: Write) -> Write:
    def write_map(value: Any, out: bytearray) -> None:
        if not isinstance(value, dict):
            raise UnfitError("is not an object")
        if value:
            _append_long(len(value), out)
            for name, entry in value.items():
                _append_bytes(name.encode(), out)
                try:
                    write(entry, out)
                except UnfitError as error:
                    error.steps.append(name)
                    raise
        out.append(0)

    return write_map


def _leaf(schema: Mapping[str, Any]) -> Write:
    """Return the writer of a type without parts."""
    kind, logical = schema["type"], str(schema.get("logicalType", ""))
    if kind in _MOST:
        return _integer(_MOST[kind], _INTEGERS.get(logical.removeprefix(_OURS)))
    if kind == "enum":
        symbols = {symbol: index for index, symbol in enumerate(schema["symbols"])}
        return _checked(str, "is none of the symbols", lambda value, out: _append_long(symbols[value], out))
    if kind in ("bytes", "fixed"):
        size = schema["size"] if kind == "fixed" else None
        return _binary(size, _BINARY.get(logical.removeprefix(_OURS), _from_base64), schema)
    if logical == JSON:
        return lambda value, out: _append_bytes(orjson.dumps(value), out)
    return _LEAVES[kind]


def _default_leaf(schema: Mapping[str, Any]) -> Write:
    """Return the writer of the defaults of a type without parts."""
    kind = schema["type"]
    if kind in ("bytes", "fixed"):
        return _binary(schema["size"] if kind == "fixed" else None, lambda text, _: text.encode("latin-1"), schema)
    return _LEAVES["string"] if schema.get("logicalType") == JSON else _leaf(schema)


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
        _append_long(value, out)

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
            _append_long(len(data), out)
        elif len(data) != size:
            raise UnfitError(f"has not {size} bytes")
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
    "string": _checked(str, "is not a string", lambda value, out: _append_bytes(value.encode(), out)),
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
