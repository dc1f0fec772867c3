"""Finds what is to be rewritten in an event's JSON, as it is written: ranges, not parsed values.

So everything else passes as it came: long numbers, escapes, white space, the order of members and repeated names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from schemas.paths import Pattern, Steps
from stream.output.redaction.literals import Edit, apply, content, literal_edits

# A string, a mark, or a number or word; colons and white space are skipped. The document is known to be JSON.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},]|[^\s"\[\]{},:]++', re.DOTALL)
_NUMERIC = frozenset("-0123456789")
# A name with an escape, or what looks like one within a string.
_ESCAPED_NAME = re.compile(rb'\\[^"]*+"\s*+:')

Find = Callable[[str], Sequence[Edit]]
"""Returns the edits of a string's content: ranges of code points, and the text to write there."""


def has_escaped_name(document: bytes) -> bool:
    """Return whether a name of plain letters may be written with escapes in ``document``; True if in doubt."""
    return _ESCAPED_NAME.search(document) is not None


class Places:
    """The places of an event that are rewritten: a tree of patterns.

    - ``field``: what is given to ``Rewriter`` for a value that is replaced as a whole; None if this is no such place.
    - ``text``: whether texts are at this place.
    - ``everywhere``: whether every string at or below this place is a text.
    """

    __slots__ = ("every", "everywhere", "field", "steps", "text")

    def __init__(self) -> None:
        self.steps: dict[str | int, Places] = {}
        self.every: Places | None = None
        self.field: Any = None
        self.text = False
        self.everywhere = False

    def at(self, pattern: Pattern) -> Places:
        """Return the place of ``pattern`` below this one; it is added if it is new."""
        place = self
        for step in pattern:
            if step is None:
                place.every = below = place.every or Places()
            else:
                below = place.steps.setdefault(step, Places())
            place = below
        return place

    def below(self, step: str | int) -> list[Places]:
        """Return the places that one member or entry of this place is."""
        places = [place for place in (self.steps.get(step), self.every) if place is not None]
        return [*places, self] if self.everywhere else places


class _Container:
    """An object or array that the scan is within.

    ``key`` is the name or index of the current value; None before a name. ``places`` are those of the container.
    ``values`` holds the range of the value of each name so far, where a repeated name matters.
    """

    __slots__ = ("is_object", "key", "places", "start", "values")

    def __init__(self, is_object: bool, places: list[Places], start: int) -> None:
        self.is_object = is_object
        self.key: str | int | None = None if is_object else 0
        self.places = places
        self.start = start
        self.values: dict[str | int, tuple[int, int]] = {}

    def places_of_value(self) -> list[Places]:
        """Return the places that the current value is."""
        key, places = self.key, self.places
        if not places or key is None:
            return []
        if len(places) == 1:
            return places[0].below(key)
        return [place for parent in places for place in parent.below(key)]


UNREAD: Final = "null"
"""What is written for the value of a repeated name that readers of JSON do not agree on."""


class JsonEdits:
    """The edits of one event.

    After ``scan``: ``edits``, sorted; an edit within an earlier one is superfluous. ``texts``: the places of the texts
    that were found.
    """

    def __init__(
        self,
        document: str,
        texts: Mapping[Steps, tuple[str, Sequence[Edit]]],
        replace: Callable[[Any, str], str | None],
        find: Find | None,
        find_name: Find | None,
    ) -> None:
        """Prepare the scan of ``document``.

        Args:
            document: the event, valid JSON.
            texts: for the place of each text that was read, the text and its edits.
            replace: called with ``Places.field`` and the content of a value that is replaced as a whole: that of a
                string, or the JSON of anything else. Returns the text to write, or None for ``null``.
            find: finds the edits of every other string and number; None if there are none.
            find_name: the same for names of members.
        """
        self._document = document
        self._wanted = texts
        self._replace = replace
        self._find = find
        self._find_name = find_name
        self.edits: list[Edit] = []
        self.texts: set[Steps] = set()

    def scan(self, root: Places) -> None:
        """Find the edits of the document.

        If the name of a member occurs again in its object, and is on the way to one of the places, then all its values
        but the last become null. The last one is what was read.
        """
        document = self._document
        outer: list[_Container] = []
        current = _Container(False, [], 0)
        places = [root]
        for token in _TOKEN.finditer(document):
            start, end = token.span()
            first = document[start]
            if first == ",":
                key = current.key
                current.key = key + 1 if isinstance(key, int) else None
                continue
            if first in "}]":
                start, current = current.start, outer.pop()
                self._value(current, start, end, outer, container=True)
                continue
            if current.key is None:
                literal = token[0]
                current.key = content(literal)
                if self._find_name is not None and (edits := self._find_name(current.key)):
                    self.edits += literal_edits(literal, start, edits)
                continue
            if first in "{[":
                outer.append(current)
                below = current.places_of_value() if len(outer) > 1 else places
                current = _Container(first == "{", below, start)
                continue
            self._value(current, start, end, outer)
        self.edits.sort(key=_order)

    def _value(
        self, parent: _Container, start: int, end: int, outer: list[_Container], container: bool = False
    ) -> None:
        """Note a value that ends: it is replaced, is a text, or may contain values that were redacted elsewhere."""
        document = self._document
        places = parent.places_of_value() if outer else []
        if places:
            key = parent.key
            if parent.is_object and key is not None:
                if key in parent.values:
                    self.edits.append((*parent.values[key], UNREAD))
                parent.values[key] = start, end
            for place in places:
                if place.field is not None:
                    self._field(place.field, start, end)
                    break
        if container:
            return
        literal = document[start:end]
        if literal[0] == '"':
            if any(place.text or place.everywhere for place in places):
                steps = (*(entry.key for entry in outer[1:]), parent.key)
                text = self._wanted.get(steps)  # type: ignore[arg-type]  # within a value, every key is known
                if text is not None and text[0] == content(literal):
                    self.texts.add(steps)  # type: ignore[arg-type]
                    self.edits += literal_edits(literal, start, text[1])
                    return
            if self._find is not None and (edits := self._find(content(literal))):
                self.edits += literal_edits(literal, start, edits)
        elif self._find is not None and literal[0] in _NUMERIC and (edits := self._find(literal)):
            self.edits.append((start, end, orjson.dumps(apply(literal, edits)).decode()))

    def _field(self, field: Any, start: int, end: int) -> None:
        literal = self._document[start:end]
        if literal != "null":
            text = self._replace(field, content(literal) if literal[0] == '"' else literal)
            self.edits.append((start, end, UNREAD if text is None else orjson.dumps(text).decode()))


def _order(edit: Edit) -> tuple[int, int, bool]:
    """Sort by starts, outer edits before inner ones; of two for the same value, the one that leaves nothing wins."""
    return edit[0], -edit[1], edit[2] != UNREAD
