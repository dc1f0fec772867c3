"""Which parts of a text are redacted: the spans of the chosen tasks, merged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from schemas.document import Annotation
from schemas.errors import RedactError

# What joins two spans of one label into one value: "Ada" "Lovelace", "Anne" "-" "Marie". A comma, the end of a sentence
# or a line break rather separates two values.
_JOINS = re.compile(r"[^\S\r\n]*|[-‐‑–.'’/_@+&()·]*")
_UNSPACED = frozenset({"EMAIL_ADDRESS", "IP_ADDRESS", "MAC_ADDRESS", "URL"})
"""Labels whose values contain no spaces. Two of them side by side stay two values, each with its own hash."""
_LONGEST_GAP = 8
"""Characters between spans of one value, or behind the name in a mention."""
_START = itemgetter("start")
# What may follow the name in a mention: "Ada's".
_MENTION_END = re.compile(r"['’]s?|\W*")


class Piece(NamedTuple):
    """A part of the text that gets one replacement.

    - ``start``, ``end``: half-open range of code points; pieces of one text do not overlap and are sorted.
    - ``label``: what it is.
    - ``spans``: the ranges of the spans that it was merged from, in order of their starts; empty if it is one span.
    - ``group``: the index of the coreference cluster that it is a mention of; None if there is none.
    """

    start: int
    end: int
    label: str
    spans: tuple[tuple[int, int], ...] = ()
    group: int | None = None


def pieces(text: str, annotations: Iterable[Annotation], clusters: Sequence[Annotation] = ()) -> list[Piece]:
    """Merge the spans of ``annotations`` into pieces of ``text``.

    - Overlapping spans become one piece. It has the label of the longest span; of equally long ones that with the
      higher score, then the one of the first task.
    - Neighbouring spans of one label become one piece if there are only spaces between them, or only punctuation that
      joins words, such as a hyphen. What is between them is redacted, too. A comma, a line break or the end of a
      sentence separates two values, and so does a space between two e-mail addresses, URLs, IP or MAC addresses.

    ``clusters`` are those of a coreference task. A piece belongs to the cluster of the first mention that is the piece,
    apart from at most one word before it ("Mrs Lee") and a genitive behind it.

    Raises RedactError if a span is not a range of the text: a custom task may return anything.
    """
    spans: list[Mapping[str, Any]] = []
    for annotation in annotations:
        if "spans" in annotation:
            spans += annotation["spans"]
    if not spans:
        return []
    if len(spans) > 1:
        spans.sort(key=_START)
    merged: list[Piece] = []
    chosen = spans[0]
    start, end, label = chosen["start"], chosen["end"], chosen["label"]
    longest = end - start
    parts: list[tuple[int, int]] = []
    new = tuple.__new__  # a third of the time of calling Piece
    for span in spans[1:]:
        a, b, name = span["start"], span["end"], span["label"]
        if a >= end and not (
            name == label
            and a - end <= _LONGEST_GAP
            and _JOINS.fullmatch(text, end, a)
            and not (name in _UNSPACED and text[end:a].isspace())
        ):
            if end > start:
                merged.append(new(Piece, (start, end, label, tuple(parts), None)))
            elif end < start:
                raise _outside()
            chosen, start, end, label, longest = span, a, b, name, b - a
            if parts:
                parts = []
            continue
        if b - a > longest or (b - a == longest and span["score"] > chosen["score"]):
            chosen, label, longest = span, name, b - a
        parts = parts or [(start, end)]
        parts.append((a, b))
        end = max(end, b)
    if end > start:
        merged.append(Piece(start, end, label, tuple(parts)))
    elif end < start:
        raise _outside()
    if spans[0]["start"] < 0 or end > len(text):
        raise _outside()
    return _grouped(text, merged, clusters) if clusters else merged


def _outside() -> RedactError:
    return RedactError("a span of a redacted task is not a range of the text")


def _grouped(text: str, merged: list[Piece], clusters: Sequence[Annotation]) -> list[Piece]:
    """Return the pieces with their groups."""
    mentions: dict[int, list[tuple[int, int]]] = {}
    for number, cluster in enumerate(clusters):
        for mention in cluster["spans"]:
            mentions.setdefault(mention["end"], []).append((mention["start"], number))
    return [piece._replace(group=_group(text, piece, mentions)) for piece in merged]


def _group(text: str, piece: Piece, mentions: dict[int, list[tuple[int, int]]]) -> int | None:
    """Return the number of the cluster of ``piece``; ``mentions``: end -> the starts and clusters of mentions."""
    for end in range(piece.end, piece.end + _LONGEST_GAP + 1):
        for start, number in mentions.get(end, ()):
            before = text[start : piece.start]
            if start <= piece.start and len(before.split()) <= 1 and _MENTION_END.fullmatch(text, piece.end, end):
                return number
    return None
