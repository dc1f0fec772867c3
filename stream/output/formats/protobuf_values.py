"""Turns single values of JSON into what fields of a Protobuf message can be set to."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import orjson
from google.protobuf.descriptor import FieldDescriptor

from stream.output.formats.unfit import UnfitError

Build: TypeAlias = Callable[[Any], Any]
"""Turns a value of JSON into what a field of a message can be set to. Raises UnfitError."""

_LARGEST_FLOAT = (2 - 2**-23) * 2.0**127
_LARGEST_EXACT = 2**53
_FIELD = FieldDescriptor


def scalar(field: Any) -> Build:
    """Return what builds a value of ``field``, which holds no message."""
    if field.enum_type is not None:
        return _enum(field.enum_type)
    return _bytes if field.type == _FIELD.TYPE_BYTES else _SCALARS[field.cpp_type]


def map_key(field: Any) -> Build:
    """Return what builds a key of a map from the name of a member; ``field``: the one of the keys."""
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


SPECIAL: dict[str, Callable[[Callable[[], Any]], Build]] = {
    "google.protobuf.Timestamp": _moment,
    "google.protobuf.Duration": _moment,
    **{f"google.protobuf.{kind}": _free(kind) for kind in ("Struct", "Value", "ListValue")},
}
"""Full name -> what makes the function of a message that JSON has in another form than an object, given its class."""
