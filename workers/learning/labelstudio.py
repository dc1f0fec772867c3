"""Label Studio's JSON export as rows: choices become labels, labelled regions spans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workers.learning.rows import Mistakes, Row

_KINDS = {"ner": "labels"}
_OTHERWISE = "choices"


def is_export(content: bytes) -> bool:
    """Whether a file is one JSON array: rows are objects, so that no line of them begins with a bracket."""
    return content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def read_export(
    file: Path, content: bytes, task: str, control: str | None, mistakes: Mistakes
) -> tuple[list[Row], int]:
    """The rows of an export, and how many of its tasks nobody has labelled (or all skipped).

    ``control``: the ``name`` of the labelling interface's control (``from_name``), where several would fit.
    """
    try:
        tasks = json.loads(content)
    except (ValueError, RecursionError):
        mistakes.add(None, f"{file}: neither JSON lines nor a JSON array; export from Label Studio as JSON")
        return [], 0
    if tasks and not any(isinstance(entry, dict) and "annotations" in entry for entry in tasks):
        mistakes.add(
            None, f'{file}: an array without "annotations"; export from Label Studio as JSON, not as JSON-MIN, '
            "or write one row a line, without brackets and commas around them"
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
        made = [one for one in entry["annotations"] if isinstance(one, dict) and not one.get("was_cancelled")]
        truth = [one for one in made if one.get("ground_truth")] or made
        if not truth:
            unlabelled += 1
            continue
        try:
            found = [_fields(entry, one, kind, task, control) for one in truth]
        except _Unfit as unfit:
            mistakes.add(row, str(unfit))
            continue
        if any(one != found[0] for one in found):
            mistakes.add(row, "its annotations contradict each other; mark one of them as ground truth")
            continue
        rows.append(Row(number, row.place, found[0]))
    return rows, unlabelled


def _controls(tasks: list[Any], kind: str) -> list[str]:
    """The names of all controls with results of ``kind``; what has not the form of an export is passed over."""
    annotations = (one for entry in tasks if isinstance(entry, dict) for one in _list(entry.get("annotations")))
    results = (one for made in annotations if isinstance(made, dict) for one in _list(made.get("result")))
    return sorted({str(one.get("from_name")) for one in results if isinstance(one, dict) and one.get("type") == kind})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class _Unfit(Exception):  # noqa: N818, it never leaves this file
    pass


def _fields(
    entry: Mapping[str, Any], annotation: Mapping[str, Any], kind: str, task: str, control: str | None
) -> dict[str, Any]:
    """What the same text would be as a JSON line."""
    result = annotation.get("result")
    if not isinstance(result, list) or not all(isinstance(one, dict) for one in result):
        raise _Unfit('an annotation has no "result"; export from Label Studio as JSON')
    own = [one for one in result if one.get("type") == kind]
    names = sorted({str(one.get("from_name")) for one in own})
    if control is not None:
        own = [one for one in own if one.get("from_name") == control]
    elif len(names) > 1:
        raise _Unfit(f"{len(names)} controls have {kind} ({', '.join(names)}); choose one with --control")
    text = _text(entry.get("data"))
    try:
        chosen = [(one["value"], one["value"][kind]) for one in own]
        if task == "ner":
            return {"text": text, "spans": sorted((_span(text, *one) for one in chosen), key=lambda s: s["start"])}
        labels = [label for _, several in chosen for label in several]
        if task == "moderation":
            return {"text": text, "labels": sorted(labels)}
    except (KeyError, TypeError, ValueError):
        raise _Unfit(f"a {kind} result is not in the form of Label Studio's JSON export") from None
    if len(labels) != 1:
        raise _Unfit(f"{len(labels)} choices; {task} takes one a text (several are for --task moderation)")
    return {"text": text, "label": labels[0]}


def _text(data: Any) -> str:
    """The text of a task: its field ``text``, or the only one that is text."""
    if isinstance(data, dict):
        if isinstance(data.get("text"), str):
            return str(data["text"])
        texts = [value for value in data.values() if isinstance(value, str)]
        if len(texts) == 1:
            return texts[0]
    raise _Unfit('its "data" has no field "text"; name the field of the text so')


def _span(text: str, value: Mapping[str, Any], labels: list[str]) -> dict[str, Any]:
    """A region in code points. Its browser may have counted UTF-16 units; the quoted text tells."""
    if len(labels) != 1:
        raise _Unfit(f"a region has {len(labels)} labels; give it one")
    start, end, quoted = int(value["start"]), int(value["end"]), value.get("text")
    if isinstance(quoted, str) and text[start:end] != quoted:
        units = text.encode("utf-16-le", "surrogatepass")
        start, end = (len(units[: 2 * at].decode("utf-16-le", "replace")) for at in (start, end))
        if text[start:end] != quoted:
            raise _Unfit("a region's start and end do not fit the text that it quotes")
    return {"start": start, "end": end, "label": labels[0]}
