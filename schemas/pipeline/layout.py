"""Edits of YAML text that leave everything else as it is: fields of one mapping of a list, and the removal of another.

Positions are code points of the text. An edit is (start, end, what is written between them instead).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from schemas.pipeline.interpolation import escape

Edit: TypeAlias = tuple[int, int, str]

_PLAIN = re.compile(r": [\w./@-]+")
"""A value behind its key that means the same in lines and in braces."""


class Item:
    """A mapping in a YAML text, in lines or in braces (flow style), without anchors and aliases."""

    def __init__(self, text: str, node: MappingNode) -> None:
        """``node``: the mapping, as ruamel has composed it from ``text``."""
        self.text = text
        self.flow = bool(node.flow_style)
        self.column = node.start_mark.column
        self.keys: dict[str, tuple[int, int]] = {}
        """Name of a field -> where its name begins and ends."""
        self.ends: dict[str, int] = {}
        """Name of a field -> where its value ends."""
        for key, value in node.value:
            self.keys[key.value] = key.start_mark.index, key.end_mark.index
            self.ends[key.value] = _end_of_field(text, key, value)

    def value(self, name: str) -> str:
        """Return the value of a field as it is written, from the colon on."""
        return self.text[self.keys[name][1] : self.ends[name]]

    def comment(self, name: str) -> str:
        """Return the comment at the end of a field's line, with the spaces before it; empty if there is none."""
        rest = self.text[self.ends[name] : _line_end(self.text, self.ends[name])]
        return rest if not self.flow and rest.lstrip().startswith("#") else ""

    def moved(self, name: str, other: Item, value: Any) -> str:
        """Return the value of a field, which is ``value``, as it must be written in ``other``, from the colon on."""
        written = self.value(name)
        if other.flow and not self.flow and not _PLAIN.fullmatch(written):
            return ": " + escape(json.dumps(value, ensure_ascii=False))
        first, *lines = written.split("\n")
        shift = other.column - self.column
        return "\n".join([first, *(_shifted(line, shift) for line in lines)])


def replaced(item: Item, source: Item, changed: Iterable[str], values: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the edits that give ``item`` those of the fields ``changed`` that ``source`` has, and remove the others.

    ``values``: the fields of ``source``.
    """
    text, names = item.text, list(item.keys)
    removed = [name for name in changed if name not in values]
    added = [name for name in changed if name not in item.keys]
    for name in changed:
        if name in item.keys and name in values:
            comment = "" if item.flow else source.comment(name)
            end = _line_end(text, item.ends[name]) if comment else item.ends[name]
            yield item.keys[name][1], end, source.moved(name, item, values[name]) + comment
    kept = [name for name in names if name not in removed]
    if kept[0] != names[0]:
        yield item.keys[names[0]][0], item.keys[kept[0]][0], ""
    for name in removed:
        place = names.index(name)
        if place < names.index(kept[0]):
            continue
        if item.flow:
            yield item.ends[names[place - 1]], item.ends[name], ""
        else:
            yield _line(text, item.keys[name][0]), _next_line(text, item.ends[name]), ""
    for name in added:
        begin, end = source.keys[name]
        field = source.text[begin:end] + source.moved(name, item, values[name])
        if item.flow:
            yield item.ends[kept[-1]], item.ends[kept[-1]], f", {field}"
            continue
        at = _line_end(text, item.ends[kept[-1]])
        yield at, at, f"{_break(text)}{' ' * item.column}{field}{source.comment(name)}"


def without_item(text: str, items: SequenceNode, index: int) -> Edit:
    """Return the edit that removes an entry of a list, with the comments that are directly above it and in it."""
    node = items.value[index]
    start, end = node.start_mark.index, _end(text, node)
    if items.flow_style:
        if index == 0:
            return start, items.value[1].start_mark.index, ""
        before = _end(text, items.value[index - 1])
        between = text[before:start]
        if "#" not in between or not between.lstrip().startswith(","):
            return before, end, ""
        # The comment behind the entry before stays, and so does the comma before it if one follows.
        if text[end:].lstrip().startswith(","):
            end = text.index(",", end) + 1
        else:
            between = between.replace(",", "", 1)
        line = _line_end(text, end)
        return before, line if text[end:line].lstrip().startswith("#") else end, between.rstrip()
    begin = _line(text, text.rindex("-", 0, start))
    dash = _indent(text, begin)
    while begin and _is_comment(text, above := _line(text, begin - 1)) and _indent(text, above) == dash:
        begin = above
    end = _next_line(text, end)
    while end < len(text) and _is_comment(text, end) and _indent(text, end) > dash:
        end = _next_line(text, end)
    if begin == 0 or not text[_line(text, begin - 1) : begin].strip():
        # One blank line is left of those above and below.
        while end < len(text) and not text[end : _next_line(text, end)].strip():
            end = _next_line(text, end)
    return begin, end, ""


def _end_of_field(text: str, key: ScalarNode, value: Node) -> int:
    if isinstance(value, ScalarNode) and not value.value and value.style is None:
        # An empty value: the parser's mark is at the next token.
        return text.index(":", key.end_mark.index) + 1
    return _end(text, value)


def _end(text: str, node: Node) -> int:
    """Return where a value ends, without the comments and blank lines behind it."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style:
        last = node.value[-1]
        return _end_of_field(text, *last) if isinstance(node, MappingNode) else _end(text, last)
    end: int = node.end_mark.index
    return len(text[:end].rstrip()) if getattr(node, "style", None) in {"|", ">"} else end


def _shifted(line: str, columns: int) -> str:
    if columns >= 0:
        return " " * columns + line if line.strip() else line
    return line[min(-columns, len(line) - len(line.lstrip(" "))) :]


def _line(text: str, at: int) -> int:
    """Return where the line begins that the position is in."""
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Return where the line ends, before its line break."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[at:end].endswith("\r") else end


def _next_line(text: str, at: int) -> int:
    """Return where the next line begins; the end of the text if there is none."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _indent(text: str, line: int) -> int:
    """Return how many spaces are before the first character of the line that begins there."""
    return len(text) - line - len(text[line:].lstrip(" "))


def _is_comment(text: str, line: int) -> bool:
    return text[line : _next_line(text, line)].lstrip(" ").startswith("#")


def _break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
