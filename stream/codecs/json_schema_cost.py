"""How much work validating by a JSON Schema can be, before anything is validated.

Schemas may refer to each other so that each applies the next one twice, which is a schema of a kilobyte that no
validator ever ends with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin

from stream.codecs.ordering import ordered
from stream.codecs.validators import addressed, base_of
from stream.registry.schema_errors import UnusableSchemaError

_MOST_LEVELS = 10_000
"""Schemas that apply each other in a chain."""
_NOT_APPLIED = frozenset({"$defs", "definitions", "enum", "const", "default", "examples"})
_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
"""Keywords with schemas under names that are no keywords."""
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_KNOWN = ("http://json-schema.org/", "https://json-schema.org/")
"""Where schemas of schemas are, which every validator has."""
_LEAF: dict[str, Any] = {}
_DYNAMIC = "glossator:"
"""Before the name of an anchor: all anchors of that name, wherever they are."""
_ANCHORS = ("$anchor", "$dynamicAnchor")


class Cost(NamedTuple):
    """How much work a schema can be.

    - ``steps``: places in the schema that are looked at for one value in an event, at most: one that is referred to
      twice counts twice. Infinite if something is referred to that was not found.
    - ``patterns``: how many different ones there are.
    """

    steps: float
    patterns: int


def cost(schema: Any, references: Sequence[tuple[str, Any]]) -> Cost:
    """Return the cost of ``schema`` with those that it may refer to. Raises UnusableSchemaError."""
    return _Surveyor(schema, references).cost(schema)


class _Surveyor:
    """Knows what can be referred to.

    Drafts differ in what an address is, something that only looks like a schema may have one, too, and what a dynamic
    reference leads to depends on the way. So an address may lead to several places; what refers to it counts for all.
    """

    def __init__(self, schema: Any, references: Sequence[tuple[str, Any]]) -> None:
        base = base_of(schema)
        self._places: dict[str, list[Any]] = {}
        self._bases: dict[int, tuple[str, str]] = {}
        self._patterns: set[str] = set()
        for address, file in ((base, schema), *addressed(base, references)):
            self._add(address, file)
            self._look_over(file, address)

    def _add(self, address: str, node: Any) -> None:
        self._places.setdefault(address.removesuffix("#"), []).append(node)

    def _look_over(self, file: Any, address: str) -> None:
        """Note what references in each place of ``file`` are relative to, and what has an address of its own."""
        waiting = [(file, address)]
        while waiting:
            node, base = waiting.pop()
            if isinstance(node, dict):
                for address_of_part in (node.get("$id"), node.get("id")):
                    if isinstance(address_of_part, str):
                        base = urljoin(base, address_of_part)
                        self._add(base, node)
                for anchor in (node.get(name) for name in _ANCHORS):
                    if isinstance(anchor, str):
                        self._add(f"{urldefrag(base)[0]}#{anchor}", node)
                        self._add(_DYNAMIC + anchor, node)
                self._note_patterns(node)
                self._bases.setdefault(id(node), (base, address))
                waiting += [(below, base) for below in node.values() if isinstance(below, dict | list)]
            elif isinstance(node, list):
                waiting += [(below, base) for below in node if isinstance(below, dict | list)]

    def _note_patterns(self, node: dict[str, Any]) -> None:
        if isinstance(pattern := node.get("pattern"), str):
            self._patterns.add(pattern)
        if isinstance(named := node.get("patternProperties"), dict):
            self._patterns |= named.keys()

    def cost(self, schema: Any) -> Cost:
        below: dict[int, list[int]] = {}
        reached: dict[int, Any] = {id(schema): schema}
        lost = False
        waiting = [schema]
        while waiting:
            node = waiting.pop()
            parts = [*_applied(node)]
            for reference in _references(node):
                targets = self._targets(node, reference)
                lost |= not targets
                parts += targets
            below[id(node)] = [id(part) for part in parts]
            for part in parts:
                if id(part) not in reached:
                    reached[id(part)] = part
                    waiting.append(part)
        steps: dict[int, int] = {}
        levels: dict[int, int] = {}
        for place in ordered(below)[0]:
            steps[place] = 1 + sum(steps.get(other, 0) for other in below[place])
            levels[place] = 1 + max((levels.get(other, 0) for other in below[place]), default=0)
        if levels[id(schema)] > _MOST_LEVELS:
            raise UnusableSchemaError(f"applies more than {_MOST_LEVELS} schemas in a chain")
        total = steps[id(schema)]
        return Cost(float("inf") if lost or total > 1e18 else float(total), len(self._patterns))

    def _targets(self, node: Any, reference: str) -> list[Any]:
        """Return all that ``reference`` in ``node`` may lead to."""
        targets: dict[int, Any] = {}
        for base in dict.fromkeys(self._bases.get(id(node), ())):
            address = urljoin(base, reference)
            if address.startswith(_KNOWN):
                return [_LEAF]
            file, fragment = urldefrag(address)
            below = self._places.get(file, []) if not fragment or fragment[0] == "/" else []
            for place in (*self._places.get(address.removesuffix("#"), []), *(_at(node, fragment) for node in below)):
                if isinstance(place, dict | list):
                    targets[id(place)] = place
                elif isinstance(place, bool):
                    targets[id(_LEAF)] = _LEAF
            if "$dynamicRef" in node:
                targets |= {id(place): place for place in self._places.get(_DYNAMIC + fragment, ())}
        return [*targets.values()]


def _at(node: Any, pointer: str) -> Any:
    """Return what is at a JSON pointer in ``node``; None if nothing is."""
    for step in pointer.split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(name)
        elif isinstance(node, list) and name.isdecimal() and len(name) < 10 and int(name) < len(node):
            node = node[int(name)]
        else:
            return None
    return node


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[name] for name in _REFERENCES if isinstance(node.get(name), str))


def _applied(node: Any) -> Iterator[Any]:
    """Yield what ``node`` applies itself."""
    if isinstance(node, list):
        yield from (below for below in node if isinstance(below, dict | list))
    elif isinstance(node, dict):
        for name, below in node.items():
            if name in _MAPS and isinstance(below, dict):
                yield from (schema for schema in below.values() if isinstance(schema, dict | list))
            elif name not in _NOT_APPLIED and isinstance(below, dict | list):
                yield below
