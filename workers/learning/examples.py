"""Labelled texts: each row checked, then all of them together."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from schemas.labels import CLEAN, ENTITIES, POLARITIES
from schemas.pipeline.wording import suggest
from workers.learning.labelstudio import is_export, read_export
from workers.learning.rows import Mistakes, Row, read_rows

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
LONGEST_LABEL = 64
MOST_LABELS = 1000

Span = tuple[int, int, str]
"""Half-open, in code points of the text."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what a person says of it. ``labels``: one, or any number for moderation; ``spans``: by start."""

    row: Row
    text: str
    labels: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def named(self) -> set[str]:
        """Every label that it has, of the text or of spans."""
        return {*self.labels, *(label for _, _, label in self.spans)}


@dataclass(frozen=True)
class Labelled:
    """A checked file. ``labels``: sorted; ``repeated``: equal texts left out; ``unlabelled``: tasks without labels."""

    task: Task
    labels: tuple[str, ...]
    examples: list[Example]
    repeated: int
    unlabelled: int


def read(file: Path, task: Task, control: str | None = None) -> Labelled:
    """Reads JSON lines, or Label Studio's JSON export.

    ``control``: see ``labelstudio.read_export``. Raises LabelsError with every mistake, none of which quotes a text.
    """
    mistakes, unlabelled = Mistakes(), 0
    # Once, because it may be a pipe.
    content = file.read_bytes()
    if is_export(content):
        rows, unlabelled = read_export(file, content, task, control, mistakes)
    else:
        rows = read_rows(file, content, mistakes)
    found = [example for row in rows if (example := check(row, task, mistakes)) is not None]
    kept = _once(found, task, mistakes)
    examples = _in_one_spelling(kept, task)
    _check_labels(file, examples, task, mistakes, whole=not mistakes.found)
    mistakes.settle()
    labels = tuple(sorted({label for example in examples for label in example.named}))
    return Labelled(task, labels, examples, len(found) - len(kept), unlabelled)


def check(row: Row, task: Task, mistakes: Mistakes) -> Example | None:
    """The example of one row; None where it has mistakes."""
    before = len(mistakes.found)
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
        if len(mistakes.found) == before and len(set(value)) < len(value):
            mistakes.add(row, '"labels" says the same twice')
        if any(isinstance(label, str) and label.lower() in CLEAN for label in value):
            mistakes.add(row, 'a label that means "nothing found"; leave "labels" empty instead: []')
    elif text is not None:
        return _with_spans(row, text, value, mistakes)
    if len(mistakes.found) > before or text is None:
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
        mistakes.add(row, f'"text" has {len(text):,} characters, the most is {LONGEST_TEXT:,}; cut it')
    elif any(0xD800 <= ord(character) < 0xE000 for character in text):
        mistakes.add(row, '"text" holds half a character (a lone surrogate); write it again as UTF-8')
    else:
        return text
    return None


def _hint(row: Row, task: Task) -> str:
    wanted = FIELD[task]
    other = next((name for name in ("label", "labels", "spans") if name != wanted and name in row.fields), None)
    if other is not None:
        fitting = ", ".join(name for name in TASKS if FIELD[name] == other)
        return f'a row with "{other}" is for --task {fitting}; {task} needs {SHAPE[wanted]}'
    near = suggest(wanted, row.fields)
    return f'rename "{near}"' if near else f"{task} needs {SHAPE[wanted]}"


def _check_label(row: Row, label: Any, mistakes: Mistakes) -> None:
    if not isinstance(label, str):
        mistakes.add(row, "a label must be a string, in quotes")
    elif not label.strip():
        mistakes.add(row, "a label is empty; name it, or leave the row out")
    elif label != label.strip():
        mistakes.add(row, "a label has white space at its ends; remove it")
    elif len(label) > LONGEST_LABEL or not label.isprintable():
        mistakes.add(row, f"a label has line breaks or over {LONGEST_LABEL} characters; is it the text?")


