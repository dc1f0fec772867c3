"""How deep a value of an Avro schema is nested, and how large it becomes in memory, before the reader in C meets it.

The reader crashes if a value is deep, and each byte of it may be a record with hundreds of fields, or with names that
are longer than the value. Only the bytes are walked over, and nothing is built; and only if the schema allows too much
for as many bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from schemas.errors import DecodeError
from stream.codecs.avro_schema import AvroSchema
from stream.codecs.avro_survey import DEEPEST, Node, weight

MOST_FIELDS = 4_000_000
"""Fields, arrays and maps of a value together. As JSON that many have 16 MB or more."""


class _Walk:
    """One value on the way through it; ``left``: the fields that it may still have."""

    __slots__ = ("data", "left")

    def __init__(self, data: bytes) -> None:
        self.data, self.left = data, MOST_FIELDS


_Skip: TypeAlias = Callable[[_Walk, int, int], int]
"""Takes a value, where in it something begins, and the levels around that; returns where it ends."""
_FIXED = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_CORRUPT = "the value is not Avro of its schema: it ends early, or its numbers make no sense"


def bounds(schema: AvroSchema) -> Callable[[bytes, int], None]:
    """Return what raises DecodeError for a value, given with its beginning, that is too deep or too large.

    It may also raise it for a value that ends early.
    """
    skip = _Compiler(schema).compile(schema.root)
    harmless = 0 if schema.deep else int(MOST_FIELDS / schema.heaviest) if schema.heaviest else None

    def check(value: bytes, start: int) -> None:
        if harmless is None or len(value) <= harmless:
            return
        try:
            skip(_Walk(value), start, 0)
        except RecursionError:
            raise DecodeError(_TOO_DEEP) from None

    return check


_TOO_DEEP = f"the value is nested more than {DEEPEST} levels deep"


def _count(walk: _Walk, depth: int, fields: int) -> None:
    if depth >= DEEPEST:
        raise DecodeError(_TOO_DEEP)
    walk.left -= fields
    if walk.left < 0:
        raise DecodeError(f"the value has more than {MOST_FIELDS} fields")


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


def _number(walk: _Walk, at: int, _: int) -> int:
    return _long(walk.data, at)[1]


def _bytes(walk: _Walk, at: int, _: int) -> int:
    size, at = _long(walk.data, at)
    if size < 0 or at + size > len(walk.data):
        raise DecodeError(_CORRUPT)
    return at + size


def _fixed(size: int) -> _Skip:
    return lambda walk, at, depth: at + size


class _Compiler:
    """Turns a schema into functions that call each other as its types contain each other."""

    def __init__(self, schema: AvroSchema) -> None:
        self._schema = schema
        self._named: dict[str, _Skip] = {}

    def compile(self, node: Node) -> _Skip:
        if isinstance(node, list):
            return self._union([self.compile(branch) for branch in node])
        kind: Any = node if isinstance(node, str) else node["type"]
        if not isinstance(kind, str):
            return self.compile(kind)
        if kind in _FIXED:
            return _fixed(_FIXED[kind])
        if kind in ("bytes", "string"):
            return _bytes
        if kind in ("int", "long"):
            return _number
        if isinstance(node, dict) and kind == "fixed":
            return _fixed(int(node["size"]))
        if isinstance(node, dict) and kind in ("array", "map"):
            return self._blocks(self.compile(node["items" if kind == "array" else "values"]), kind == "map")
        if isinstance(node, dict) and kind in ("record", "error"):
            return self._record([self.compile(field["type"]) for field in node["fields"]], weight(node))
        if isinstance(node, dict) and kind == "enum":
            return self._enum(weight(node))
        return lambda walk, at, depth: self._by_name(kind)(walk, at, depth)  # noqa: PLW0108 - it may contain itself

    def _by_name(self, name: str) -> _Skip:
        if name not in self._named:
            self._named[name] = self.compile(self._schema.types[name])
        return self._named[name]

    @staticmethod
    def _record(fields: list[_Skip], weight: int) -> _Skip:
        def skip(walk: _Walk, at: int, depth: int) -> int:
            _count(walk, depth, weight)
            for field in fields:
                at = field(walk, at, depth + 1)
            return at

        return skip

    @staticmethod
    def _enum(weight: int) -> _Skip:
        def skip(walk: _Walk, at: int, depth: int) -> int:
            _count(walk, depth, weight)
            return _long(walk.data, at)[1]

        return skip if weight else _number

    @staticmethod
    def _union(branches: list[_Skip]) -> _Skip:
        def skip(walk: _Walk, at: int, depth: int) -> int:
            index, at = _long(walk.data, at)
            if not 0 <= index < len(branches):
                raise DecodeError(_CORRUPT)
            return branches[index](walk, at, depth)

        return skip

    @staticmethod
    def _blocks(item: _Skip, keyed: bool) -> _Skip:
        def skip(walk: _Walk, at: int, depth: int) -> int:
            _count(walk, depth, 1)
            while True:
                count, at = _long(walk.data, at)
                if not count:
                    return at
                if count < 0:
                    _, at = _long(walk.data, at)
                if keyed:
                    _count(walk, depth, min(abs(count), MOST_FIELDS + 1))
                for _ in range(abs(count)):
                    if at > len(walk.data):
                        raise DecodeError(_CORRUPT)
                    at = item(walk, _bytes(walk, at, depth) if keyed else at, depth + 1)

        return skip
