"""An Avro schema, prepared so that nothing a value contains can hang or crash its reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import orjson

from schemas.paths import EVERYWHERE, parse_pattern
from stream.codecs import avro_logical
from stream.codecs.schema_errors import UnusableSchemaError

Node: TypeAlias = "str | list[Any] | dict[str, Any]"
"""A schema, or a part of one: the name of a type, a union, or an object."""

_SIZES = {"null": 0, "boolean": 1, "int": 1, "long": 1, "float": 4, "double": 8, "bytes": 1, "string": 1}
"""Bytes of the shortest value of each primitive type."""
_MOST_EMPTY = 100
"""Values without content that one value may have. Each record may have twice as many as the next one, so that a value
of no bytes has billions."""
_ENVELOPE = "glossator.Envelope"
_NESTED = frozenset({"type", "items", "values"})


class AvroSchema:
    """A schema that fastavro has parsed.

    Attributes:
        parsed: what fastavro takes. A schema that is not a record is the only field of one, which changes no byte.
        wrapped: whether it is such a field.
        root: the schema itself, with the full names of types.
        types: the named types, by full name.
        has_bytes: whether a value may contain bytes.
        has_floats: whether a value may contain a float, and so one that JSON cannot represent.
        recursive: whether a type contains itself, so that values may be nested without limit.
    """

    def __init__(self, text: str | bytes, references: Iterable[str] = ()) -> None:
        """Parse ``text``, which may use the types of ``references``, each of which may use those before it.

        Raises UnusableSchemaError.
        """
        from fastavro import parse_schema

        avro_logical.register()
        checked: dict[str, Any] = {}
        self.types: dict[str, Any] = {}
        self.has_bytes = self.has_floats = False
        self._sizes: dict[str, int] = {}
        self._empties: dict[str, int] = {}
        try:
            for reference in references:
                parse_schema(self._adapted(parse_schema(orjson.loads(reference), checked)), self.types)
            self.root: Node = self._adapted(parse_schema(orjson.loads(text), checked))
            self.wrapped = not (isinstance(self.root, dict) and self.root["type"] in ("record", "error"))
            field = {"name": "value", "type": self.root}
            whole = {"type": "record", "name": _ENVELOPE, "fields": [field]} if self.wrapped else self.root
            self.parsed: Any = parse_schema(whole, self.types)
            self.recursive = any(self._contains_itself(name) for name in self.types)
            self._require_sizes(self.root)
            for name in self.types:
                self._require_sizes(self.types[name])
            if any(self._empty(node) > _MOST_EMPTY for node in (self.root, *self.types.values())):
                raise UnusableSchemaError(f"has more than {_MOST_EMPTY} values without content within one value")
        except UnusableSchemaError:
            raise
        except RecursionError:
            raise UnusableSchemaError("is nested too deep") from None
        except Exception as error:
            raise UnusableSchemaError(f"is not an Avro schema ({type(error).__name__})") from None

    def has_place(self, path: str) -> bool:
        """Whether a value may have something at ``path``, as in ``input.text``."""
        if path == EVERYWHERE:
            return True
        nodes = [self.root]
        for step in parse_pattern(path):
            nodes = [below for node in nodes for below in self._below(node, step)]
        return bool(nodes)

    def resolve(self, node: Node) -> Node:
        """Return the type that ``node`` names, or ``node`` itself."""
        return self.types.get(node, node) if isinstance(node, str) else node

    def _below(self, node: Node, step: str | int | None) -> Iterator[Node]:
        node = self.resolve(node)
        if isinstance(node, list):
            for branch in node:
                yield from self._below(branch, step)
        elif isinstance(node, dict):
            kind = node["type"]
            if kind in ("record", "error"):
                yield from (field["type"] for field in node["fields"] if step is None or field["name"] == step)
            elif kind == "array" and not isinstance(step, str):
                yield node["items"]
            elif kind == "map" and not isinstance(step, int):
                yield node["values"]

    def _adapted(self, node: Any) -> Any:
        """Copy ``node``, which fastavro has parsed, with logical types under our names."""
        if isinstance(node, list):
            return [self._adapted(branch) for branch in node]
        if not isinstance(node, Mapping):
            self._note(node)
            return node
        copy = {name: value for name, value in node.items() if name != "logicalType" and not name.startswith("__")}
        for name in _NESTED & copy.keys():
            copy[name] = self._adapted(copy[name])
        if "fields" in copy:
            copy["fields"] = [self._adapted(field) for field in copy["fields"]]
        if (renamed := avro_logical.rename(node)) is not None:
            copy["logicalType"] = renamed
        elif copy.get("type") == "fixed":
            self.has_bytes = True
        return copy

    def _note(self, kind: str) -> None:
        self.has_bytes |= kind == "bytes"
        self.has_floats |= kind in ("float", "double")

    def _contains_itself(self, name: str) -> bool:
        reached: set[str] = set()
        nodes = [*self._parts(self.types[name])]
        while nodes:
            node = nodes.pop()
            if isinstance(node, str):
                if node == name:
                    return True
                if node in self.types and node not in reached:
                    reached.add(node)
                    nodes += self._parts(self.types[node])
            else:
                nodes += self._parts(node)
        return False

    @staticmethod
    def _parts(node: Node) -> Iterator[Node]:
        """Yield the parts that ``node`` itself is made of; a name is not looked up."""
        if isinstance(node, list):
            yield from node
        elif isinstance(node, dict):
            yield from (node[name] for name in ("items", "values") if name in node)
            yield from (field["type"] for field in node.get("fields", ()))
            if not isinstance(node["type"], str):
                yield node["type"]

    def _require_sizes(self, node: Node) -> None:
        """Refuse arrays whose entries may have no bytes: one byte more of a value could be a billion of them."""
        if isinstance(node, dict) and node["type"] == "array" and not self._shortest(node["items"]):
            raise UnusableSchemaError("has an array of values without content, so that a short event may have billions")
        for part in self._parts(node):
            self._require_sizes(part)

    def _empty(self, node: Node) -> int:
        """Return how many nulls and records without fields a value has, those in unions, arrays and maps left out."""
        node = self.resolve(node)
        if not isinstance(node, dict):
            return int(node == "null")
        kind = node["type"]
        if kind not in ("record", "error"):
            return self._empty(kind) if isinstance(kind, str | dict) and kind not in self.types else 0
        name = str(node.get("name"))
        if name not in self._empties:
            self._empties[name] = 0
            self._empties[name] = sum(self._empty(field["type"]) for field in node["fields"]) or not node["fields"]
        return self._empties[name]

    def _shortest(self, node: Node) -> int:
        """Return how many bytes a value has at least."""
        node = self.resolve(node)
        if isinstance(node, list):
            return 1
        if isinstance(node, str):
            return _SIZES.get(node, 1)
        kind = node["type"]
        if kind in ("record", "error"):
            name = str(node.get("name"))
            if name not in self._sizes:
                self._sizes[name] = 0  # what contains itself without a union has no values at all
                self._sizes[name] = sum(self._shortest(field["type"]) for field in node["fields"])
            return self._sizes[name]
        if kind == "fixed":
            return int(node["size"])
        return _SIZES.get(kind, 1) if isinstance(kind, str) else self._shortest(kind)
