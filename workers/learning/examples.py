"""Labelled texts: every row is checked by itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from schemas.labels import ENTITIES, POLARITIES
from schemas.pipeline.wording import suggest
from schemas.taxonomies import CLEAN, spelled
from workers.learning.rows import Mistakes, Row

Task = Literal["sentiment", "text-classification", "ner", "moderation"]
TASKS: tuple[Task, ...] = ("sentiment", "text-classification", "ner", "moderation")
FIELD: dict[Task, str] = {
    "sentiment": "label", "text-classification": "label", "ner": "spans", "moderation": "labels",
}  # fmt: skip
SHAPE: dict[str, str] = {
    "label": '"label": "name"', "labels": '"labels": ["name", ...]',
    "spans": '"spans": [{"start": 0, "end": 5, "label": "NAME"}]',
}  # fmt: skip
LONGEST_TEXT = 1_000_000
"""The most characters of a text."""
LONGEST_LABEL = 64
"""The most characters of a label."""

Span = tuple[int, int, str]
"""Start, end (half-open, in code points), label."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its labels.

    - ``row``: where it is in the file.
    - ``labels``: sorted; exactly one, or any number for moderation, or none for ``ner``.
    - ``spans``: for ``ner``, sorted by start.
    """

    row: Row
    text: str
    labels: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def named(self) -> set[str]:
        """Every label of the text or of its spans."""
        return {*self.labels, *(label for _, _, label in self.spans)}


@dataclass(frozen=True)
class Labelled:
    """A checked file.

    - ``labels``: every label that occurs, sorted.
    - ``examples``: the texts in the order of the file, each once.
    - ``repeated``: how many repeated texts were left out.
    - ``unlabelled``: how many tasks of a Label Studio export have no annotation.
    - ``notes``: sentences about where the texts come from, and what was left out.
    """

    task: Task
    labels: tuple[str, ...]
    examples: list[Example]
    repeated: int
    unlabelled: int
    notes: tuple[str, ...] = ()


def parse_example(row: Row, task: Task, mistakes: Mistakes) -> Example | None:
    """Return the example in ``row``; or None if it has mistakes, which are added to ``mistakes``."""
    before = len(mistakes.entries)
    text, field = _text(row, mistakes), FIELD[task]
    value = row.fields.get(field)
    if field not in row.fields:
        mistakes.add(row, f'no "{field}"; {_hint(row, task)}')
    elif field == "label":
        _check_label(row, value, mistakes)
        value = [value]
    elif not isinstance(value, list):
        mistakes.add(row, f'"{field}" must be a list: {SHAPE[field]}')
    elif field == "labels":
        for label in value:
            _check_label(row, label, mistakes)
        if len(mistakes.entries) == before and len(set(value)) < len(value):
            mistakes.add(row, '"labels" contains a label twice')
        if any(isinstance(label, str) and spelled(label) in CLEAN for label in value):
            mistakes.add(row, 'a label that means "nothing found"; leave "labels" empty instead: []')
    elif text is not None:
        return _with_spans(row, text, value, mistakes)
    if len(mistakes.entries) > before or text is None:
        return None
    assert isinstance(value, list)
    return Example(row, text, tuple(sorted(value)))


def _text(row: Row, mistakes: Mistakes) -> str | None:
    text = row.fields.get("text")
    if "text" not in row.fields:
        near = suggest("text", row.fields)
        mistakes.add(row, 'no "text"' + (f'; rename "{near}"' if near else '; each row needs {"text": "..."}'))
    elif not isinstance(text, str):
        mistakes.add(row, '"text" must be a string, in quotes')
    elif not text.strip():
        mistakes.add(row, '"text" is empty; leave the row out')
    elif len(text) > LONGEST_TEXT:
        mistakes.add(row, f'"text" has {len(text):,} characters, the limit is {LONGEST_TEXT:,}; shorten it')
    elif any(0xD800 <= ord(character) < 0xE000 for character in text):
        mistakes.add(row, '"text" contains half a character (a lone surrogate); save it again as UTF-8')
    else:
        return text
    return None


def _hint(row: Row, task: Task) -> str:
    expected = FIELD[task]
    present = next((name for name in ("label", "labels", "spans") if name != expected and name in row.fields), None)
    if present is not None:
        fitting = ", ".join(name for name in TASKS if FIELD[name] == present)
        return f'a row with "{present}" is for --task {fitting}; {task} needs {SHAPE[expected]}'
    near = suggest(expected, row.fields)
    return f'rename "{near}"' if near else f"{task} needs {SHAPE[expected]}"


def _check_label(row: Row, label: Any, mistakes: Mistakes) -> None:
    if not isinstance(label, str):
        mistakes.add(row, "a label must be a string, in quotes")
    elif not label.strip():
        mistakes.add(row, "a label is empty; fill it in, or leave the row out")
    elif label != label.strip():
        mistakes.add(row, "a label starts or ends with white space; remove it")
    elif len(label) > LONGEST_LABEL or not label.isprintable():
        mistakes.add(row, f"a label has line breaks or more than {LONGEST_LABEL} characters; is it the text?")


def _with_spans(row: Row, text: str, spans: list[Any], mistakes: Mistakes) -> Example | None:
    before = len(mistakes.entries)
    parsed: list[tuple[int, int, str, int]] = []
    for number, span in enumerate(spans, 1):
        if not isinstance(span, dict) or not {"start", "end", "label"} <= span.keys():
            mistakes.add(row, f"span {number} must be an object with start, end and label")
            continue
        start, end, label = span["start"], span["end"], span["label"]
        _check_label(row, label, mistakes)
        if isinstance(label, str) and (label == "O" or label.startswith(("B-", "I-"))):
            mistakes.add(row, f"span {number}: use the plain label, without B- or I-, and leave out spans of O")
        if type(start) is not int or type(end) is not int:
            mistakes.add(row, f"span {number}: start and end must be whole numbers")
        elif start >= end:
            mistakes.add(row, f"span {number} is empty: start {start}, end {end}; end is exclusive")
        elif start < 0 or end > len(text):
            mistakes.add(
                row, f"span {number} from {start} to {end} is beyond the text of {len(text)} code points; "
                "do you count bytes or UTF-16 units?"
            )  # fmt: skip
        elif not (bare := text[start:end].strip()):
            mistakes.add(row, f"span {number} contains white space only")
        else:
            # Trimmed, as the tasks annotate: people who select with a mouse often include a space.
            start += text[start:end].index(bare)
            parsed.append((start, start + len(bare), label, number))
    parsed.sort(key=lambda span: span[:2])
    for (_, end, _, number), (start, _, _, following) in pairwise(parsed):
        if start < end:
            mistakes.add(row, f"spans {number} and {following} overlap; keep one of them")
    if len(mistakes.entries) > before:
        return None
    return Example(row, text, spans=tuple((start, end, label) for start, end, label, _ in parsed))


def normalised(text: str) -> str:
    """Return a form that is equal for texts which differ only in case, character width or white space."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def canonical(task: str, labels: Sequence[str]) -> dict[str, str]:
    """Return how ``task`` spells each label in its annotations (``PER`` -> ``PERSON``, ``pos`` -> ``positive``)."""
    if task == "ner":
        return {label: ENTITIES.get(label.upper(), label) for label in labels}
    if task == "sentiment" and all(label.lower() in POLARITIES for label in labels):
        return {label: POLARITIES[label.lower()] for label in labels}
    return {label: label for label in labels}
