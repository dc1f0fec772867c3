"""Writes JSON as Protobuf, in the mapping that ``docs/schema-registry.md`` describes for reading.

A descriptor becomes functions, one for each of its types, which turn JSON into what a message is made of; so nothing is
looked up while an event is written. Members that the message does not have are left out, and so are those that are
null.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from schemas.errors import EncodeError
from schemas.paths import jsonpath
from stream.codecs.protobuf_schema import FREE, WRAPPERS, is_map
from stream.output.formats.unfit import UnfitError
from stream.registry.schema_errors import UnusableSchemaError

Build: TypeAlias = Callable[[Any], Any]
"""Turns a value of JSON into what a field of a message can be set to. Raises UnfitError."""

_LARGEST_FLOAT = (2 - 2**-23) * 2.0**127
_LARGEST_EXACT = 2**53
_FIELD = FieldDescriptor


class ProtobufWriter:
    """Writes events as messages of one type. Any thread may use it."""

    def __init__(self, message: Any) -> None:
        """``message``: the descriptor of the type. Raises UnusableSchemaError."""
        compiler = _Compiler()
        try:
            self._build = compiler.fields(message)
            self._make = GetMessageClass(message)
        except RecursionError:
            raise UnusableSchemaError("has types that contain each other in too long a chain") from None
        self._deep = compiler.deep

    def write(self, event: Any, start: bytes = b"") -> bytes:
        """Return ``event``, parsed JSON, behind ``start``. Raises EncodeError, which names the place and no value."""
        try:
            message: bytes = self._make(**self._build(event)).SerializeToString()
            if self._deep:  # it is written at any depth, but not read again
                self._make.FromString(message)
        except UnfitError as error:
            place = jsonpath(error.steps[::-1])
            raise EncodeError(f"the event does not fit its Protobuf schema: {place} {error}") from None
        except RecursionError:
            raise EncodeError("the event does not fit its Protobuf schema: it is nested too deep") from None
        except Exception as error:  # its message may quote a value
            raise EncodeError(f"the event cannot be written as Protobuf ({type(error).__name__})") from None
        return start + message


class _Compiler:
    """Makes the functions of message types, which call each other as the types contain each other.

    Attributes:
        deep: whether messages may be nested without limit.
    """

    def __init__(self) -> None:
        self.deep = False
        self._made: dict[str, Build] = {}
        self._complete: set[str] = set()

    def fields(self, message: Any) -> Build:
        """Return what turns an object into the fields of ``message``, by name."""
        name = message.full_name
        if name not in self._made:
            self._made[name] = self._later(name)
            self._made[name] = self._fields(message)
            self._complete.add(name)
        self.deep |= name not in self._complete
        return self._made[name]

    def _later(self, name: str) -> Build:
        """Return what calls the function of a type that may contain itself."""
        return lambda value: self._made[name](value)  # noqa: PLW0108 - it is not made yet

    def _fields(self, message: Any) -> Build:
        builds = {field.name: self._field(field) for field in message.fields}
        required = [field.name for field in message.fields if field.is_required]
        keeps_null = {field.name for field in message.fields if _is_value(field) and not field.is_repeated}
        groups = [{field.name for field in oneof.fields} for oneof in message.oneofs if len(oneof.fields) > 1]

        def build_fields(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise UnfitError("is not an object")
            built: dict[str, Any] = {}
            for name, entry in value.items():
                build = builds.get(name)
                if build is None or (entry is None and name not in keeps_null):
                    continue
                try:
                    built[name] = build(entry)
                except UnfitError as error:
                    error.steps.append(name)
                    raise
            for name in required:
                if name not in built:
                    raise UnfitError(f"lacks {jsonpath([name])[1:]}, which is required")
            for group in groups:
                if len(group & built.keys()) > 1:
                    raise UnfitError("has several members of a oneof")
            return built

        return build_fields

    def _field(self, field: Any) -> Build:
        if is_map(field):
            parts = field.message_type.fields_by_name
            return _map(_key(parts["key"]), self._value(parts["value"]))
        build = self._value(field)
        return _list(build) if field.is_repeated else build

    def _value(self, field: Any) -> Build:
        """Return what builds one value of a field."""
        if field.message_type is not None:
            return self._message(field.message_type)
        if field.enum_type is not None:
            return _enum(field.enum_type)
        if field.type == _FIELD.TYPE_BYTES:
            return _bytes
        return _SCALARS[field.cpp_type]

    def _message(self, message: Any) -> Build:
        name = message.full_name
        if name in WRAPPERS:
            build = self._value(message.fields_by_name["value"])
            return lambda value: {"value": build(value)}
        if name in _SPECIAL:
            self.deep |= name in FREE
            return _SPECIAL[name](GetMessageClass(message))
        return self.fields(message)


def _is_value(field: Any) -> bool:
    return field.message_type is not None and field.message_type.full_name == "google.protobuf.Value"


def _list(build: Build) -> Build:
    def build_list(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise UnfitError("is not an array")
        index = 0
        try:
            built = []
            for index, entry in enumerate(value):  # noqa: B007 - for the error
                built.append(build(entry))
        except UnfitError as error:
            error.steps.append(index)
            raise
        return built

    return build_list


def _map(key: Callable[[str], Any], build: Build) -> Build:
    def build_map(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise UnfitError("is not an object")
        built = {}
        for name, entry in value.items():
            try:
                built[key(name)] = build(entry)
            except UnfitError as error:
                error.steps.append(name)
                raise
        return built

    return build_map


def _key(field: Any) -> Callable[[str], Any]:
    if field.type == _FIELD.TYPE_STRING:
        return lambda name: name
    if field.type == _FIELD.TYPE_BOOL:
        return lambda name: _require(name in ("true", "false"), name == "true", "has a name that is not true or false")
    check = _SCALARS[field.cpp_type]

    def key(name: str) -> Any:
        digits = name.removeprefix("-")
        _require(digits.isdecimal() and digits.isascii() and len(digits) < 21, None, "has a name that is not a number")
        return check(int(name))

    return key


def _require(holds: bool, value: Any, reason: str) -> Any:
    if not holds:
        raise UnfitError(reason)
    return value


def _integer(low: int, high: int) -> Build:
    bits = 64 if high >= 2**32 else 32

    def build_integer(value: Any) -> int:
        if type(value) is not int:
            raise UnfitError("is not a whole number")
        if not low <= value <= high:
            raise UnfitError(f"is not a whole number of {bits} bits" + ("" if low else " without a sign"))
        return value

    return build_integer


def _number(largest: float) -> Build:
    def build_number(value: Any) -> float:
        if type(value) not in (int, float):
            raise UnfitError("is not a number")
        if not -largest <= value <= largest:
            raise UnfitError("is beyond the range of its type")
        return float(value)

    return build_number


def _string(value: Any) -> str:
    """Return text; of an object or array, its JSON: so what has no fixed type fits a string."""
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(_require(isinstance(value, str), value, "is not a string"))


def _boolean(value: Any) -> bool:
    return bool(_require(isinstance(value, bool), value, "is not true or false"))


def _bytes(value: Any) -> bytes:
    try:
        return b64decode(_require(isinstance(value, str), value, "is not a string"), validate=True)
    except ValueError:
        raise UnfitError("is not Base64") from None


def _enum(enum: Any) -> Build:
    numbers: dict[Any, int] = {value.name: value.number for value in enum.values}
    known = frozenset(numbers.values())

    def build_enum(value: Any) -> int:
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        if type(value) is int and (value in known or (not enum.is_closed and -(2**31) <= value < 2**31)):
            return value
        raise UnfitError("is not a name of its enum")

    return build_enum


_SCALARS: Mapping[int, Build] = {
    _FIELD.CPPTYPE_INT32: _integer(-(2**31), 2**31 - 1),
    _FIELD.CPPTYPE_INT64: _integer(-(2**63), 2**63 - 1),
    _FIELD.CPPTYPE_UINT32: _integer(0, 2**32 - 1),
    _FIELD.CPPTYPE_UINT64: _integer(0, 2**64 - 1),
    _FIELD.CPPTYPE_FLOAT: _number(_LARGEST_FLOAT),
    _FIELD.CPPTYPE_DOUBLE: _number(1.7976931348623157e308),
    _FIELD.CPPTYPE_BOOL: _boolean,
    _FIELD.CPPTYPE_STRING: _string,
}


def _moment(make: Callable[[], Any]) -> Build:
    """Return what builds a Timestamp or Duration."""

    def build_moment(value: Any) -> Any:
        if isinstance(value, dict):  # one that is beyond the range of its type is read as its fields
            whole = _SCALARS[_FIELD.CPPTYPE_INT64]
            return {name: whole(value.get(name, 0)) for name in ("seconds", "nanos")}
        moment = make()
        try:
            moment.FromJsonString(_require(isinstance(value, str), value, "is not a string"))
        except ValueError:
            raise UnfitError("is not a time of its type") from None
        return moment

    return build_moment


def _free(kind: str) -> Callable[[Callable[[], Any]], Build]:
    """Return what makes the function for JSON of any shape, within a message that holds one ``kind`` of it."""

    def prepare(make: Callable[[], Any]) -> Build:
        def build_free(value: Any) -> Any:
            _require_exact(value)
            made = make()
            if kind == "Struct":
                made.update(_require(isinstance(value, dict), value, "is not an object"))
            elif kind == "ListValue":
                made.extend(_require(isinstance(value, list), value, "is not an array"))
            elif isinstance(value, dict):
                made.struct_value.SetInParent()  # it may be empty
                made.struct_value.update(value)
            elif isinstance(value, list):
                made.list_value.SetInParent()
                made.list_value.extend(value)
            elif value is None:
                made.null_value = 0
            elif isinstance(value, bool):
                made.bool_value = value
            elif isinstance(value, str):
                made.string_value = value
            else:
                made.number_value = value
            return made

        return build_free

    return prepare


def _require_exact(value: Any) -> None:
    """Raise UnfitError if a whole number in ``value`` has more digits than a Value can hold."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
        elif type(part) is int and abs(part) > _LARGEST_EXACT:
            raise UnfitError("has a whole number with more digits than a Value can hold")


_SPECIAL: dict[str, Callable[[Callable[[], Any]], Build]] = {
    "google.protobuf.Timestamp": _moment,
    "google.protobuf.Duration": _moment,
    **{f"google.protobuf.{kind}": _free(kind) for kind in ("Struct", "Value", "ListValue")},
}
"""Full name -> what makes the function of a message that JSON has in another form than an object, given its class."""
