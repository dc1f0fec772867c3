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
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_KNOWN = ("http://json-schema.org/", "https://json-schema.org/")
"""Where schemas of schemas are, which every validator has."""
_LEAF: dict[str, Any] = {}
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
    def __init__(self, schema: Any, references: Sequence[tuple[str, Any]]) -> None:
        base = base_of(schema)
        self._files = {base: schema, **dict(addressed(base, references))}
        self._anchors: dict[str, Any] = {}
        self._bases: dict[int, str] = {}
        self._patterns: set[str] = set()
        for address, file in [*self._files.items()]:
            self._look_over(file, address)

    def _look_over(self, file: Any, address: str) -> None:
        """Note the address of each place in ``file``, and what can be referred to by a name."""
        waiting = [(file, address)]
        while waiting:
            node, base = waiting.pop()
            if isinstance(node, dict):
                own = node.get("$id", node.get("id"))
                if isinstance(own, str):
                    base = urljoin(base, own)
                    self._files.setdefault(urldefrag(base)[0], node)
                    self._anchors.setdefault(base, node)
                for anchor in (node.get(name) for name in _ANCHORS):
                    if isinstance(anchor, str):
                        self._anchors.setdefault(f"{urldefrag(base)[0]}#{anchor}", node)
                self._note_patterns(node)
                self._bases.setdefault(id(node), base)
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
        found: dict[int, Any] = {id(schema): schema}
        lost = False
        waiting = [schema]
        while waiting:
            node = waiting.pop()
            parts = [*_applied(node)]
            for target in self._targets(node):
                if target is None:
                    lost = True
                else:
                    parts.append(target)
            below[id(node)] = [id(part) for part in parts]
            for part in parts:
                if id(part) not in found:
                    found[id(part)] = part
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

    def _targets(self, node: Any) -> Iterator[Any]:
        """Yield what ``node`` refers to; None for what was not found."""
        if not isinstance(node, dict):
            return
        for name in _REFERENCES:
            if isinstance(reference := node.get(name), str):
                yield self._target(urljoin(self._bases.get(id(node), ""), reference))

    def _target(self, address: str) -> Any:
        if address in self._anchors:
            return self._anchors[address]
        if address.startswith(_KNOWN):
            return _LEAF
        file, fragment = urldefrag(address)
        node = self._files.get(file)
        for step in fragment.split("/")[1:]:
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = node.get(name)
            elif isinstance(node, list) and name.isdigit() and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return node if isinstance(node, dict | list) and not (fragment and fragment[0] != "/") else None


def _applied(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from (
            below for name, below in node.items() if name not in _NOT_APPLIED and isinstance(below, dict | list)
        )
    elif isinstance(node, list):
        yield from (below for below in node if isinstance(below, dict | list))
