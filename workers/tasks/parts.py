"""What becomes of a span that reaches across the boundary between two texts of an event.

The tasks read the texts of an event as one, so that they see the context, but nobody has written the span from the end
of one text to the start of another. Here is the one place that decides about it:

- Labelled spans are cut at the boundary, and the pieces have the label and the score of the whole. Dropping them would
  let personal data pass: a model that joins the names at the end and the start of two texts has still found both.
- A mention of a cluster is dropped, because a piece of it may refer to something else, and so is a cluster of which a
  single mention is left.
- Sentences are found text by text, so none reaches across; only a custom task's can, and is dropped.
- An answer is dropped. ``workers/tasks/answers.py`` finds none across a boundary; only a custom task's can be.
- An aspect loses its position, again only a custom task's: those of ``aspect-sentiment`` that come from the event are
  refused, and those from spans are cut already.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from schemas.document import Annotation, Part

_START = attrgetter("start")


def within_parts(annotation: Annotation, text: str, parts: Sequence[Part]) -> Annotation:
    """Return ``annotation`` so that none of its spans crosses a boundary and each names its ``field``.

    ``annotation``, of ``text`` with its ``parts``, is not changed. The shapes are those of ``schemas/event.py``;
    anything else is returned as it is.
    """
    if "spans" in annotation:
        pieces = (piece for span in annotation["spans"] for piece in _pieces(span, text, parts))
        return {**annotation, "spans": list(pieces)}
    if "sentences" in annotation:
        return {
            **annotation,
            "sentences": [whole for each in annotation["sentences"] if (whole := _whole(each, parts))],
        }
    if "clusters" in annotation:
        clusters = [
            {**cluster, "spans": [mention for span in cluster["spans"] if (mention := _whole(span, parts))]}
            for cluster in annotation["clusters"]
        ]
        return {**annotation, "clusters": [cluster for cluster in clusters if len(cluster["spans"]) > 1]}
    if "answers" in annotation:
        return {**annotation, "answers": [_answered(entry, parts) for entry in annotation["answers"]]}
    if "aspects" in annotation:
        return {**annotation, "aspects": [_aspect(entry, parts) for entry in annotation["aspects"]]}
    return annotation


def part_of(start: int, end: int, parts: Sequence[Part]) -> Part | None:
    """Return the part that ``start`` to ``end`` is in, None if it is not in a single one."""
    part = parts[max(0, bisect_right(parts, start, key=_START) - 1)]
    return part if part.start <= start and end <= part.end else None


def cut(start: int, end: int, text: str, parts: Sequence[Part]) -> Iterator[tuple[int, int, Part]]:
    """Yield start, end and part of each piece of a span of ``text``, without white space at the cuts."""
    for index in range(max(0, bisect_right(parts, start, key=_START) - 1), len(parts)):
        part = parts[index]
        if part.start >= end:
            return
        first, last = max(start, part.start), min(end, part.end)
        piece = text[first:last]
        if first > start:
            first += len(piece) - len(piece.lstrip())
        if last < end:
            last -= len(piece) - len(piece.rstrip())
        if first < last:
            yield first, last, part


def _pieces(span: Mapping[str, Any], text: str, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    if whole := _whole(span, parts):
        yield whole
        return
    for start, end, part in cut(span["start"], span["end"], text, parts):
        piece = {**span, "start": start, "end": end}
        if "text" in span:
            piece["text"] = text[start:end]
        yield {**piece, "field": part.path}


def _whole(span: Mapping[str, Any], parts: Sequence[Part]) -> dict[str, Any] | None:
    """Return ``span`` with its field, None if it is not in a single part."""
    part = part_of(span["start"], span["end"], parts)
    return {**span, "field": part.path} if part else None


def _answered(entry: Mapping[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
    answered = dict(entry)
    if entry.get("answer"):
        answered["answer"] = _whole(entry["answer"], parts)
    if entry.get("alternatives"):
        answered["alternatives"] = [answer for each in entry["alternatives"] if (answer := _whole(each, parts))]
    return answered


def _aspect(entry: Mapping[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
    if entry.get("start") is None:
        return dict(entry)
    whole = _whole(entry, parts)
    return whole or {key: value for key, value in entry.items() if key not in {"start", "end"}}