def _with_spans(row: Row, text: str, spans: list[Any], mistakes: Mistakes) -> Example | None:
    before, found = len(mistakes.found), []
    for number, span in enumerate(spans, 1):
        if not isinstance(span, dict) or not {"start", "end", "label"} <= span.keys():
            mistakes.add(row, f"span {number} must be an object with start, end and label")
            continue
        start, end, label = span["start"], span["end"], span["label"]
        _check_label(row, label, mistakes)
        if isinstance(label, str) and (label == "O" or label.startswith(("B-", "I-"))):
            mistakes.add(row, f"span {number}: give the plain label, without B- or I-, and leave out what is O")
        if type(start) is not int or type(end) is not int:
            mistakes.add(row, f"span {number}: start and end must be whole numbers")
        elif start >= end:
            mistakes.add(row, f"span {number} is empty: start {start}, end {end}; end is the place after the last")
        elif start < 0 or end > len(text):
            mistakes.add(
                row, f"span {number} from {start} to {end} is beyond the text of {len(text)} code points; "
                "are these bytes or UTF-16 units?"
            )  # fmt: skip
        elif not (bare := text[start:end].strip()):
            mistakes.add(row, f"span {number} holds white space alone")
        else:
            # As the tasks annotate; who selects with a mouse often takes a space along.
            start += text[start:end].index(bare)
            found.append((start, start + len(bare), label, number))
    found.sort(key=lambda one: one[:2])
    for one, other in pairwise(found):
        if other[0] < one[1]:
            mistakes.add(row, f"spans {one[3]} and {other[3]} overlap; keep one of them")
    if len(mistakes.found) > before:
        return None
    return Example(row, text, spans=tuple((start, end, label) for start, end, label, _ in found))


def normalised(text: str) -> str:
    """What two texts have in common that a person would call the same: case, width and white space left out."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _once(found: Sequence[Example], task: Task, mistakes: Mistakes) -> list[Example]:
    """Of equal texts the first; a mistake where their labels differ."""
    first: dict[str, Example] = {}
    for example in found:
        # Spans count characters, so that only the very same text can be compared.
        known = first.setdefault(example.text if task == "ner" else normalised(example.text), example)
        if (known.labels, known.spans) != (example.labels, example.spans):
            other = known.row.place.removeprefix(example.row.place.rstrip("0123456789")).strip()
            aside = "" if known.text == example.text else " but for case or white space"
            mistakes.add(example.row, f"the same text{aside} as in row {other}, with another label; keep one of them")
    return list(first.values())


def canonical(task: str, labels: Sequence[str]) -> dict[str, str]:
    """Labels -> how the task spells them in its annotations (``PER`` -> ``PERSON``, ``pos`` -> ``positive``)."""
    if task == "ner":
        return {label: ENTITIES.get(label.upper(), label) for label in labels}
    if task == "sentiment" and all(label.lower() in POLARITIES for label in labels):
        return {label: POLARITIES[label.lower()] for label in labels}
    return {label: label for label in labels}


def _in_one_spelling(examples: Sequence[Example], task: Task) -> list[Example]:
    names = canonical(task, sorted({label for example in examples for label in example.named}))
    return [
        Example(
            example.row, example.text, tuple(sorted({names[label] for label in example.labels})),
            tuple((start, end, names[label]) for start, end, label in example.spans),
        )
        for example in examples
    ]  # fmt: skip


def _check_labels(file: Path, examples: Sequence[Example], task: Task, mistakes: Mistakes, *, whole: bool) -> None:
    """What only all rows together show. ``whole``: no row was left out, so that what is missing is missing."""
    texts = Counter(label for example in examples for label in example.named)
    spellings: dict[str, str] = {}
    for label in sorted(texts):
        known = spellings.setdefault(label.casefold(), label)
        if known != label:
            mistakes.add(None, f"{file}: labels {_quoted(known)} and {_quoted(label)} differ in case alone; choose one")
    if len(texts) > MOST_LABELS:
        mistakes.add(None, f"{file}: {len(texts):,} labels, the most is {MOST_LABELS:,}; are these the texts?")
        return
    if not whole:
        return
    for example in examples:
        for label in sorted(example.named):
            if texts[label] == 1:
                # Of a row with one label the place says enough, and who swapped the fields has texts for labels.
                which = "its label" if FIELD[task] == "label" else f"label {_quoted(label)}"
                mistakes.add(example.row, f"{which} is in this row alone; give it more texts or leave it out")
    if task in ("ner", "moderation"):
        if not texts:
            mistakes.add(None, f"{file}: no row has a label, so there is nothing to learn")
    elif not texts:
        mistakes.add(None, f"{file}: no labelled text in it")
    elif len(texts) < 2:
        mistakes.add(None, f"{file}: all texts have the same label; {task} needs two or more to choose from")


def _quoted(label: str) -> str:
    return json.dumps(label, ensure_ascii=False)
