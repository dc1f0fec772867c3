"""Enriched events in the formats of other tools: displaCy's HTML, Label Studio's tasks, CSV."""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import orjson

from workers.cli.views.events import spans_of

Event = Mapping[str, Any]

# The colours of displaCy for the common labels, and for all others.
_COLOURS = {"PERSON": "#aa9cfc", "ORGANIZATION": "#7aecec", "LOCATION": "#feca74", "DATE_TIME": "#bfe1d9"}
_COLOUR = "#ddd"


class Export(ABC):
    """Writes events one by one; ``head`` comes before the first of them and ``tail`` after the last."""

    def head(self) -> str:
        """Return what the output begins with."""
        return ""

    @abstractmethod
    def event(self, event: Event) -> str:
        """Return one event, with its line break. Events are parsed JSON of the shape of ``schemas/event.py``."""

    def tail(self) -> str:
        """Return what the output ends with."""
        return ""


class Displacy(Export):
    """One HTML page with the entities marked as spaCy's displaCy does; where spans overlap, the first one is shown."""

    def head(self) -> str:
        """Return the beginning of the page."""
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>glossator</title></head>\n'
            '<body style="font-size: 16px; font-family: sans-serif; padding: 4rem 2rem">\n'
        )

    def event(self, event: Event) -> str:
        """Return the figure of one event."""
        text = event.get("text", "")
        parts, at = [], 0
        for span in sorted(spans_of(event), key=lambda span: (span["start"], -span["end"])):
            if span["start"] < at:
                continue
            parts += [escape(text[at : span["start"]]), _mark(text[span["start"] : span["end"]], span["label"])]
            at = span["end"]
        parts.append(escape(text[at:]))
        body = "".join(parts).replace("\n", "<br>")
        return (
            f'<figure style="margin-bottom: 3rem" id="{escape(str(event["id"]))}">\n'
            f'<div class="entities" style="line-height: 2.5" dir="auto">{body}</div>\n</figure>\n'
        )

    def tail(self) -> str:
        """Return the end of the page."""
        return "</body>\n</html>\n"


def _mark(text: str, label: str) -> str:
    style = "font-size: 0.8em; font-weight: bold; line-height: 1; border-radius: 0.35em; margin-left: 0.5rem"
    return (
        f'<mark class="entity" style="background: {_COLOURS.get(label, _COLOUR)}; padding: 0.45em 0.6em; '
        f'margin: 0 0.25em; line-height: 1; border-radius: 0.35em">{escape(text)}'
        f'<span style="{style}">{escape(label)}</span></mark>'
    )


class LabelStudio(Export):
    """A JSON array of Label Studio's tasks, with spans and labels as predictions.

    Source: Label Studio's documentation, "Basic Label Studio JSON format" and "Import pre-annotated data". The names of
    the control of spans is that of its template, ``label`` on ``text``; choices have the name of their task. Offsets
    count code points, as its editor does since 2022.
    """

    def __init__(self) -> None:
        self._first = True

    def head(self) -> str:
        """Return the beginning of the array."""
        return "["

    def event(self, event: Event) -> str:
        """Return one task."""
        text = event.get("text", "")
        results: list[dict[str, Any]] = []
        for name, annotation in event["annotations"].items():
            results += [_region(text, span) for span in annotation.get("spans", ())]
            if "scores" in annotation:
                results.append(_choices(name, [annotation["label"]], annotation["score"]))
            elif "flagged" in annotation:
                flagged = [label["label"] for label in annotation["labels"] if label["flagged"]]
                results.append(_choices(name, flagged, None))
        task = {
            "data": {"text": text, "glossator_id": event["id"]},
            "predictions": [{"model_version": event["pipeline"]["config"], "result": results}],
        }
        separator, self._first = "\n" if self._first else ",\n", False
        return separator + orjson.dumps(task).decode()

    def tail(self) -> str:
        """Return the end of the array."""
        return "\n]\n"


def _region(text: str, span: Mapping[str, Any]) -> dict[str, Any]:
    start, end = span["start"], span["end"]
    return {
        "from_name": "label", "to_name": "text", "type": "labels", "score": span["score"],
        "value": {"start": start, "end": end, "text": text[start:end], "labels": [span["label"]]},
    }  # fmt: skip


def _choices(name: str, choices: Sequence[str], score: float | None) -> dict[str, Any]:
    result = {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}
    return result if score is None else {**result, "score": score}


class Csv(Export):
    """CSV (RFC 4180) with a header: id, source, text, and a column per task.

    A task's column has the label, the flagged labels separated by spaces, or else the annotation as JSON.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        """``tasks``: the names of the pipeline's tasks, in order."""
        self._tasks = tasks

    def head(self) -> str:
        """Return the header."""
        return _row(["id", "topic", "partition", "offset", "timestamp_ms", "text", *self._tasks])

    def event(self, event: Event) -> str:
        """Return one row."""
        source = event["source"] or {}
        places = [source.get(name) for name in ("topic", "partition", "offset", "timestamp_ms")]
        cells = [_cell(event["annotations"].get(name)) for name in self._tasks]
        return _row([event["id"], *places, event.get("text", ""), *cells])


def _cell(annotation: Mapping[str, Any] | None) -> str:
    if annotation is None:
        return ""
    if "scores" in annotation:
        return str(annotation["label"])
    if "flagged" in annotation:
        return " ".join(label["label"] for label in annotation["labels"] if label["flagged"])
    return orjson.dumps(annotation).decode()


def _row(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(["" if cell is None else cell for cell in cells])
    return line.getvalue()
