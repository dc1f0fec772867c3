"""Redacts a document: its text, its event, its annotations and notices, and the key and headers of its record."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import orjson
from orjson import dumps

from schemas.document import Annotation, Document, Part
from schemas.errors import RedactError
from schemas.paths import Pattern, Steps
from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction import Operator
from schemas.pipeline.redaction_checks import PERSONAL_KINDS
from schemas.record import Headers, Record
from stream.output.annotations import Annotations, Ranges, rewritten_notices
from stream.output.redaction.elsewhere import Values
from stream.output.redaction.event_json import EventRedactor, Field
from stream.output.redaction.folding import fold
from stream.output.redaction.keys import Keys
from stream.output.redaction.literals import Edit, content
from stream.output.redaction.offsets import Offsets
from stream.output.redaction.operators import Operators
from stream.output.redaction.record import RecordRedactor, whole
from stream.output.redaction.rows import with_rows_before
from stream.output.redaction.spans import Piece, pieces

_MOST_LABELS = 1000
"""Labels whose operators are kept; tasks of users could make up any number of labels."""
OTHER = "other"
"""What values are counted as whose labels are beyond that number."""
_START = itemgetter(0)
_WHOLE_STEPS = re.compile(r'\$?(?:\.\w++(?=[.\[])|\[\d++\]|\["(?:[^"\\]|\\.)*+"\])*+')
"""The steps of a path that was cut, without the last one."""
_NAME = re.compile(r'"(?:[^"\\]++|\\.)*+"')


class Redactor:
    """Redacts the documents of one configuration. Any thread may use it.

    The other attributes are for the redaction of one document: ``operators``, ``event``, ``record``, ``annotations``,
    ``unit``, ``originals``, ``elsewhere``, ``tasks`` and ``coreference`` (names of tasks), and ``chosen``, what
    ``choose`` has returned so far.
    """

    def __init__(self, pipeline: Pipeline, keys: Keys) -> None:
        """``pipeline`` has a section ``redact``; ``keys``: those that its operators need.

        Raises SettingError if a library that an operator needs is not installed.
        """
        redact = pipeline.redact
        if redact is None:
            raise ValueError("the pipeline has no section redact")
        redact = self._redact = with_rows_before(redact, pipeline.input)
        self.operators = Operators(redact, keys)
        self.event = EventRedactor(pipeline.input, redact)
        self.record = RecordRedactor(redact)
        self.annotations = Annotations(pipeline.tasks)
        self.unit = pipeline.output.offset_unit
        self.originals = pipeline.output.original_offsets
        self.elsewhere = redact.elsewhere
        self.tasks = redact.tasks
        if self.tasks is None:
            self.tasks = [task.name for task in pipeline.tasks if task.task in PERSONAL_KINDS and not task.shadow]
        self.coreference = [task.name for task in pipeline.tasks if task.task == "coreference"]
        self.chosen: dict[str, tuple[Operator, tuple[str, str]]] = {}

    def choose(self, label: str) -> tuple[Operator, tuple[str, str]]:
        """Return the operator of a label, and what its use is counted as."""
        operator = self._redact.operator_for(label)
        if len(self.chosen) >= _MOST_LABELS:
            return operator, (OTHER, operator.name)
        choice = self.chosen[label] = operator, (label, operator.name)
        return choice

    def delete(self, record: Record) -> tuple[bytes | None, Headers]:
        """Return the key and the headers of a tombstone. Raises RedactError."""
        replacements = self.operators.event()

        def replace(operator: Operator, _: str, value: str) -> str:
            return replacements.replacement(operator, "", value)

        try:
            return self.record.key(record.key, None, replace), self.record.headers(record.headers or [], None, replace)
        except Exception as error:
            raise _failed(error) from None

    def redact(self, document: Document) -> Redacted:
        """Redact a document that has not failed; the document itself stays as it is.

        Raises RedactError, whose message contains no text of the event, if anything fails.
        """
        try:
            return Redacted(self, document)
        except RedactError:
            raise
        except Exception as error:
            raise _failed(error) from None


class Redacted:
    """What is published of a document if its text is redacted.

    - ``text``, ``event``, ``parts``, ``annotations``, ``notices``: as those of the document, but redacted, with offsets
      into the redacted ``text`` in the unit of the output.
    - ``key``, ``headers``: those of the record, redacted.
    - ``applied``: (label, operator) -> how many values were replaced. The "label" of a whole value is its place in
      ``redact``: the path of a field, ``key``, or ``headers.`` and a name.
    """

    __slots__ = (
        "_document", "_fields", "_offsets", "_ranges", "_redactor", "_replacements", "_values", "annotations",
        "applied", "event", "headers", "key", "notices", "parts", "text",
    )  # fmt: skip

    def __init__(self, redactor: Redactor, document: Document) -> None:
        self._redactor = redactor
        self._document = document
        self._replacements = redactor.operators.event()
        self.applied: dict[tuple[str, str], int] = {}
        self._fields: dict[str, str] = {}
        """The strings within values that were replaced as a whole, and what was written."""
        self._values: Values | None = None
        edits = self._edits()
        self._offsets = offsets = Offsets(document.text, edits) if edits else None
        self.text = document.text if offsets is None else offsets.text
        self.event = redactor.event.redacted(document, edits, self.text, self._values, self._field)
        self.key, self.headers = None, []
        if (record := document.record) is not None:
            self.key = redactor.record.key(record.key, self._values, self._place)
            self.headers = redactor.record.headers(record.headers or [], self._values, self._place)
        self._ranges = ranges = Ranges(document.text, redactor.unit, offsets, redactor.originals)
        self.parts, self.annotations, self.notices = document.parts, document.annotations, document.notices
        if document.replaced is not None:
            self.notices = [document.replaced.notice(), *self.notices]
        if self.parts is not None and (self._fields or not ranges.same):
            self.parts = ranges.moved_parts(self.parts, self._path)
        self.annotations, self.notices = self.rewritten(self.annotations, self.notices)

    def rewritten(
        self, annotations: dict[str, Annotation], notices: list[dict[str, Any]]
    ) -> tuple[dict[str, Annotation], list[dict[str, Any]]]:
        """Return ``annotations`` and ``notices`` of the document as they are published."""
        ranges = self._ranges
        if not self._fields and ranges.same:
            return annotations, notices
        annotations = self._redactor.annotations.rewritten(annotations, ranges, self._string)
        return annotations, rewritten_notices(notices, ranges, self._path) if notices else notices

    def counts(self) -> dict[str, int]:
        """Return how many values of each label were replaced."""
        counts: dict[str, int] = {}
        for (label, _), count in self.applied.items():
            counts[label] = counts.get(label, 0) + count
        return counts

    def route_key(self, steps: Steps, key: bytes) -> bytes | None:
        """Return the key of a copy of the event, redacted: ``key`` is the value at ``steps`` in the event."""
        redactor = self._redactor
        for pattern, field in redactor.event.fields:
            if _covers(pattern, steps):
                return whole(key, field.operator, field.path, self._place)
        if not redactor.record.replaces_key and (text := self._text_at(steps)) is not None:
            return text.encode()
        return redactor.record.key(key, self._values, self._place)

    def _text_at(self, steps: Steps) -> str | None:
        """Return the redacted text whose place in the event is ``steps``; None if there is no text."""
        document, offsets = self._document, self._offsets
        if document.parts is None:
            return self.text if steps == self._redactor.event.steps else None
        part = next((part for part in document.parts if part.steps == steps), None)
        if part is None:
            return None
        if offsets is None:
            return document.text[part.start : part.end]
        return offsets.text[offsets.start(part.start) : offsets.end(part.end)]

    def _edits(self) -> list[Edit]:
        """Return the edits of the document's text."""
        redactor, document = self._redactor, self._document
        text, annotations = document.text, document.annotations
        clusters: list[Annotation] = []
        for name in redactor.coreference:
            if name in annotations:
                clusters += annotations[name]["clusters"]
        found = pieces(text, [annotations[name] for name in redactor.tasks or () if name in annotations], clusters)
        edits: list[Edit] = []
        chosen, applied, replace = redactor.chosen, self.applied, self._replacements.replacement
        for piece in found:
            start, end, label, _, group = piece
            operator, counted = chosen.get(label) or redactor.choose(label)
            replacement = replace(operator, label, text[start:end], group)
            applied[counted] = applied.get(counted, 0) + 1
            edits.append((start, end, replacement))
        if edits and redactor.elsewhere:
            values = Values(self._again)
            values.add(found, edits, text)
            if _has_escapes(document):
                values.add_escaped()
            if values:
                self._values = values
                if not values.only_at_pieces(fold(text)):
                    edits = self._widened(edits, values)
        if redactor.event.fields:
            edits = self._with_fields(edits)
        return edits if document.parts is None or not edits else _within_parts(edits, document.parts)

    def _widened(self, edits: list[Edit], values: Values) -> list[Edit]:
        """Add the other places of the values in the text, and merge what overlaps: the longest replacement wins."""
        added: list[Edit] = []
        for start, end, value in values.hits(self._document.text):
            index = bisect_right(edits, start, key=_START) - 1
            if index < 0 or edits[index][1] < end:
                self._count(self._redactor.choose(values.piece(value).label)[1])
                added.append((start, end, values.replacement(value)))
        merged: list[Edit] = []
        longest = 0
        for start, end, replacement in sorted([*edits, *added], key=_START):
            if merged and start < merged[-1][1]:
                first, last, written = merged[-1]
                merged[-1] = first, max(last, end), replacement if end - start > longest else written
                longest = max(longest, end - start)
            else:
                merged.append((start, end, replacement))
                longest = end - start
        return merged

    def _with_fields(self, edits: list[Edit]) -> list[Edit]:
        """Replace the texts as a whole whose places ``redact.fields`` names."""
        redactor, document = self._redactor, self._document
        parts = document.parts or (Part("", 0, len(document.text), redactor.event.steps),)
        replaced: list[Edit] = []
        for part in parts:
            field = next((field for pattern, field in redactor.event.fields if _covers(pattern, part.steps)), None)
            if field is not None:
                value = document.text[part.start : part.end]
                replaced.append((part.start, part.end, self._replacements.replacement(field.operator, "", value)))
        if not replaced:
            return edits
        kept = []
        for edit in edits:
            index = bisect_right(replaced, edit[0], key=_START)
            covered = index and edit[0] < replaced[index - 1][1]
            reached = index < len(replaced) and replaced[index][0] < edit[1]
            if not (covered or reached):
                kept.append(edit)
        return sorted([*kept, *replaced], key=_START)

    # What replaces.

    def _again(self, piece: Piece, value: str) -> str:
        """Return the replacement of a value of a piece that is somewhere else."""
        operator, _ = self._redactor.choose(piece.label)
        return self._replacements.replacement(operator, piece.label, value, piece.group)

    def _field(self, field: Field, value: str) -> str | None:
        """Return what is written for a value that is replaced as a whole; None for ``null``."""
        replacement = self._place(field.operator, field.path, value)
        self._fields.update(dict.fromkeys(_strings(value), replacement))
        return None if field.operator.remove is not None else replacement

    def _place(self, operator: Operator, place: str, value: str) -> str:
        """Return the replacement of a whole value, which ``place`` in ``redact`` names, and count it."""
        self._count((place, operator.name))
        return self._replacements.replacement(operator, "", value)

    def _string(self, text: str) -> str:
        """Return what is published of a text that is quoted from the event."""
        replacement = self._fields.get(text)
        if replacement is not None:
            return replacement
        return text if self._values is None else self._values.redacted(text)

    def _path(self, path: str) -> str:
        """Return what is published of a path, whose names may be from the event."""
        values = self._values
        if values is None:
            return path
        if path.endswith("…"):
            # The part of a value that is left at its end would not be found.
            path = f"{_WHOLE_STEPS.match(path)[0]}…"  # type: ignore[index]  # it matches any text
        if "\\" in path:
            path = _NAME.sub(lambda name: dumps(values.redacted(content(name[0]))).decode(), path)
        return values.redacted(path)

    def _count(self, counted: tuple[str, str]) -> None:
        self.applied[counted] = self.applied.get(counted, 0) + 1


