"""YAML text -> the tree of ``tree.py``, within limits.

The tree is built from the parser's events and not from ruamel's round-trip objects: those have no positions for values,
lose what was written (``007``), expand aliases before any limit applies, and stop at the first duplicate key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from schemas.errors import ConfigError, Problem
from schemas.pipeline.interpolation import interpolate
from schemas.pipeline.tree import Node, Path, Place, Scalar, Sequence, Table, spell

MAX_CHARACTERS = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 20_000

TOO_LARGE = "larger than 1 MiB, the limit for a pipeline file"

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff]")
_BREAK = re.compile("\r\n|\r|\n")


def compose(text: str, file: str, environ: Mapping[str, str]) -> tuple[Table, list[Problem]]:
    """Return the file's top-level mapping, and the problems that did not prevent reading it.

    ``file`` is the name for messages; variables come from ``environ``. Raises ConfigError if there is no tree: a syntax
    error, no mapping, or more characters, levels or nodes than allowed (each use of an alias counts).
    """
    return _Composer(text, file, environ).run()


class _Composer:
    def __init__(self, text: str, file: str, environ: Mapping[str, str]) -> None:
        self._text = text
        self._file = file
        self._environ = environ
        self._problems: list[Problem] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = 0
        self._room = 4 * MAX_CHARACTERS
        self._last: Place = (1, 1)
        self._events: Iterator[Any] = iter(())

    def run(self) -> tuple[Table, list[Problem]]:
        if len(self._text) > MAX_CHARACTERS:
            self._stop((1, 1), TOO_LARGE)
        self._events = YAML(typ="safe", pure=True).parse(self._text)
        try:
            root = self._document()
        except ReaderError as error:
            before = _BREAK.split(self._text[: error.position])
            self._stop((len(before), len(before[-1]) + 1), "a character that YAML does not allow here")
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else self._last
            self._stop(place, self._syntax(place, str(error.problem)))
        except ConfigError:
            raise
        except Exception:
            # The parser fails on some malformed input, such as an escape beyond Unicode, with other exceptions.
            self._stop(self._last, "not valid YAML at or after this place")
        return root, self._problems

    def _document(self) -> Table:
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            self._stop((1, 1), "the file is empty")
        first = self._next()
        if isinstance(first, yaml.ScalarEvent) and not first.value and first.style is None:
            self._stop((1, 1), "the file is empty")
        if not isinstance(first, yaml.MappingStartEvent):
            self._stop(self._last, 'the file must be a mapping, for example one that starts with "pipeline: my-name"')
        root = self._node(first, (), 1)
        self._next()
        if not isinstance(self._next(), yaml.StreamEndEvent):
            self._stop(self._last, "a second document starts here; a pipeline file has only one")
        assert isinstance(root, Table)
        return root

    def _next(self) -> Any:
        event = next(self._events)
        self._last = (event.start_mark.line + 1, event.start_mark.column + 1)
        return event

    def _node(self, event: Any, path: Path, depth: int) -> Node:
        place = self._last
        if isinstance(event, yaml.AliasEvent):
            node = self._anchors.get(event.anchor)
            if node is None:
                self._stop(place, "the alias does not refer to an earlier, complete value")
            self._count(node.size, depth + node.height - 1, place)
            return node
        self._count(1, depth, place)
        if event.ctag is not None:
            self._complain(place, path, "YAML tags (!...) are not supported; to write text, put it in quotes")
        before = self._nodes
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, place, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(place, path, depth)
        else:
            node = self._table(place, path, depth)
        node.size = 1 + self._nodes - before
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any, place: Place, path: Path) -> Scalar:
        text, wrong = interpolate(event.value, self._environ, self._room)
        interpolated = text != event.value
        if interpolated:
            self._room -= len(text)
        if _UNPRINTABLE.search(text):
            wrong.append("contains an unprintable character")
        for message in wrong:
            self._complain(place, path, message)
        if wrong:
            # Keep what was written, so that later checks do not take the value for empty.
            text = event.value
        return Scalar(place, text, event.style is None and not interpolated, interpolated, bool(wrong))

    def _sequence(self, place: Place, path: Path, depth: int) -> Sequence:
        node = Sequence(place)
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            item = self._node(event, (*path, len(node.items)), depth + 1)
            node.items.append(item)
            node.height = max(node.height, 1 + item.height)
        return node

    def _table(self, place: Place, path: Path, depth: int) -> Table:
        node = Table(place)
        merged: list[Node] = []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key_place = self._last
            key, merges = self._key(event, path, depth), getattr(event, "style", "") is None
            event = self._next()
            if isinstance(event, yaml.ScalarEvent) and not event.value and event.style is None:
                # An empty value: the parser's mark is at the next token.
                self._last = key_place
            value = self._node(event, path if key is None else (*path, key), depth + 1)
            node.height = max(node.height, 1 + value.height)
            if key is None:
                continue
            if key == "<<" and merges:
                self._complain(key_place, path, "merge keys (<<) do not exist in YAML 1.2; repeat the fields")
                merged.append(value)
                continue
            if key in node.items:
                first = node.keys[key][0]
                self._complain(key_place, (*path, key), f"appears twice; the first is on line {first}")
            else:
                node.items[key] = value
                node.keys[key] = key_place
        for table in (table for value in merged for table in (value.items if isinstance(value, Sequence) else [value])):
            if isinstance(table, Table):
                # What was meant is there, so it is not reported as missing as well.
                node.items = {**table.items, **node.items}
                node.keys = {**table.keys, **node.keys}
        return node

    def _key(self, event: Any, path: Path, depth: int) -> str | None:
        place = self._last
        if isinstance(event, yaml.ScalarEvent) and event.ctag is None and not _UNPRINTABLE.search(event.value):
            self._count(1, depth + 1, place)
            if event.anchor is not None:
                self._anchors[event.anchor] = Scalar(place, event.value, event.style is None)
            return str(event.value)
        self._node(event, path, depth + 1)
        self._complain(place, path, "a key must be plain text")
        return None

    def _count(self, nodes: int, depth: int, place: Place) -> None:
        self._nodes += nodes
        if depth > MAX_DEPTH:
            self._stop(place, f"nested more than {MAX_DEPTH} levels deep")
        if self._nodes > MAX_NODES:
            self._stop(place, f"more than {MAX_NODES} values (each use of an alias counts)")

    def _complain(self, place: Place, path: Path, message: str) -> None:
        self._problems.append(Problem(self._file, *place, spell(path), message))

    def _stop(self, place: Place, message: str) -> NoReturn:
        problem = Problem(self._file, *self._inside(place), "", message)
        problems = [*self._problems, problem]
        raise ConfigError(sorted(problems, key=lambda problem: (problem.line, problem.column))) from None

    def _inside(self, place: Place) -> Place:
        # Marks at the end of the stream are on the line after the last one.
        lines = _BREAK.split(self._text)
        while len(lines) > 1 and not lines[-1]:
            lines.pop()
        return place if place[0] <= len(lines) else (len(lines), len(lines[-1]) + 1)

    def _syntax(self, place: Place, problem: str) -> str:
        lines = _BREAK.split(self._text)
        line = lines[place[0] - 1] if place[0] <= len(lines) else ""
        message = next((message for part, message in _SYNTAX.items() if part in problem), "not valid YAML")
        if re.search(r"(?<!\$)[\[{].*\$\{", line):
            return f"{message}; inside [ ] and {{ }}, put values with ${{...}} in quotes"
        if "quotes" not in message and re.search(r"[\[{,:]\s*\$[^\s\"',]*\[", line):
            return f"{message}; inside [ ] and {{ }}, put paths with [0] or [*] in quotes"
        return message


# Part of the parser's message -> ours. The parser's messages may quote a secret; ours never do.
_SYNTAX = {
    "mapping values are not allowed here": 'unexpected ":"; check the indentation, or put the value in quotes',
    "could not find expected ':'": 'a key without ":", or a line that is not indented enough',
    "sequence entries are not allowed here": 'unexpected "-", no list can start here; check the indentation',
    "mapping keys are not allowed here": "unexpected key; check the indentation",
    "expected <block end>": "does not line up with the lines above; check the indentation",
    "found character '\\t'": "a tab; indent YAML with spaces",
    "that cannot start any token": "a character that cannot start a value; put the value in quotes",
    "expected ',' or ']'": 'a list lacks a "," or "]"',
    "expected ',' or '}'": 'a mapping lacks a "," or "}"',
    "unexpected end of stream": "a quote is opened but never closed",
    "unknown escape character": r'an unknown escape; in double quotes write "\\" for "\", or use single quotes',
    "unexpected ':'": 'unexpected ":"; put the value in quotes',
    "expected the node content": "a value is missing here",
    "expected '<document start>'": "does not continue the mapping above; check the indentation and the quotes",
    "expected alphabetic or numeric character": '"*" and "&" mark aliases and anchors in YAML; put the value in quotes',
    "expected chomping or indentation": 'nothing may follow "|" or ">" on its line; put the value in quotes',
    "incompatible YAML document": "YAML 1.x is needed",
}
