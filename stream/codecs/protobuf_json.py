"""Protobuf messages, as the JSON that ``docs/schema-registry.md`` describes.

A descriptor becomes functions, one for each message type, so nothing is looked up while a message is read. It is the
canonical JSON of Protobuf but for four things: names are those of the schema, 64-bit integers are numbers, ``Any`` and
``FieldMask`` are objects of their fields, and what JSON cannot represent is ``null``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from schemas.errors import DecodeError
from schemas.replaced import Replaced
from stream.codecs.converted import as_json
from stream.codecs.protobuf_bounds import NAME, bounds
from stream.codecs.protobuf_schema import WRAPPERS, is_map
from stream.registry.schema_errors import kind_of

Convert: TypeAlias = Callable[[Any], Any]
"""Turns a value of a message into one for JSON."""

_MOST_SYMBOLS = 1_000_000
"""Entries of a repeated enum, each of which has one byte and becomes a name; fewer if it has long names."""
_LARGEST_EXACT = 2**53


class ProtobufReader:
    """Reads messages of one type as JSON.

    Attributes:
        lacks: why no message can have a text; None if it can.
    """

    def __init__(self, message: Any, name: str) -> None:
        """``message``: the descriptor of the type; ``name``: what to call it in messages."""
        compiler = _Compiler()
        self._convert = compiler.compile(message)
        for part in compiler.types:
            # It goes on to the types that a type contains, which may be too deep; the type itself is made first.
            with suppress(RecursionError):
                GetMessageClass(part)
        self._parse: Callable[[bytes], Any] = GetMessageClass(message).FromString
        self._floats = compiler.floats
        self._check = bounds(message)
        self._name = name
        self.lacks: str | None = None

    def read(self, value: bytes, start: int) -> tuple[Any, int]:
        """Return what ``value`` contains from ``start`` on, and how many bytes are of fields that the type lacks.

        Raises DecodeError, which quotes nothing of it.
        """
        data = value[start:] if start else value
        self._check(data)
        try:
            message = self._parse(data)
            size = message.ByteSize()
            message.DiscardUnknownFields()
            return self._convert(message), size - message.ByteSize()
        except DecodeError:
            raise
        except Exception as error:  # of many kinds, whose messages may quote the value
            raise DecodeError(f"the value is not Protobuf of {self._name}{kind_of(error)}") from None

    def as_json(self, fields: Any) -> tuple[bytes, Replaced | None]:
        """Return what ``read`` returned as JSON, and the values in it that JSON cannot represent; None if all can."""
        return as_json(fields, self._floats)


class _Shape(NamedTuple):
    """The fields of a message type.

    - ``fields``: number -> name, and what converts the value; None if it is one for JSON already.
    - ``absent``: what a message without any becomes, in the order of the schema, but for ``lists`` and ``maps``.
    """

    fields: dict[int, tuple[str, Convert | None]]
    absent: dict[str, Any]
    lists: list[str]
    maps: list[str]


class _Compiler:
    """Makes the functions of message types, which call each other as the types contain each other.

    Attributes:
        floats: whether a message may contain a float, and so one that JSON cannot represent.
        types: the descriptors of the types that become objects.
    """

    def __init__(self) -> None:
        self.floats = False
        self.types: list[Any] = []
        self._made: dict[str, Convert] = {}
        self._waiting: list[tuple[Any, _Shape]] = []

    def compile(self, message: Any) -> Convert:
        """Return what converts messages of a type, given its descriptor."""
        convert = self._message(message)
        while self._waiting:  # no recursion: types can contain each other in a chain of any length
            self._fill(*self._waiting.pop())
        return convert

    def _message(self, message: Any) -> Convert:
        """Return the function of a type, which can be called when nothing is waiting any more."""
        name = message.full_name
        if name in _SPECIAL:
            self.floats |= name in _WITH_FLOATS
            return _SPECIAL[name]
        if name not in self._made:
            shape = _Shape({}, {}, [], [])
            self._made[name] = _converter(*shape)
            self._waiting.append((message, shape))
            self.types.append(message)
        return self._made[name]

    def _fill(self, message: Any, shape: _Shape) -> None:
        for field in message.fields:
            shape.fields[field.number] = (field.name, self._field(field))
            if field.is_repeated:
                (shape.maps if is_map(field) else shape.lists).append(field.name)
                shape.absent[field.name] = None
            elif not field.has_presence:
                convert = self._value(field)
                shape.absent[field.name] = field.default_value if convert is None else convert(field.default_value)

    def _field(self, field: Any) -> Convert | None:
        """Return what converts a field; None if its value is one for JSON already."""
        if is_map(field):
            parts = field.message_type.fields_by_name
            return _map(_KEYS.get(parts["key"].type, str), self._value(parts["value"]))
        convert = self._value(field)
        if not field.is_repeated:
            return convert
        if convert is None:
            return list
        return _entries(convert) if field.enum_type is None else _symbols(convert, field.enum_type)

    def _value(self, field: Any) -> Convert | None:
        """Return what converts one value of a field."""
        if field.message_type is not None:
            return self._message(field.message_type)
        if field.enum_type is not None:
            return _enum(field.enum_type)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return _base64
        self.floats |= field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)
        return None


def _converter(
    fields: dict[int, tuple[str, Convert | None]], absent: dict[str, Any], lists: list[str], maps: list[str]
) -> Convert:
    """Return what converts messages of the shape that the arguments will describe when it is called."""

    def convert_message(value: Any) -> dict[str, Any]:
        converted = absent.copy()
        for name in lists:
            converted[name] = []
        for name in maps:
            converted[name] = {}
        for field, entry in value.ListFields():
            name, convert = fields[field.number]
            converted[name] = entry if convert is None else convert(entry)
        return converted

    return convert_message


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


_KEYS: dict[int, Callable[[Any], str]] = {
    FieldDescriptor.TYPE_STRING: lambda key: key,
    FieldDescriptor.TYPE_BOOL: lambda key: "true" if key else "false",
}
"""Types of keys that are not written as their digits."""


def _map(key: Callable[[Any], str], convert: Convert | None) -> Convert:
    if convert is None:
        return lambda value: {key(name): entry for name, entry in value.items()}
    return lambda value: {key(name): convert(entry) for name, entry in value.items()}


def _entries(convert: Convert) -> Convert:
    return lambda value: [convert(entry) for entry in value]


def _symbols(convert: Convert, enum: Any) -> Convert:
    most = _MOST_SYMBOLS // (1 + max(len(value.name) for value in enum.values) // NAME)

    def convert_symbols(value: Any) -> list[Any]:
        if len(value) > most:
            raise DecodeError(f"the value has an enum more than {most} times")
        return [convert(entry) for entry in value]

    return convert_symbols


def _enum(enum: Any) -> Convert:
    if enum.full_name == "google.protobuf.NullValue":
        return lambda number: None
    names = {value.number: value.name for value in reversed(enum.values)}  # of aliases, the first
    return lambda number: names.get(number, number)


def _moment(value: Any) -> Any:
    """Return a Timestamp or Duration as text; as an object of its fields if it is beyond the range of its type."""
    try:
        return value.ToJsonString()
    except ValueError:
        return {"seconds": value.seconds, "nanos": value.nanos}


def _free(value: Any) -> Any:
    """Return what a ``Value`` holds."""
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            number = value.number_value
            whole = number.is_integer() and abs(number) < _LARGEST_EXACT and str(number) != "-0.0"
            return int(number) if whole else number
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _struct(value.struct_value)
        case "list_value":
            return _list(value.list_value)
    return None


def _struct(value: Any) -> dict[str, Any]:
    return {name: _free(entry) for name, entry in value.fields.items()}


def _list(value: Any) -> list[Any]:
    return [_free(entry) for entry in value.values]


_SPECIAL: dict[str, Convert] = {
    **{name: lambda value: value.value for name in WRAPPERS},
    "google.protobuf.BytesValue": lambda value: _base64(value.value),
    "google.protobuf.Timestamp": _moment,
    "google.protobuf.Duration": _moment,
    "google.protobuf.Struct": _struct,
    "google.protobuf.Value": _free,
    "google.protobuf.ListValue": _list,
}
"""Full name -> what converts messages that do not become objects of their fields."""
_WITH_FLOATS = frozenset(
    f"google.protobuf.{name}" for name in ("DoubleValue", "FloatValue", "Struct", "Value", "ListValue")
)
