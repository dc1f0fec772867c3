"""Redacts the JSON of an event."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from orjson import dumps

from schemas.document import Document
from schemas.errors import RedactError
from schemas.paths import EVERYWHERE, Pattern, Steps, parse_pattern
from schemas.pipeline.config import Input
from schemas.pipeline.redaction import Operator, Redact
from stream.output.redaction.elsewhere import Values
from stream.output.redaction.folding import fold
from stream.output.redaction.json_edits import JsonEdits, Places, has_escaped_name
from stream.output.redaction.literals import Edit, apply, literal_edits

_PLAIN = re.compile(r"[\w-]+")


class Field(NamedTuple):
    """Values of the event that are replaced as a whole: their operator, and their path in the pipeline file."""

    operator: Operator
    path: str


class EventRedactor:
    """Redacts the JSON of events as ``redact`` says. Any thread may use it.

    - ``fields``: the values that are replaced as a whole, and where they are.
    - ``steps``: the place of the one text; empty if there may be several.
    """

    def __init__(self, source: Input, redact: Redact) -> None:
        """``source``: the pipeline file's ``input``, which says where the texts are."""
        self.fields: list[tuple[Pattern, Field]] = [
            (parse_pattern(path), Field(operator, path)) for path, operator in redact.fields.items()
        ]
        self._places = Places()
        for pattern, field in self.fields:
            place = self._places.at(pattern)
            place.field = place.field or field
        for path in source.paths:
            if path == EVERYWHERE:
                self._places.everywhere = True
            else:
                self._places.at(parse_pattern(path)).text = True
        self.steps: Steps = (
            () if source.several else tuple(step for step in parse_pattern(source.paths[0]) if step is not None)
        )
        # With one text at a plain path, and no fields, its literal is found without a scan of the event.
        plain = all(isinstance(step, int) or _PLAIN.fullmatch(step) for step in self.steps)
        self._simple = bool(self.steps) and plain and not self.fields
        self._names = [f'"{step}"'.encode() for step in self.steps if isinstance(step, str)]

    def redacted(
        self,
        document: Document,
        edits: list[Edit],
        text: str,
        values: Values | None,
        replace: Callable[[Field, str], str | None],
    ) -> bytes | None:
        """Return the JSON of the document's event after the edits of its texts, and all others; None if it has none.

        Args:
            document: the document of the event.
            edits: the edits of the document's text.
            text: the text after them.
            values: the values to redact wherever they are; None if there are none.
            replace: returns what is written for a value that is replaced as a whole; None for ``null``.

        Raises:
            RedactError: a text that was read is not in the event where it should be.
        """
        event = document.event
        if event is None:
            return None
        if self._simple and (quick := self._quick(document.text, event, edits, text, values)) is not None:
            return quick
        texts: dict[Steps, tuple[str, Sequence[Edit]]] = {}
        if document.parts is None:
            texts[self.steps] = document.text, edits
        else:
            number = 0
            for part in document.parts:
                start, within = part.start, []
                while number < len(edits) and edits[number][0] < part.end:
                    first, last, replacement = edits[number]
                    within.append((first - start, last - start, replacement))
                    number += 1
                texts[part.steps] = document.text[start : part.end], within
        find, find_name = (None, None) if values is None else (values.find, values.find_name)
        written = event.decode()
        scan = JsonEdits(written, texts, replace, find, find_name)
        scan.scan(self._places)
        if len(scan.texts) < len(texts):
            raise RedactError("a text that was read cannot be found in the event's JSON")
        return apply(written, scan.edits).encode() if scan.edits else event

    def _quick(self, original: str, event: bytes, edits: list[Edit], text: str, values: Values | None) -> bytes | None:
        """Return the event's JSON with ``text`` in place of ``original``, or None if it must be scanned.

        The text's literal must occur once, no name on its path may be repeated, and no redacted value may be anywhere
        else. Without a backslash elsewhere, no escape hides any of them.
        """
        for name in self._names:
            at = event.find(name)
            if at < 0 or event.rfind(name) != at:
                return None
        if not edits:
            return None if b"\\" in event and has_escaped_name(event) else event
        # With the same escapes as ours, the redacted text is written as we write it; otherwise its edits are.
        ours = dumps(original)
        at = event.find(ours)
        literal = ours if at >= 0 else json.dumps(original).encode()
        if at < 0:
            at = event.find(literal)
        if at < 0 or event.rfind(literal) != at:
            return None
        end = at + len(literal)
        rest = event[:at] + event[end:]
        if b"\\" in rest or (values is not None and values.within(fold(rest.decode()))):
            return None
        if literal is ours:
            return event[:at] + dumps(text) + event[end:]
        spelled = literal.decode()
        return event[:at] + apply(spelled, literal_edits(spelled, 0, edits)).encode() + event[end:]
