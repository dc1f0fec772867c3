"""What is published of one document whose text is redacted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson
from orjson import dumps

from schemas.document import Annotation, Document, Part
from schemas.paths import Pattern, Steps
from schemas.pipeline.redaction import Operator
from stream.output.annotations import Ranges, rewritten_notices
from stream.output.redaction.elsewhere import Values, counted, only_at_pieces
from stream.output.redaction.event_json import Field
from stream.output.redaction.folding import fold
from stream.output.redaction.literals import Edit, content
from stream.output.redaction.offsets import Offsets
from stream.output.redaction.operators import Replacements
from stream.output.redaction.plan import Plan
from stream.output.redaction.record import whole
from stream.output.redaction.spans import Piece, pieces
from stream.output.redaction.text_edits import covered, merged, replaced_by, within_parts

_WHOLE_STEPS = re.compile(r'\$?(?:\.\w++(?=[.\[])|\[\d++\]|\["(?:[^"\\]|\\.)*+"\])*+')
"""The steps of a path that was cut, without the last one."""
_NAME = re.compile(r'"(?:[^"\\]++|\\.)*+"')


class Redacted:
    """What is published of a document if its text is redacted.

    - ``text``, ``event``, ``parts``, ``annotations``, ``notices``: as those of the document, but redacted, with offsets
      into the redacted ``text`` in the unit of the output.
    - ``key``, ``headers``: those of the record, redacted.
    - ``applied``: (label, operator) -> how many values were replaced. The "label" of a whole value is its place in
      ``redact``: the path of a field, ``key``, or ``headers.`` and a name.
    """

    __slots__ = (
        "_counts", "_document", "_edits", "_fields", "_offsets", "_pieces", "_plan", "_ranges", "_replacements",
        "_values", "annotations", "applied", "event", "headers", "key", "notices", "parts", "text",
    )  # fmt: skip

    def __init__(self, plan: Plan, document: Document) -> None:
        """Redact ``document`` as ``plan`` says. Raises whatever a malformed annotation leads to."""
        self._plan = plan
        self._document = document
        self._replacements = plan.operators.event()
        self.applied: dict[tuple[str, str], int] = {}
        self._fields: dict[str, str] = {}
        """The strings within values that were replaced as a whole, and what was written."""
        self._values: Values | None = None
        self._pieces, self._edits = self._redact_spans()
        self._counts: dict[str, int] = {}
        """The values to redact wherever they are, folded, and how often each is in the pieces."""
        edits = self._edits
        if edits and plan.elsewhere:
            edits = self._with_repetitions(edits)
        if plan.event.fields:
            edits = self._with_fields(edits)
        if document.parts is not None and edits:
            edits = within_parts(edits, document.parts)
        self._offsets = offsets = Offsets(document.text, edits) if edits else None
        self.text = document.text if offsets is None else offsets.text
        values = None
        self.event = plan.event.quickly(document, edits, self.text, self._counts, plan.record)
        if self.event is None:
            values = self._elsewhere()
            self.event = plan.event.redacted(document, edits, values, self._field)
        self.key, self.headers = None, []
        if (record := document.record) is not None:
            self.key = plan.record.key(record.key, values, self._place)
            self.headers = plan.record.headers(record.headers or [], values, self._place)
        self._ranges = ranges = Ranges(document.text, plan.unit, offsets, plan.originals)
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
        annotations = self._plan.annotations.rewritten(annotations, ranges, self._string)
        return annotations, rewritten_notices(notices, ranges, self._path) if notices else notices

    def counts(self) -> dict[str, int]:
        """Return how many values of each label were replaced."""
        counts: dict[str, int] = {}
        for (label, _), count in self.applied.items():
            counts[label] = counts.get(label, 0) + count
        return counts

    def route_key(self, steps: Steps, key: bytes) -> bytes | None:
        """Return the key of a copy of the event, redacted: ``key`` is the value at ``steps`` in the event."""
        plan = self._plan
        if (field := _field_at(plan, steps)) is not None:
            return whole(key, field.operator, field.path, self._place)
        if not plan.record.replaces_key and (text := self._text_at(steps)) is not None:
            return text.encode()
        return plan.record.key(key, self._elsewhere(), self._place)

    def _text_at(self, steps: Steps) -> str | None:
        """Return the redacted text whose place in the event is ``steps``; None if there is no text."""
        document, offsets = self._document, self._offsets
        if document.parts is None:
            return self.text if steps == self._plan.event.steps else None
        part = next((part for part in document.parts if part.steps == steps), None)
        if part is None:
            return None
        if offsets is None:
            return document.text[part.start : part.end]
        return offsets.text[offsets.start(part.start) : offsets.end(part.end)]

    def _redact_spans(self) -> tuple[list[Piece], list[Edit]]:
        """Return the parts of the text that the tasks have found, and the edit of each."""
        plan, text, annotations = self._plan, self._document.text, self._document.annotations
        clusters: list[Annotation] = []
        for name in plan.coreference:
            if name in annotations:
                clusters += annotations[name]["clusters"]
        spans = pieces(text, [annotations[name] for name in plan.tasks if name in annotations], clusters)
        edits: list[Edit] = []
        chosen, applied, replacements = plan.chosen, self.applied, self._replacements
        for start, end, label, _, group in spans:
            fixed, function, counted_as = chosen.get(label) or plan.choose(label)
            replacement = function(replacements, text[start:end], group) if fixed is None else fixed
            edits.append((start, end, replacement))
            applied[counted_as] = applied.get(counted_as, 0) + 1
        return spans, edits

    def _with_repetitions(self, edits: list[Edit]) -> list[Edit]:
        """Add the other places in the text where values of the pieces are."""
        text = self._document.text
        folded = fold(text)
        self._counts = counted(text, folded, self._pieces)
        if ("\\" not in text and only_at_pieces(self._counts, folded)) or (values := self._elsewhere()) is None:
            return edits
        added: list[Edit] = []
        for start, end, value in values.hits(text):
            if not covered(edits, start, end):
                self._count(self._plan.choose(values.piece(value).label).counted_as)
                added.append((start, end, values.replacement(value)))
        return merged(edits, added)

    def _with_fields(self, edits: list[Edit]) -> list[Edit]:
        """Replace the texts as a whole whose places ``redact.fields`` names."""
        document = self._document
        replaced: list[Edit] = []
        for part in document.parts or (Part("", 0, len(document.text), self._plan.event.steps),):
            if (field := _field_at(self._plan, part.steps)) is not None:
                value = document.text[part.start : part.end]
                replaced.append((part.start, part.end, self._replacements.replacement(field.operator, "", value)))
        return replaced_by(edits, replaced) if replaced else edits

    # What replaces.

    def _elsewhere(self) -> Values | None:
        """Return the values to redact wherever they are; None if there are none.

        They are made when they are needed: in most events, no value is anywhere else.
        """
        if self._values is None and self._counts:
            replace = partial(_again, self._plan, self._replacements)
            self._values = Values(self._document.text, self._pieces, self._edits, replace)
            if self._has_escapes():
                self._values.add_escaped()
        return self._values

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
        values = self._elsewhere()
        return text if values is None else values.redacted(text)

    def _path(self, path: str) -> str:
        """Return what is published of a path, whose names may be from the event."""
        values = self._elsewhere()
        if values is None:
            return path
        if path.endswith("…"):
            # The part of a value that is left at its end would not be found.
            path = f"{_WHOLE_STEPS.match(path)[0]}…"  # type: ignore[index]  # it matches any text
        if "\\" in path:
            path = _NAME.sub(lambda name: dumps(values.redacted(content(name[0]))).decode(), path)
        return values.redacted(path)

    def _has_escapes(self) -> bool:
        """Return whether there may be escaped characters in the event, or in the key or the headers of its record."""
        document = self._document
        event, record = document.event, document.record
        if "\\" in document.text or (event is not None and b"\\" in event):
            return True
        return record is not None and any(b"\\" in part for part in self._plan.record.searched(record))

    def _count(self, counted: tuple[str, str]) -> None:
        self.applied[counted] = self.applied.get(counted, 0) + 1


def _again(plan: Plan, replacements: Replacements, piece: Piece, value: str) -> str:
    """Return the replacement of a value of a piece that is somewhere else."""
    return plan.choose(piece.label).function(replacements, value, piece.group)


def _field_at(plan: Plan, steps: Steps) -> Field | None:
    """Return what ``redact.fields`` says of the value at ``steps``, or of one that contains it."""
    return next((field for pattern, field in plan.event.fields if _covers(pattern, steps)), None)


def _covers(pattern: Pattern, steps: Steps) -> bool:
    """Return whether ``pattern`` names the place ``steps``, or one that contains it."""
    return len(pattern) <= len(steps) and all(
        wanted is None or wanted == step for wanted, step in zip(pattern, steps, strict=False)
    )


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
