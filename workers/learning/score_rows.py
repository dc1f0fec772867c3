"""Files of scores for ``glossator calibrate``: rows with an old score, and a new score or a text to score."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.pipeline.wording import did_you_mean
from stream.codecs.json import MAX_DEPTH
from workers.learning.rows import Mistakes, Row, read_rows

EXAMPLE = '{"old": {"TOXICITY": 0.91}, "new": {"TOXICITY": 0.78}}'
_SHAPE = 'such as {"TOXICITY": 0.91}, an answer of the Perspective API, or an annotation of moderation'
_PLAIN = re.compile(r"[\w ./:-]{1,64}")
"""Names that may be quoted in a message: anything else could be a text in the wrong place."""


@dataclass
class ScoreRow:
    """One row of a file of scores.

    - ``row``: where it is in the file.
    - ``old``, ``new``: attribute -> score; ``new`` is empty until ``text`` or ``event`` has been scored.
    - ``text``, ``event``: what is to be scored, at most one of them.
    - ``labels``: the attributes that the text has, as people judge; None if nobody has.
    """

    row: Row
    old: dict[str, float]
    new: dict[str, float]
    text: str | None = None
    event: dict[str, Any] | None = None
    labels: frozenset[str] | None = None


def load_scores(file: Path, scored: bool, labelled: bool, mistakes: Mistakes) -> list[ScoreRow]:
    """Read a file of JSON lines.

    Args:
        file: may be a pipe; it is read once.
        scored: whether each row must have ``new``; otherwise it must have ``text`` or ``event``.
        labelled: whether each row must have ``labels``.
        mistakes: gets what is wrong, without any text.
    """
    rows = [_parse(row, scored, labelled, mistakes) for row in read_rows(file, file.read_bytes(), mistakes, EXAMPLE)]
    if not rows and not mistakes.entries:
        mistakes.add(None, f"{file}: no rows; each line must be one object such as {EXAMPLE}")
    return rows


def _parse(row: Row, scored: bool, labelled: bool, mistakes: Mistakes) -> ScoreRow:
    fields, made = row.fields, ScoreRow(row, {}, {})
    if "old" in fields:
        made.old = scores_of(row, "old", fields["old"], mistakes)
    else:
        mistakes.add(row, 'no "old", the scores of the system before' + did_you_mean("old", fields))
    if scored:
        if "new" in fields:
            made.new = scores_of(row, "new", fields["new"], mistakes, highest=1.0)
        else:
            mistakes.add(row, 'no "new"; for a text that a pipeline scores, give --pipeline and --task')
    else:
        _parse_input(made, mistakes)
    labels = fields.get("labels")
    if labels is not None and (not isinstance(labels, list) or not all(isinstance(label, str) for label in labels)):
        mistakes.add(row, '"labels" must be a list of names, [] for none')
    elif labels is not None:
        made.labels = frozenset(labels)
    elif labelled:
        mistakes.add(row, 'no "labels", which --match precision needs: a list of names, [] for none')
    return made


def _parse_input(made: ScoreRow, mistakes: Mistakes) -> None:
    text, event = made.row.fields.get("text"), made.row.fields.get("event")
    if "new" in made.row.fields:
        mistakes.add(made.row, '"new" cannot be used with --pipeline, which makes the new scores')
    if (text is None) == (event is None):
        mistakes.add(made.row, 'needs exactly one of "text" and "event" to score')
    elif text is not None and not isinstance(text, str):
        mistakes.add(made.row, '"text" must be text')
    elif event is not None and not isinstance(event, dict):
        mistakes.add(made.row, '"event" must be an object')
    elif event is not None and not _is_shallow(event):
        mistakes.add(made.row, f'"event" is nested more than {MAX_DEPTH} levels deep')
    else:
        made.text, made.event = text, event


def _is_shallow(value: Any) -> bool:
    """Return whether objects and lists are nested at most ``MAX_DEPTH`` levels deep in ``value``."""
    level, depth = [value], 0
    while level := [entry for entry in level if isinstance(entry, dict | list)]:
        level = [inner for entry in level for inner in (entry.values() if isinstance(entry, dict) else entry)]
        depth += 1
    return depth <= MAX_DEPTH


def scores_of(row: Row, field: str, value: Any, mistakes: Mistakes, highest: float | None = None) -> dict[str, float]:
    """Return attribute -> score; what is no finite number, or not between 0 and ``highest``, is added to ``mistakes``.

    ``value`` is a mapping of numbers, an answer of the Perspective API (``attributeScores``), or the annotation of a
    moderation (``labels``).
    """
    scores: dict[str, float] = {}
    entries = _entries(value)
    if entries is None:
        mistakes.add(row, f'"{field}" must map names to scores, {_SHAPE}')
        return scores
    for name, score in entries:
        place = f'"{field}", {named(name)}'
        if isinstance(score, bool) or not isinstance(score, int | float):
            mistakes.add(row, f"{place}: must be a number")
        elif not _is_finite(score):
            mistakes.add(row, f"{place}: must be a finite number")
        elif highest is not None and not 0 <= score <= highest:
            mistakes.add(row, f"{place}: must be between 0 and {highest:g}")
        else:
            scores[name] = float(score)
    return scores


def _entries(value: Any) -> list[tuple[str, Any]] | None:
    if not isinstance(value, Mapping):
        return None
    if isinstance(answers := value.get("attributeScores"), Mapping):
        summaries = {
            name: answer.get("summaryScore") for name, answer in answers.items() if isinstance(answer, Mapping)
        }
        return [
            (name, (summary if isinstance(summary := summaries.get(name), Mapping) else {}).get("value"))
            for name in answers
        ]
    if isinstance(labels := value.get("labels"), list):
        named_labels = [label for label in labels if isinstance(label, Mapping) and isinstance(label.get("label"), str)]
        return [(label["label"], label.get("score")) for label in named_labels] if named_labels == labels else None
    return list(value.items())


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def named(name: str) -> str:
    """Return the name of an attribute for a message; only its length if it may be a text."""
    return f'"{name}"' if _PLAIN.fullmatch(name) else f"a name of {len(name)} characters"
