"""Redacts a document: its text, its event, its annotations and notices, and the key and headers of its record."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from orjson import dumps

from schemas.document import Annotation, Document, Part
from schemas.errors import RedactError
from schemas.paths import EVERYWHERE, Pattern, Steps, parse_pattern
from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction import Operator
from schemas.pipeline.redaction_checks import PERSONAL_KINDS
from schemas.record import Headers
from stream.output.annotations import Annotations, Ranges, rewritten_notices
from stream.output.redaction.elsewhere import Values
from stream.output.redaction.folding import fold
from stream.output.redaction.json_edits import JsonEdits, Places, has_escaped_name
from stream.output.redaction.keys import Keys
from stream.output.redaction.literals import Edit, apply, literal_edits
from stream.output.redaction.offsets import Offsets
from stream.output.redaction.operators import Operators
from stream.output.redaction.spans import Piece, pieces

_MOST_LABELS = 1000
"""Labels whose operators are kept; tasks of users could make up any number of labels."""
_PLAIN = re.compile(r"[\w-]+")


@dataclass(slots=True)
class Redacted:
    """What is published of a document if its text is redacted.

    - ``text``, ``event``, ``parts``, ``annotations``, ``notices``: as those of the document, but redacted, with offsets
      into the redacted ``text`` in the unit of the output.
    - ``key``, ``headers``: those of the record, redacted.
    - ``applied``: (label, operator) -> how many values were replaced. The "label" of a whole value is its place in
      ``redact``: the path of a field, ``key``, or ``headers.`` and a name.
    """

    text: str
    event: bytes | None
    parts: tuple[Part, ...] | None
    annotations: dict[str, Annotation]
    notices: list[dict[str, Any]]
    key: bytes | None
    headers: Headers
    applied: dict[tuple[str, str], int]


class _Field(NamedTuple):
    """A value of the event that is replaced as a whole, and its path in the pipeline file."""

    operator: Operator
    path: str


class Redactor:
    """Redacts the documents of one configuration. Any thread may use it.

    ``chosen``: what ``choose`` has returned so far.
    """

    def __init__(self, pipeline: Pipeline, keys: Keys) -> None:
        """``pipeline`` has a section ``redact``; ``keys``: those that its operators need.

        Raises SettingError if a library that an operator needs is not installed.
        """
        redact = pipeline.redact
        if redact is None:
            raise ValueError("the pipeline has no section redact")
        self._redact = redact
        self._operators = Operators(redact, keys)
        self.elsewhere = redact.elsewhere
        self.chosen: dict[str, tuple[Operator, tuple[str, str]]] = {}
        self._unit = pipeline.output.offset_unit
        self._originals = False
        names = redact.tasks
        self._tasks = (
            [task.name for task in pipeline.tasks if task.task in PERSONAL_KINDS] if names is None else list(names)
        )
        self._coreference = [task.name for task in pipeline.tasks if task.task == "coreference"]
        self._annotations = Annotations(pipeline.tasks)
        fields = [(parse_pattern(path), _Field(operator, path)) for path, operator in redact.fields.items()]
        self._fields: list[tuple[Pattern, _Field]] = fields
        self.places = Places()
        for pattern, field in fields:
            place = self.places.at(pattern)
            place.field = place.field or field
        paths = pipeline.input.paths
        for path in paths:
            if path == EVERYWHERE:
                self.places.everywhere = True
            else:
                self.places.at(parse_pattern(path)).text = True
        # With one plain path and no fields, the text's literal is found without a scan of the event.
        steps = parse_pattern(paths[0]) if len(paths) == 1 and paths[0] != EVERYWHERE else (None,)
        self.steps: Steps = steps if None not in steps else ()  # type: ignore[assignment]  # no None is left
        self.quoted_names = [f'"{step}"'.encode() for step in self.steps if isinstance(step, str)]
        simple = not fields and all(isinstance(step, int) or _PLAIN.fullmatch(step) for step in self.steps)
        self.simple = simple and bool(self.steps)

    def choose(self, label: str) -> tuple[Operator, tuple[str, str]]:
        """Return the operator of a label, and what its use is counted as."""
        operator = self._redact.operator_for(label)
        choice = operator, (label, operator.name)
        if len(self.chosen) < _MOST_LABELS:
            self.chosen[label] = choice
        return choice

    def redact(self, document: Document) -> Redacted:
        """Redact a document that has not failed; the document itself stays as it is.

        Raises RedactError, whose message contains no text of the event, if anything fails.
        """
        try:
            return _Redaction(self, document).result()
        except RedactError:
            raise
        except Exception as error:
            raise RedactError(f"the event cannot be redacted ({type(error).__name__})") from None


class _Redaction:
    """The redaction of one document."""

    __slots__ = (
        "_applied", "_document", "_edits", "_fields", "_find", "_pieces", "_redactor", "_replacements", "_values",
    )  # fmt: skip

    def __init__(self, redactor: Redactor, document: Document) -> None:
        self._redactor = redactor
        self._document = document
        self._replacements = redactor._operators.event()
        self._applied: dict[tuple[str, str], int] = {}
        self._fields: dict[str, str] = {}
        """The strings within values that were replaced as a whole, and what was written."""
        self._values: Values | None = None

    def result(self) -> Redacted:
        redactor, document = self._redactor, self._document
        edits = self._text_edits()
        offsets = Offsets(document.text, edits) if edits else None
        event = document.event
        if event is not None:
            event = self._event(event, edits, document.text if offsets is None else offsets.text)
        key, headers = self._record()
        parts, paths = self._parts(offsets)
        ranges = Ranges(document.text, redactor._unit, offsets, redactor._originals, paths)
        annotations, notices = document.annotations, document.notices
        if document.replaced is not None:
            notices = [document.replaced.notice(), *notices]
        if not ranges.same or self._fields:
            annotations = redactor._annotations.rewritten(annotations, ranges, self._string)
            if notices:
                notices = rewritten_notices(notices, ranges, self._string)
        return Redacted(ranges.text, event, parts, annotations, notices, key, headers, self._applied)

    # The text.

    def _text_edits(self) -> list[Edit]:
        """Return the edits of the document's text."""
        redactor, document = self._redactor, self._document
        text, annotations = document.text, document.annotations
        clusters: list[Annotation] = []
        for name in redactor._coreference:
            if name in annotations:
                clusters += annotations[name]["clusters"]
        found = pieces(text, [annotations[name] for name in redactor._tasks if name in annotations], clusters)
        edits: list[Edit] = []
        chosen, applied, replace = redactor.chosen, self._applied, self._replacements.replacement
        for piece in found:
            start, end, label, _, group = piece
            operator, counted = chosen.get(label) or redactor.choose(label)
            replacement = replace(operator, label, text[start:end], group)
            applied[counted] = applied.get(counted, 0) + 1
            edits.append((start, end, replacement))
        if edits and redactor.elsewhere:
            values = Values(self._written)
            values.add(found, edits, text)
            if values:
                self._values = values
                if not values.only_at_pieces(fold(text)):
                    edits = self._widened(edits, values)
        if redactor._fields:
            edits = self._with_fields(edits)
        return edits if document.parts is None else _within_parts(edits, document.parts)

    def _written(self, piece: Piece, value: str) -> str:
        operator, _ = self._redactor.choose(piece.label)
        return self._replacements.replacement(operator, piece.label, value, piece.group)

    def _count(self, counted: tuple[str, str]) -> None:
        self._applied[counted] = self._applied.get(counted, 0) + 1

    def _widened(self, edits: list[Edit], values: Values) -> list[Edit]:
        """Add the other places of the values in the text, and merge what overlaps: the longest replacement wins."""
        added: list[Edit] = []
        for start, end, value in values.hits(self._document.text):
            index = bisect_right(edits, start, key=_start) - 1
            if index < 0 or edits[index][1] < end:
                self._count(self._redactor.choose(values.piece(value).label)[1])
                added.append((start, end, values.replacement(value)))
        merged: list[Edit] = []
        longest = 0
        for start, end, replacement in sorted([*edits, *added], key=_start):
            if merged and start < merged[-1][1]:
                first, last, written = merged[-1]
                merged[-1] = first, max(last, end), replacement if end - start > longest else written
                longest = max(longest, end - start)
            else:
                merged.append((start, end, replacement))
                longest = end - start
        return merged

    def _with_fields(self, edits: list[Edit]) -> list[Edit]:
        """Add the texts that are replaced as a whole, because ``redact.fields`` names their place."""
        document = self._document
        parts = document.parts
        if parts is None:
            parts = (Part("", 0, len(document.text), self._redactor.steps),)
        whole: list[Edit] = []
        for part in parts:
            field = next((field for pattern, field in self._redactor._fields if _covers(pattern, part.steps)), None)
            if field is not None:
                value = document.text[part.start : part.end]
                replacement = self._replacements.replacement(field.operator, "", value)
                whole.append((part.start, part.end, replacement))
        if not whole:
            return edits
        kept = [edit for edit in edits if not any(start < edit[1] and edit[0] < end for start, end, _ in whole)]
        return sorted([*kept, *whole])

    # The event.

    def _event(self, event: bytes, edits: list[Edit], text: str) -> bytes:
        """Return the event's JSON after the edits of its texts, and all others. ``text``: the redacted text."""
        redactor, document, values = self._redactor, self._document, self._values
        if redactor.simple and (quick := self._quick(event, edits, text)) is not None:
            return quick
        texts: dict[Steps, tuple[str, Sequence[Edit]]] = {}
        if document.parts is None:
            texts[redactor.steps] = document.text, edits
        else:
            for part in document.parts:
                start, end = part.start, part.end
                within = [(a - start, b - start, by) for a, b, by in edits if start <= a and b <= end]
                texts[part.steps] = document.text[start:end], within
        find, find_name = (None, None) if values is None else (values.find, values.find_name)
        written = event.decode()
        scan = JsonEdits(written, texts, self._field, find, find_name)
        scan.scan(redactor.places)
        if len(scan.texts) < len(texts):
            raise RedactError("a text that was read cannot be found in the event's JSON")
        return apply(written, scan.edits).encode() if scan.edits else event

    def _quick(self, event: bytes, edits: list[Edit], text: str) -> bytes | None:
        """Return the event's JSON with ``text`` as its one text, or None if it must be scanned.

        The text's literal must occur once, no name on its path may be repeated, and no redacted value may be anywhere
        else. Without a backslash elsewhere, no escape hides any of them.
        """
        for name in self._redactor.quoted_names:
            at = event.find(name)
            if at < 0 or event.rfind(name) != at:
                return None
        if not edits:
            return None if b"\\" in event and has_escaped_name(event) else event
        # With the same escapes as ours, the redacted text is written as we write it; otherwise its edits are.
        ours = dumps(self._document.text)
        at = event.find(ours)
        literal = ours if at >= 0 else json.dumps(self._document.text).encode()
        if at < 0:
            at = event.find(literal)
        if at < 0 or event.rfind(literal) != at:
            return None
        end = at + len(literal)
        rest = event[:at] + event[end:]
        if b"\\" in rest or (self._values is not None and self._values.within(fold(rest.decode()))):
            return None
        if literal is ours:
            return event[:at] + dumps(text) + event[end:]
        spelled = literal.decode()
        return event[:at] + apply(spelled, literal_edits(spelled, 0, edits)).encode() + event[end:]

    def _field(self, field: _Field, value: str) -> str | None:
        """Return what is written for a value that is replaced as a whole; None for ``null``."""
        self._count((field.path, field.operator.name))
        removed = field.operator.remove is not None
        replacement = "" if removed else self._replacements.replacement(field.operator, "", value)
        self._fields.update(dict.fromkeys(_strings(value), replacement))
        return None if removed else replacement

    # The record.

    def _record(self) -> tuple[bytes | None, Headers]:
        """Return the key and the headers."""
        record, redact, values = self._document.record, self._redactor._redact, self._values
        if record is None:
            return None, []
        key, headers = record.key, record.headers or []
        found = values is not None and self._in_record(key, headers, values)
        if key is not None and redact.key is not None:
            key = self._whole(redact.key, "key", key)
        elif key is not None and values is not None and found:
            key = _searched(key, values)
        if headers and (found or redact.headers):
            headers = list(self._headers(headers))
        return key, headers

    def _in_record(self, key: bytes | None, headers: Headers, values: Values) -> bool:
        """Return whether one of the values may be in the key or the headers."""
        joined = key or b""
        for name, value in headers:
            joined += b"\0" + name.encode() + b"\0" + (value.encode() if isinstance(value, str) else value or b"")
        return values.within(fold(joined.decode(errors="surrogateescape")))

    def _headers(self, headers: Headers) -> Iterator[tuple[str, str | bytes | None]]:
        redact, values = self._redactor._redact, self._values
        for name, value in headers:
            operator = redact.headers.get(name)
            written: str | bytes | None = value
            if value is not None and operator is not None:
                written = self._whole(operator, f"headers.{name}", value.encode() if isinstance(value, str) else value)
                if written is None:
                    continue
            elif value is not None and values is not None:
                written = _searched(value.encode() if isinstance(value, str) else value, values)
            yield name if values is None else values.redacted(name), written

    def _whole(self, operator: Operator, place: str, value: bytes) -> bytes | None:
        """Return the replacement of a key or a header; None if it is removed. Bytes that are no text count as hex."""
        self._count((place, operator.name))
        if operator.remove is not None:
            return None
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.hex()
        return self._replacements.replacement(operator, "", text).encode()

    # What quotes them.

    def _parts(self, offsets: Offsets | None) -> tuple[tuple[Part, ...] | None, dict[str, str]]:
        """Return the parts of the redacted text, and the paths that have changed."""
        parts = self._document.parts
        if parts is None or (offsets is None and self._values is None):
            return parts, {}
        paths = {part.path: self._string(part.path) for part in parts} if self._values is not None else {}
        moved = tuple(
            Part(
                paths.get(part.path, part.path),
                part.start if offsets is None else offsets.start(part.start),
                part.end if offsets is None else offsets.end(part.end),
                part.steps,
            )
            for part in parts
        )
        return moved, paths

    def _string(self, text: str) -> str:
        """Return what is published of a text that is quoted from the event."""
        whole = self._fields.get(text)
        if whole is not None:
            return whole
        return text if self._values is None else self._values.redacted(text)


