"""How deep a value of a recursive Avro schema is nested, before the reader in C meets it, which crashes if it is deep.

Only the bytes are walked over, and nothing is built. Schemas that are not recursive have no need of it: their depth is
that of the schema.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from schemas.errors import DecodeError
from stream.codecs.avro_schema import AvroSchema, Node

DEEPEST = 200
"""Levels of records, arrays and maps in a value. orjson writes 254."""

_Skip: TypeAlias = Callable[[bytes, int, int], int]
"""Takes a value, where in it something begins, and the levels around that; returns where it ends."""
_FIXED = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_CORRUPT = "the value is not Avro of its schema: it ends early, or its numbers make no sense"


def depth_check(schema: AvroSchema) -> Callable[[bytes, int], None]:
    """Return what raises DecodeError for a value, given with its beginning, that is too deep or ends early."""
    skip = _Compiler(schema).compile(schema.root)

    def check(value: bytes, start: int) -> None:
        skip(value, start, 0)

    return check


def _long(value: bytes, at: int) -> tuple[int, int]:
    """Return a zigzag number of up to 10 bytes, and where it ends."""
    number = shift = 0
    while True:
        if at >= len(value) or shift > 63:
            raise DecodeError(_CORRUPT)
        byte = value[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
        shift += 7


def _number(value: bytes, at: int, _: int) -> int:
    return _long(value, at)[1]


def _bytes(value: bytes, at: int, _: int) -> int:
    size, at = _long(value, at)
    if size < 0 or at + size > len(value):
        raise DecodeError(_CORRUPT)
    return at + size


def _fixed(size: int) -> _Skip:
    return lambda value, at, depth: at + size


class _Compiler:
    """Turns a schema into functions that call each other as its types contain each other."""

    def __init__(self, schema: AvroSchema) -> None:
        self._schema = schema
        self._named: dict[str, _Skip] = {}

    def compile(self, node: Node) -> _Skip:
        if isinstance(node, str) and node in self._schema.types:
            return lambda value, at, depth, name=node: self._by_name(name)(value, at, depth)  # type: ignore[misc]
        if isinstance(node, list):
            return self._union([self.compile(branch) for branch in node])
        kind: Any = node if isinstance(node, str) else node["type"]
        if not isinstance(kind, str):
            return self.compile(kind)
        if kind in _FIXED:
            return _fixed(_FIXED[kind])
        if kind in ("bytes", "string"):
            return _bytes
        if isinstance(node, dict) and kind == "fixed":
            return _fixed(int(node["size"]))
        if isinstance(node, dict) and kind in ("array", "map"):
            return self._blocks(self.compile(node["items" if kind == "array" else "values"]), kind == "map")
        if isinstance(node, dict) and kind in ("record", "error"):
            return self._record([self.compile(field["type"]) for field in node["fields"]])
        return _number if kind in ("int", "long", "enum") else self.compile(self._schema.resolve(kind))

    def _by_name(self, name: str) -> _Skip:
        if name not in self._named:
            self._named[name] = self.compile(self._schema.types[name])
        return self._named[name]

    @staticmethod
    def _record(fields: list[_Skip]) -> _Skip:
        def skip(value: bytes, at: int, depth: int) -> int:
            _require(depth)
            for field in fields:
                at = field(value, at, depth + 1)
            return at

        return skip

    @staticmethod
    def _union(branches: list[_Skip]) -> _Skip:
        def skip(value: bytes, at: int, depth: int) -> int:
            index, at = _long(value, at)
            if not 0 <= index < len(branches):
                raise DecodeError(_CORRUPT)
            return branches[index](value, at, depth)

        return skip

    @staticmethod
    def _blocks(item: _Skip, keyed: bool) -> _Skip:
        def skip(value: bytes, at: int, depth: int) -> int:
            _require(depth)
            while True:
                count, at = _long(value, at)
                if not count:
                    return at
                if count < 0:
                    _, at = _long(value, at)
                for _ in range(abs(count)):
                    if at > len(value):
                        raise DecodeError(_CORRUPT)
                    at = item(value, _bytes(value, at, depth) if keyed else at, depth + 1)

        return skip


def _require(depth: int) -> None:
    if depth >= DEEPEST:
        raise DecodeError(f"the value is nested more than {DEEPEST} levels deep")
