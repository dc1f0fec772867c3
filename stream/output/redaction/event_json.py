"""Redacts the JSON of an event."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from orjson import dumps

from schemas.document import Document
from schemas.errors import RedactError
from schemas.paths import EVERYWHERE, Pattern, Steps, parse_pattern
from schemas.pipeline.config import Input
from schemas.pipeline.redaction import Operator, Redact
from stream.output.redaction.elsewhere import Values, absent
from stream.output.redaction.folding import fold
from stream.output.redaction.json_edits import JsonEdits, Places, has_escaped_name
from stream.output.redaction.literals import Edit, apply, literal_edits
from stream.output.redaction.record import RecordRedactor

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
        values: Values | None,
        replace: Callable[[Field, str], str | None],
    ) -> bytes | None:
        """Return the JSON of the document's event after the edits of its texts, and all others; None if it has none.

        Args:
            document: the document of the event.
            edits: the edits of the document's text.
            values: the values to redact wherever they are; None if there are none.
            replace: returns what is written for a value that is replaced as a whole; None for ``null``.

        Raises:
            RedactError: a text that was read is not in the event where it should be.
        """
        event = document.event
        if event is None:
            return None
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

    def quickly(
        self, document: Document, edits: list[Edit], text: str, values: Collection[str], record: RecordRedactor
    ) -> bytes | None:
        """Return the JSON of the document's event if the only change is ``text`` in place of the one that was read.

        None if that is not certain: the text's literal must occur once, no name on its path may be repeated, and none
        of ``values``, which are folded, may be anywhere else in the event, nor in what ``record`` searches. Without a
        backslash there, no escape hides any of them.
        """
        event = document.event
        if event is None or not self._simple:
            return None
        for name in self._names:
            if event.count(name) != 1:
                return None
        if not edits:
            return None if b"\\" in event and has_escaped_name(event) else event
        # With the same escapes as ours, the redacted text is written as we write it; otherwise its edits are.
        literal = written = dumps(document.text)
        before, match, behind = event.partition(literal)
        if not match:
            literal = json.dumps(document.text).encode()
            before, match, behind = event.partition(literal)
        if not match or literal in behind:
            return None
        searched = [before, behind]
        if values and document.record is not None:
            searched += record.searched(document.record)
        around = b"\0".join(searched)
        if b"\\" in around or (values and not absent(values, fold(around.decode(errors="surrogateescape")))):
            return None
        if literal is written:
            return b"".join((before, dumps(text), behind))
        spelled = literal.decode()
        return b"".join((before, apply(spelled, literal_edits(spelled, 0, edits)).encode(), behind))
