"""Writes JSON as Protobuf, in the mapping that ``docs/schema-registry.md`` describes for reading.

A descriptor becomes functions, one for each of its types, which turn JSON into what a message is made of; so nothing is
looked up while an event is written. Members that the message does not have are left out, and so are those that are
null.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message_factory import GetMessageClass

from schemas.errors import EncodeError
from schemas.paths import jsonpath
from stream.codecs.protobuf_schema import FREE, WRAPPERS, is_map
from stream.output.formats.protobuf_values import SPECIAL, Build, map_key, scalar
from stream.output.formats.unfit import UnfitError
from stream.registry.schema_errors import UnusableSchemaError


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
            return _map(map_key(parts["key"]), self._value(parts["value"]))
        build = self._value(field)
        return _list(build) if field.is_repeated else build

    def _value(self, field: Any) -> Build:
        """Return what builds one value of a field."""
        return scalar(field) if field.message_type is None else self._message(field.message_type)

    def _message(self, message: Any) -> Build:
        name = message.full_name
        if name in WRAPPERS:
            build = self._value(message.fields_by_name["value"])
            return lambda value: {"value": build(value)}
        if name in SPECIAL:
            self.deep |= name in FREE
            return SPECIAL[name](GetMessageClass(message))
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


def _map(key: Build, build: Build) -> Build:
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
