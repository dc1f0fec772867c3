"""Writes JSON as Avro, in the mapping that ``docs/schema-registry.md`` describes for reading.

A schema becomes functions that append to the value, one for each of its types, so nothing is looked up while an event
is written. Members that the schema does not have are left out; so a schema may have only some of an event's fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from schemas.errors import EncodeError
from schemas.paths import jsonpath
from stream.codecs.avro_logical import JSON, OURS
from stream.codecs.avro_schema import AvroSchema
from stream.codecs.avro_survey import Node
from stream.output.formats.avro_leaves import Write, append_bytes, append_long, default_leaf, leaf
from stream.output.formats.unfit import UnfitError
from stream.registry.schema_errors import UnusableSchemaError

Fits: TypeAlias = Callable[[Any], bool]
"""Whether a value may be of a branch of a union. Only its outside is looked at."""

_LONGEST, _LONGEST_DEFAULT, _MOST_DEFAULTS = 100_000_000, 1_000_000, 10_000_000
"""Bytes of an event that has defaults, of one default, and of all defaults of a schema. A default may have the defaults
of other records, each twice as many as the next one."""

_MOST_BRANCHES = 1000
"""Types of a union, each of which may be asked whether a value fits it."""


class AvroWriter:
    """Writes events in one schema. Any thread may use it."""

    def __init__(self, schema: AvroSchema) -> None:
        """``schema``: the one to write in. Raises UnusableSchemaError if a default does not fit, or is too long."""
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
        self._leaf = default_leaf if of_defaults else leaf
        self._defaults = self if of_defaults else _Compiler(schema, True)
        self._longest, self._left = (_LONGEST_DEFAULT, _MOST_DEFAULTS) if of_defaults else (_LONGEST, 0)

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
            return self._by_name(schema["name"])
        if kind == "array":
            return _array(self.writer(schema["items"]))
        if kind == "map":
            return _map(self.writer(schema["values"]))
        return self._leaf(schema)

    def _by_name(self, name: str) -> Write:
        """Return the writer of a named type, which may contain itself."""
        if name not in self._named:
            self._named[name] = self._later(name)
            schema = self._schema.types[name]
            self._named[name] = self._record(schema) if schema["type"] in ("record", "error") else self.writer(schema)
        return self._named[name]

    def _later(self, name: str) -> Write:
        def write_named(value: Any, out: bytearray) -> None:
            self._named[name](value, out)

        return write_named

    def _record(self, schema: Mapping[str, Any]) -> Write:
        fields: list[tuple[str, Write, bytes | None]] = []
        longest = self._longest
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
                    if len(out) + len(default) > longest:
                        raise UnfitError(f"has defaults with which it is longer than {longest} bytes")
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
                append_long(index, written)
            try:
                self.writer(branch)(value, written)
            except UnfitError as error:
                unfit = error
            else:
                self._left -= len(written)
                if self._left < 0:
                    raise UnusableSchemaError(f"has defaults of more than {_MOST_DEFAULTS} bytes together")
                return bytes(written)
        unfit.steps.append(field["name"])
        raise unfit

    def _union(self, branches: list[Any]) -> Write:
        if len(branches) > _MOST_BRANCHES:
            raise UnusableSchemaError(f"has a union of more than {_MOST_BRANCHES} types")
        choices: list[tuple[Fits, bytes, Write]] = []
        for index, branch in enumerate(branches):
            number = bytearray()
            append_long(index, number)
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
            if schema.get("logicalType", "").startswith(OURS):
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


def _array(write: Write) -> Write:
    def write_array(value: Any, out: bytearray) -> None:
        if not isinstance(value, list):
            raise UnfitError("is not an array")
        if value:
            append_long(len(value), out)
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
            append_long(len(value), out)
            for name, entry in value.items():
                append_bytes(name.encode(), out)
                try:
                    write(entry, out)
                except UnfitError as error:
                    error.steps.append(name)
                    raise
        out.append(0)

    return write_map
