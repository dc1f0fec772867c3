"""Label Studio's JSON export as rows: choices become labels, labelled regions become spans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workers.learning.rows import Mistakes, Row

_KINDS = {"ner": "labels"}
_OTHERWISE = "choices"


def is_export(content: bytes) -> bool:
    """Return whether a file's content is a JSON array, as in an export; JSON lines start with a brace instead."""
    return content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def read_export(
    file: Path, content: bytes, task: str, control: str | None, mistakes: Mistakes
) -> tuple[list[Row], int]:
    """Convert an export to rows.

    Args:
        file: for messages only.
        content: the file's content.
        task: the task of ``glossator train``.
        control: the name of the labelling control to use (``from_name``); needed if several have fitting results.
        mistakes: receives what is wrong with the export.

    Returns:
        The rows, and how many tasks have no annotation, or only skipped ones.
    """
    try:
        tasks = json.loads(content)
    except (ValueError, RecursionError):
        mistakes.add(None, f"{file}: neither JSON lines nor a JSON array; export from Label Studio as JSON")
        return [], 0
    if tasks and not any(isinstance(entry, dict) and "annotations" in entry for entry in tasks):
        mistakes.add(
            None, f'{file}: an array without "annotations"; export from Label Studio as JSON, not as JSON-MIN, '
            "or write one row per line, without brackets and commas around them"
        )  # fmt: skip
        return [], 0
    kind = _KINDS.get(task, _OTHERWISE)
    if control is not None and control not in (known := _controls(tasks, kind)):
        has = f"it has: {', '.join(known)}" if known else f"nothing in it has {kind}"
        mistakes.add(None, f'{file}: no control "{control}" has {kind}; {has}')
        return [], 0
    rows: list[Row] = []
    unlabelled = 0
    for number, entry in enumerate(tasks, 1):
        name = entry.get("id", number) if isinstance(entry, dict) else number
        row = Row(number, f"{file} task {name if isinstance(name, int) else number}", {})
        if not isinstance(entry, dict) or not isinstance(entry.get("annotations"), list):
            mistakes.add(row, 'no "annotations"; export from Label Studio as JSON')
            continue
        annotations = [item for item in _objects(entry["annotations"]) if not item.get("was_cancelled")]
        annotations = [item for item in annotations if item.get("ground_truth")] or annotations
        if not annotations:
            unlabelled += 1
            continue
        try:
            candidates = [_fields(entry, annotation, kind, task, control) for annotation in annotations]
        except _UnusableError as error:
            mistakes.add(row, str(error))
            continue
        if any(candidate != candidates[0] for candidate in candidates):
            mistakes.add(row, "its annotations contradict each other; mark one of them as ground truth")
            continue
        rows.append(Row(number, row.place, candidates[0]))
    return rows, unlabelled


def _controls(tasks: list[Any], kind: str) -> list[str]:
    """Return the names of all controls with results of ``kind``; entries of another form are ignored."""
    annotations = (item for entry in _objects(tasks) for item in _objects(entry.get("annotations")))
    results = (item for annotation in annotations for item in _objects(annotation.get("result")))
    return sorted({str(item.get("from_name")) for item in results if item.get("type") == kind})


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the JSON objects in ``value``; none if it is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class _UnusableError(Exception):
    """An entry of the export that cannot become a row; never leaves this module."""


def _fields(
    entry: Mapping[str, Any], annotation: Mapping[str, Any], kind: str, task: str, control: str | None
) -> dict[str, Any]:
    """Return the fields that the same labelled text would have as a JSON line. Raises _UnusableError."""
    result = annotation.get("result")
    if not isinstance(result, list) or not all(isinstance(item, dict) for item in result):
        raise _UnusableError('an annotation has no "result"; export from Label Studio as JSON')
    fitting = [item for item in result if item.get("type") == kind]
    names = sorted({str(item.get("from_name")) for item in fitting})
    if control is not None:
        fitting = [item for item in fitting if item.get("from_name") == control]
    elif len(names) > 1:
        raise _UnusableError(f"{len(names)} controls have {kind} ({', '.join(names)}); choose one with --control")
    text = _text(entry.get("data"))
    try:
        values = [(item["value"], item["value"][kind]) for item in fitting]
        if task == "ner":
            return {"text": text, "spans": sorted((_span(text, *value) for value in values), key=lambda s: s["start"])}
        labels = [label for _, names in values for label in names]
        if task == "moderation":
            return {"text": text, "labels": sorted(labels)}
    except (KeyError, TypeError, ValueError):
        raise _UnusableError(f"a {kind} result is not in the form of Label Studio's JSON export") from None
    if len(labels) != 1:
        raise _UnusableError(f"{len(labels)} choices; {task} takes one per text (several are for --task moderation)")
    return {"text": text, "label": labels[0]}


def _text(data: Any) -> str:
    """Return the text of a task: its field ``text``, or its only field with a string."""
    if isinstance(data, dict):
        if isinstance(data.get("text"), str):
            return str(data["text"])
        texts = [value for value in data.values() if isinstance(value, str)]
        if len(texts) == 1:
            return texts[0]
    raise _UnusableError('its "data" has no field "text"; rename the field with the text')


def _span(text: str, value: Mapping[str, Any], labels: list[str]) -> dict[str, Any]:
    """Return a region as a span in code points.

    Label Studio's browser may have counted UTF-16 units, which shows in the text that the region quotes.
    """
    if len(labels) != 1:
        raise _UnusableError(f"a region has {len(labels)} labels; it must have one")
    start, end, quoted = int(value["start"]), int(value["end"]), value.get("text")
    if isinstance(quoted, str) and text[start:end] != quoted:
        units = text.encode("utf-16-le", "surrogatepass")
        start, end = (len(units[: 2 * at].decode("utf-16-le", "replace")) for at in (start, end))
        if text[start:end] != quoted:
            raise _UnusableError("a region's start and end do not fit the text that it quotes")
    return {"start": start, "end": end, "label": labels[0]}
