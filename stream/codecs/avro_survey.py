"""What the types of an Avro schema allow their values to be, found without recursion from type to type.

Types may refer to each other in long chains, in circles, and so that each has twice as many values as the next one, all
in a schema of some kilobytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from stream.codecs.ordering import ordered
from stream.registry.schema_errors import UnusableSchemaError

Node: TypeAlias = "str | list[Any] | dict[str, Any]"
"""A schema, or a part of one: the name of a type, a union, or an object."""

DEEPEST = 200
"""Levels of records, arrays and maps in a value. orjson writes 254."""
NAME = 64
"""Characters: a name counts once more for each so many that it has, because JSON repeats it."""
_SIZES = {"null": 0, "boolean": 1, "int": 1, "long": 1, "float": 4, "double": 8, "bytes": 1, "string": 1}
"""Bytes of the shortest value of each primitive type."""
_NAMED = ("record", "error", "enum", "fixed")
_MOST_EMPTY = 100
"""Values without content that one value may have. Each record may have twice as many as the next one, so that a value
of no bytes has billions."""


class Survey(NamedTuple):
    """What values may be.

    - ``deep``: nested more than ``DEEPEST`` levels.
    - ``heaviest``: for how many fields a value counts for each byte that it has, at most.
    """

    deep: bool
    heaviest: float


def survey(root: Node, types: Mapping[str, Any]) -> Survey:
    """Survey the schema ``root`` with its named ``types``. Raises UnusableSchemaError."""
    return _Surveyor(types).survey(root)


def weight(node: Mapping[str, Any]) -> int:
    """Return for how many fields a value of a type counts, without those of its parts: each has its place in memory."""
    kind = node["type"]
    if kind in ("record", "error"):
        return 1 + sum(1 + len(field["name"]) // NAME for field in node["fields"])
    if kind == "enum":
        return max((len(symbol) // NAME for symbol in node["symbols"]), default=0)
    return int(kind in ("array", "map"))


def parts(node: Node) -> Iterator[Node]:
    """Yield the parts that ``node`` itself is made of; a name is not looked up."""
    if isinstance(node, list):
        yield from node
    elif isinstance(node, dict):
        yield from (node[name] for name in ("items", "values") if name in node)
        yield from (field["type"] for field in node.get("fields", ()))
        if not isinstance(node["type"], str):
            yield node["type"]


class _Surveyor:
    def __init__(self, types: Mapping[str, Any]) -> None:
        self._types = types
        self._shortest: dict[str, int] = {}
        self._empty: dict[str, int] = {}
        self._weight: dict[str, int] = {}

    def survey(self, root: Node) -> Survey:
        below = {name: list(self._named_in(node)) for name, node in self._types.items()}
        order, circular = ordered(below)
        deep = circular or self._levels(order, root) > DEEPEST
        # What contains itself without a union, an array or a map has no values at all.
        for name in ordered({name: list(self._always_in(node)) for name, node in self._types.items()})[0]:
            node = self._types[name]
            self._shortest[name] = self._shortest_of(node)
            self._empty[name] = self._empty_of(node)
            self._weight[name] = self._weight_of(node)
        everything = [*self._inline(root), *(node for name in order for node in self._inline(self._types[name]))]
        heaviest = 0.0
        for node in everything:
            if isinstance(node, dict) and node["type"] == "array" and not self._shortest_of(node["items"]):
                raise UnusableSchemaError(
                    "has an array of values without content, so that a short event may have billions"
                )
            heaviest = max(heaviest, self._weight_of(node) / max(self._shortest_of(node), 1))
        if max(self._empty_of(root), *self._empty.values(), 0) > _MOST_EMPTY:
            raise UnusableSchemaError(f"has more than {_MOST_EMPTY} values without content within one value")
        return Survey(deep, 2 * heaviest)  # the byte that chooses a branch counts for the union and for the branch

    def _name(self, node: Node) -> str | None:
        """Return the name of the type that ``node`` is or names; None if it has none."""
        name: Any = node
        if isinstance(node, dict):
            name = node.get("name") if node["type"] in _NAMED else node["type"]  # which may be a name itself
        return name if isinstance(name, str) and name in self._types else None

    def _named_in(self, node: Node) -> Iterator[str]:
        """Yield the names of the types that ``node`` refers to itself."""
        for part in parts(node):
            if (name := self._name(part)) is not None:
                yield name
            else:
                yield from self._named_in(part)

    def _always_in(self, node: Node) -> Iterator[str]:
        """Yield the names of the types of which each value of ``node``, a record, has one."""
        fields = node.get("fields", ()) if isinstance(node, dict) else ()
        yield from (name for field in fields if (name := self._name(field["type"])) is not None)

    def _inline(self, node: Node) -> Iterator[Node]:
        """Yield ``node`` and all parts of it, but those of types with a name."""
        yield node
        for part in parts(node):
            if self._name(part) is None:
                yield from self._inline(part)

    def _levels(self, order: list[str], root: Node) -> int:
        """Return how many levels values have at most, if no type contains itself."""
        levels: dict[str, int] = {}

        def levels_of(node: Node, whole: bool = False) -> int:
            name = None if whole else self._name(node)
            if name is not None:
                return levels.get(name, 0)
            below = max(map(levels_of, parts(node)), default=0)
            return below + (isinstance(node, dict) and node["type"] in ("record", "error", "array", "map"))

        for name in order:
            levels[name] = levels_of(self._types[name], whole=True)
        return levels_of(root)

    def _shortest_of(self, node: Node) -> int:
        """Return how many bytes a value has at least."""
        name = self._name(node)
        if name is not None and name in self._shortest:
            return self._shortest[name]
        if isinstance(node, list):
            return 1
        if isinstance(node, str):
            return _SIZES.get(node, 1)
        kind = node["type"]
        if kind in ("record", "error"):
            return sum(self._shortest_of(field["type"]) for field in node["fields"])
        if kind == "fixed":
            if (size := int(node["size"])) < 0:
                raise UnusableSchemaError("has a type of less than no bytes")
            return size
        return _SIZES.get(kind, 1) if isinstance(kind, str) else self._shortest_of(kind)

    def _empty_of(self, node: Node) -> int:
        """Return how many nulls and records without fields a value has, those in unions, arrays and maps left out."""
        name = self._name(node)
        if name is not None and name in self._empty:
            return self._empty[name]
        if not isinstance(node, dict):
            return int(node == "null")
        kind = node["type"]
        if kind in ("record", "error"):
            return sum(self._empty_of(field["type"]) for field in node["fields"]) or int(not node["fields"])
        return self._empty_of(kind) if name is None and isinstance(kind, str | dict) else 0

    def _weight_of(self, node: Node) -> int:
        """Return for how many fields a value counts, those in unions, arrays and maps left out."""
        name = self._name(node)
        if name is not None and name in self._weight:
            return self._weight[name]
        if not isinstance(node, dict) or not isinstance(node["type"], str):
            return 0
        return weight(node) + sum(self._weight_of(field["type"]) for field in node.get("fields", ()))
