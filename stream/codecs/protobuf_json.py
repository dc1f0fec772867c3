"""Protobuf messages, as the JSON that ``docs/schema-registry.md`` describes.

A descriptor becomes functions, one for each message type, so nothing is looked up while a message is read. It is the
canonical JSON of Protobuf but for four things: names are those of the schema, 64-bit integers are numbers, ``Any`` and
``FieldMask`` are objects of their fields, and what JSON cannot represent is ``null``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from schemas.errors import DecodeError
from schemas.replaced import Replaced
from stream.codecs.converted import as_json
from stream.codecs.protobuf_bounds import bounds
from stream.codecs.protobuf_schema import WRAPPERS, is_map

Convert: TypeAlias = Callable[[Any], Any]
"""Turns a value of a message into one for JSON."""

_MOST_SYMBOLS = 1_000_000
"""Entries of a repeated enum, each of which has one byte and becomes a name."""
_LARGEST_EXACT = 2**53


class ProtobufReader:
    """Reads messages of one type as JSON.

    Attributes:
        lacks: why no message can have a text; None if it can.
    """

    def __init__(self, message: Any, name: str) -> None:
        """``message``: the descriptor of the type; ``name``: what to call it in messages."""
        compiler = _Compiler()
        self._parse: Callable[[bytes], Any] = GetMessageClass(message).FromString
        self._convert = compiler.message(message)
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
            raise DecodeError(f"the value is not Protobuf of {self._name} ({type(error).__name__})") from None

    def as_json(self, fields: Any) -> tuple[bytes, Replaced | None]:
        """Return what ``read`` returned as JSON, and the values in it that JSON cannot represent; None if all can."""
        return as_json(fields, self._floats)


class _Compiler:
    """Makes the functions of message types, which call each other as the types contain each other.

    Attributes:
        floats: whether a message may contain a float, and so one that JSON cannot represent.
    """

    def __init__(self) -> None:
        self.floats = False
        self._made: dict[str, Convert] = {}

    def message(self, message: Any) -> Convert:
        name = message.full_name
        if name in _SPECIAL:
            self.floats |= name in _WITH_FLOATS
            return _SPECIAL[name]
        if name not in self._made:
            self._made[name] = self._later(name)
            self._made[name] = self._fields(message)
        return self._made[name]

    def _later(self, name: str) -> Convert:
        """Return what calls the function of a type that may contain itself."""
        return lambda value: self._made[name](value)  # noqa: PLW0108 - it is not made yet

    def _fields(self, message: Any) -> Convert:
        fields = {field.number: (field.name, self._field(field)) for field in message.fields}
        absent: dict[str, Any] = {}
        lists: list[str] = []
        maps: list[str] = []
        for field in message.fields:
            if field.is_repeated:
                (maps if is_map(field) else lists).append(field.name)
                absent[field.name] = None
            elif not field.has_presence:
                convert = self._value(field)
                absent[field.name] = field.default_value if convert is None else convert(field.default_value)

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
        return _symbols(convert) if field.enum_type is not None else _entries(convert)

    def _value(self, field: Any) -> Convert | None:
        """Return what converts one value of a field."""
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            return _enum(field.enum_type)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return _base64
        self.floats |= field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)
        return None


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


def _symbols(convert: Convert) -> Convert:
    def convert_symbols(value: Any) -> list[Any]:
        if len(value) > _MOST_SYMBOLS:
            raise DecodeError(f"the value has an enum more than {_MOST_SYMBOLS} times")
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