def _start(edit: Edit) -> int:
    return edit[0]


def _searched(value: bytes, values: Values) -> bytes:
    text = value.decode(errors="surrogateescape")
    redacted = values.redacted(text)
    return value if redacted is text else redacted.encode(errors="surrogateescape")


def _covers(pattern: Pattern, steps: Steps) -> bool:
    """Return whether ``pattern`` names the place ``steps``, or one that contains it."""
    return len(pattern) <= len(steps) and all(
        wanted is None or wanted == step for wanted, step in zip(pattern, steps, strict=False)
    )


def _within_parts(edits: list[Edit], parts: Sequence[Part]) -> list[Edit]:
    """Cut edits that reach from one text into another; the first part gets the replacement."""
    if all(any(part.start <= start and end <= part.end for part in parts) for start, end, _ in edits):
        return edits
    cut: list[Edit] = []
    for start, end, replacement in edits:
        for part in parts:
            first, last = max(start, part.start), min(end, part.end)
            if first < last:
                cut.append((first, last, replacement))
                replacement = ""
    return cut


def _strings(value: str) -> Iterator[str]:
    """Yield ``value``, the content of a string or the JSON of anything else, and every string within it."""
    yield value
    if value[:1] in {"[", "{"}:
        try:
            pending: list[Any] = [orjson.loads(value)]
        except orjson.JSONDecodeError:
            return
        while pending:
            entry = pending.pop()
            if isinstance(entry, str):
                yield entry
            elif isinstance(entry, list):
                pending += entry
            elif isinstance(entry, dict):
                pending += entry.values()
