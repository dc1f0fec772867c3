"""An Avro schema, prepared so that nothing a value contains can hang or crash its reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from schemas.paths import EVERYWHERE, parse_pattern
from stream.codecs import avro_logical
from stream.codecs.avro_survey import Node, survey
from stream.registry.schema_errors import UnusableSchemaError

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
        deep: whether values may be nested more than ``avro_survey.DEEPEST`` levels.
        heaviest: for how many fields a value counts for each byte that it has, at most.
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
        try:
            for reference in references:
                parse_schema(self._adapted(parse_schema(orjson.loads(reference), checked)), self.types)
            self.root: Node = self._adapted(parse_schema(orjson.loads(text), checked))
            self.wrapped = not (isinstance(self.root, dict) and self.root["type"] in ("record", "error"))
            field = {"name": "value", "type": self.root}
            whole = {"type": "record", "name": _ENVELOPE, "fields": [field]} if self.wrapped else self.root
            self.parsed: Any = parse_schema(whole, self.types)
            self.deep, self.heaviest = survey(self.root, self.types)
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
        for step in parse_pattern(path):  # many types may have the same ones below them
            below = (below for node in nodes for below in self._below(node, step))
            nodes = list({node if isinstance(node, str) else id(node): node for node in below}.values())
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
