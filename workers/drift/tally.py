"""Counts of what a task annotates: how often each label, in which range the scores, how many unread texts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from schemas.annotations import Classification, Moderation, Spans
from schemas.document import Annotation, Document

Kind = Literal["classification", "moderation", "spans"]
"""What an annotation looks like: one label of several, labels that are flagged or not, or labelled spans."""

Edges: TypeAlias = Mapping[str, Sequence[float]]
"""Name of a histogram -> the scores at which its bins part, ascending. A score on an edge is in the upper bin."""

ALL = ""
"""The name of the only histogram of classifications and spans; a moderation has one for each label."""


KINDS: Mapping[object, Kind] = {Classification: "classification", Moderation: "moderation", Spans: "spans"}
"""The models of annotations in which there is something to count."""


def kind_of(annotation: Annotation) -> Kind | None:
    """Return the kind of an annotation, which may be one of a custom task; None if there is nothing to count in it."""
    if "spans" in annotation:
        return "spans" if _are_scored(annotation["spans"]) else None
    if "flagged" in annotation and "labels" in annotation:
        entries = annotation["labels"]
        return "moderation" if _are_scored(entries) and all("flagged" in entry for entry in entries) else None
    return "classification" if "scores" in annotation and _are_scored([annotation]) else None


def _are_scored(entries: Any) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and isinstance(entry.get("label"), str) and type(entry.get("score")) in (int, float)
        for entry in entries
    )


class Tally:
    """Counts of one task's annotations. One thread adds; any thread may read the numbers.

    Attributes:
        kind: what the annotations look like.
        events: events that the task has annotated or could not read.
        unread: those of them whose text was unknown to the tokenizer.
        labels: events with each label: the chosen one; each that is flagged; each that at least one span has.
        scores: name of a histogram -> the number of scores in each bin: of the chosen label; of each label of a
            moderation, under its name; of all spans.
    """

    __slots__ = ("_add", "_bins", "events", "kind", "labels", "scores", "unread")

    def __init__(self, kind: Kind, edges: Edges) -> None:
        """``edges``: of the histograms; scores of other names are not counted."""
        self.kind = kind
        self.events = self.unread = 0
        self.labels: dict[str, int] = {}
        self.scores = {name: [0] * (len(bounds) + 1) for name, bounds in edges.items()}
        self._bins = {name: (list(edges[name]), histogram) for name, histogram in self.scores.items()}
        ways: dict[Kind, Callable[[Annotation], None]] = {
            "classification": self._chosen, "moderation": self._flagged, "spans": self._spans,
        }  # fmt: skip
        self._add = ways[kind]

    def add(self, annotation: Annotation | None, unread: bool) -> None:
        """Count one event. ``annotation``: None if the task has left it out; ``unread``: whether there is a notice."""
        self.events += 1
        self.unread += unread
        if annotation is not None:
            self._add(annotation)

    def _chosen(self, annotation: Annotation) -> None:
        label = annotation["label"]
        self.labels[label] = self.labels.get(label, 0) + 1
        if (pair := self._bins.get(ALL)) is not None:
            edges, histogram = pair
            histogram[bisect_right(edges, annotation["score"])] += 1

    def _flagged(self, annotation: Annotation) -> None:
        bins, find = self._bins, bisect_right
        for entry in annotation["labels"]:
            if (pair := bins.get(entry["label"])) is not None:
                edges, histogram = pair
                histogram[find(edges, entry["score"])] += 1
        if annotation["flagged"]:
            for entry in annotation["labels"]:
                if entry["flagged"]:
                    self.labels[entry["label"]] = self.labels.get(entry["label"], 0) + 1

    def _spans(self, annotation: Annotation) -> None:
        spans = annotation["spans"]
        for label in {span["label"] for span in spans}:
            self.labels[label] = self.labels.get(label, 0) + 1
        if (pair := self._bins.get(ALL)) is not None:
            edges, histogram = pair
            for span in spans:
                histogram[bisect_right(edges, span["score"])] += 1

    def merge(self, other: Tally) -> None:
        """Add the numbers of ``other``, which has the same edges."""
        self.events += other.events
        self.unread += other.unread
        for label, count in list(other.labels.items()):
            self.labels[label] = self.labels.get(label, 0) + count
        for name, histogram in self.scores.items():
            histogram[:] = [a + b for a, b in zip(histogram, other.scores[name], strict=True)]


def outcome(document: Document, task: str) -> tuple[Annotation | None, bool] | None:
    """Return what ``Tally.add`` takes for a document that has not failed; None if the task did not run for it."""
    annotation = document.annotations.get(task)
    unread = bool(document.notices) and any(
        notice["kind"] == "unread" and notice["task"] == task for notice in document.notices
    )
    return None if annotation is None and not unread else (annotation, unread)


def scores_of(annotation: Annotation, kind: Kind) -> list[tuple[str, float]]:
    """Return the scores in an annotation, each with the name of its histogram."""
    if kind == "classification":
        return [(ALL, annotation["score"])]
    entries: list[dict[str, Any]] = annotation["labels" if kind == "moderation" else "spans"]
    return [(entry["label"] if kind == "moderation" else ALL, entry["score"]) for entry in entries]