def _failed(error: Exception) -> RedactError:
    # Only the class: the message may quote the event.
    return RedactError(f"the event cannot be redacted ({type(error).__name__})")


def _has_escapes(document: Document) -> bool:
    """Return whether there may be escaped characters in the event, or in the key or the headers of its record."""
    event, record = document.event, document.record
    if "\\" in document.text or (event is not None and b"\\" in event):
        return True
    if record is None:
        return False
    if record.key is not None and b"\\" in record.key:
        return True
    for name, value in record.headers or ():
        if "\\" in name or ("\\" in value if isinstance(value, str) else value is not None and b"\\" in value):
            return True
    return False


def _covers(pattern: Pattern, steps: Steps) -> bool:
    """Return whether ``pattern`` names the place ``steps``, or one that contains it."""
    return len(pattern) <= len(steps) and all(
        wanted is None or wanted == step for wanted, step in zip(pattern, steps, strict=False)
    )


def _within_parts(edits: list[Edit], parts: Sequence[Part]) -> list[Edit]:
    """Cut edits that reach from one text into another; the first part gets the replacement."""
    cut: list[Edit] = []
    number = 0
    for start, end, replacement in edits:
        while parts[number].end <= start:
            number += 1
        reached = number
        while reached < len(parts) and parts[reached].start < end:
            part = parts[reached]
            cut.append((max(start, part.start), min(end, part.end), replacement))
            replacement = ""
            reached += 1
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
