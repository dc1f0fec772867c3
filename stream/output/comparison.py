"""Compares the annotation of a task with that of its shadow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from schemas.annotations import ANNOTATIONS, Classification, Moderation, Paraphrase, Spans
from schemas.document import Annotation

NOTHING = "(none)"
"""What is written for no label where the other task has one."""

_Pair: TypeAlias = tuple[str, str]


class Compared(NamedTuple):
    """How two annotations of the same event differ.

    Attributes:
        agree: Whether they say the same, scores apart.
        pairs: The label of the task and that of its shadow, for each thing that either has found: the event, a flagged
            category, or a span. ``NOTHING`` where one of them has found nothing.
        flagged: Whether the task and its shadow have flagged the event; None for tasks that give every event a label.
    """

    agree: bool
    pairs: Sequence[_Pair]
    flagged: tuple[bool, bool] | None


_NEITHER = Compared(True, ((NOTHING, NOTHING),), (False, False))


def comparison(kind: str) -> Callable[[Annotation, Annotation], Compared]:
    """Return what compares annotations of tasks of ``kind``: first that of the task, then that of its shadow.

    - Tasks that choose a label agree if it is the same.
    - Moderations agree if the same categories are flagged.
    - Paraphrases agree if both are, or neither is.
    - Spans agree if both tasks have found exactly the same places with the same labels. A span of one whose place the
      other has found with another label is a pair of the two labels, otherwise one of its label and ``NOTHING``.
    """
    return _COMPARISONS[ANNOTATIONS[kind]]


def _labels(first: Annotation, second: Annotation) -> Compared:
    pair = first["label"], second["label"]
    return Compared(pair[0] == pair[1], (pair,), None)


def _flags(first: Annotation, second: Annotation) -> Compared:
    flagged = first["flagged"], second["flagged"]
    if flagged == (False, False):  # the commonest case, made quickly
        return _NEITHER
    before, after = ({entry["label"] for entry in each["labels"] if entry["flagged"]} for each in (first, second))
    pairs = [
        (label if label in before else NOTHING, label if label in after else NOTHING)
        for label in sorted(before | after)
    ]
    return Compared(before == after, pairs, flagged)


def _paraphrases(first: Annotation, second: Annotation) -> Compared:
    flagged = first["paraphrase"], second["paraphrase"]
    words = ["paraphrase" if each else NOTHING for each in flagged]
    return Compared(flagged[0] == flagged[1], ((words[0], words[1]),), flagged)


def _spans(first: Annotation, second: Annotation) -> Compared:
    before, after = _places(first), _places(second)
    if not before and not after:
        return _NEITHER
    flagged = bool(before), bool(after)
    if before == after:
        return Compared(True, [(span[2], span[2]) for span in before], flagged)
    pairs = [(span[2], span[2]) for span in before & after]
    left: dict[tuple[int, int], list[str]] = {}
    for start, end, label in sorted(after - before):
        left.setdefault((start, end), []).append(label)
    for start, end, label in sorted(before - after):
        others = left.get((start, end))
        pairs.append((label, others.pop(0) if others else NOTHING))
    pairs += [(NOTHING, label) for labels in left.values() for label in labels]
    return Compared(False, pairs, flagged)


def _places(annotation: Mapping[str, Any]) -> set[tuple[int, int, str]]:
    return {(span["start"], span["end"], span["label"]) for span in annotation["spans"]}


_COMPARISONS: dict[type, Callable[[Annotation, Annotation], Compared]] = {
    Classification: _labels, Moderation: _flags, Paraphrase: _paraphrases, Spans: _spans,
}  # fmt: skip
