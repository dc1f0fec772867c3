"""Counts what tasks have found in a micro-batch, and how long its events took: all of it at once, never per event."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

import numpy as np

from schemas.document import Annotation, Document
from schemas.record import Assignment
from stream.microbatch import MicroBatch
from stream.telemetry.stats import Stats

MOST_LABELS = 100
"""Labels of one task that are counted by name; the others are counted as ``OTHER``."""
OTHER = "other"

_LABELS: dict[str, Callable[[Sequence[Annotation]], Iterable[str]]] = {
    "label": lambda annotations: [annotation["label"] for annotation in annotations],
    "spans": lambda annotations: [span["label"] for annotation in annotations for span in annotation["spans"]],
    "labels": lambda annotations: [
        entry["label"] for annotation in annotations for entry in annotation["labels"] if entry["flagged"]
    ],
    "aspects": lambda annotations: [entry["label"] for annotation in annotations for entry in annotation["aspects"]],
    "hypotheses": lambda annotations: [
        entry["label"] for annotation in annotations for entry in annotation["hypotheses"]
    ],
}
"""A field of an annotation that has labels -> how to get them from annotations of that shape."""

_POLLED_AT = attrgetter("polled_at")


class Tally:
    """Counts the events of micro-batches by what is in them. Used by one thread; no method blocks or raises."""

    def __init__(self, stats: Stats) -> None:
        """``stats``: gets all counts."""
        self._stats = stats
        self._names: dict[str, set[str]] = {}

    def computed(self, batch: MicroBatch, tasks: Mapping[str, bool]) -> None:
        """Count a micro-batch that all tasks have annotated.

        Labels are those of annotations that will be published, so not those of events that have failed. At most
        ``MOST_LABELS`` of a task are told apart.

        Args:
            batch: the micro-batch.
            tasks: the names of all tasks, and whether their labels may be shown. Those of a custom task may be texts.
        """
        stats = self._stats
        stats.micro_batch_tokens.add(batch.tokens)
        stats.micro_batch_events.add(len(batch.documents))
        live = _ours(batch)
        annotated = [document.annotations for document in live if document.failure is None]
        for name, shown in tasks.items():
            annotations = [annotation for each in annotated if (annotation := each.get(name)) is not None]
            stats.task_events[name] += len(annotations)
            if shown and annotations:
                self._count_labels(name, annotations)
        for document in live:
            if document.notices:
                self._count_notices(document)

    def landed(self, batch: MicroBatch) -> None:
        """Measure how long the events of a micro-batch took that is now in the log."""
        records = [document.record for document in _ours(batch) if document.record is not None]
        now, first = time.monotonic(), 0
        while first < len(records):  # those of one poll follow each other and have one time
            polled_at = records[first].polled_at
            end = bisect_right(records, polled_at, first, key=_POLLED_AT)
            self._stats.latency.add(now - polled_at, end - first)
            first = end
        timestamps = np.array([record.timestamp_ms for record in records], np.float64)
        ages = time.time() - timestamps[timestamps > 0] / 1000  # without those that the broker keeps no time of
        self._stats.age.add_all(np.maximum(ages, 0.0))  # a producer's clock may be ahead of ours

    def _count_labels(self, task: str, annotations: Sequence[Annotation]) -> None:
        field = next((field for field in annotations[0] if field in _LABELS), None)
        if field is None:
            return
        names, counts = self._names.setdefault(task, set()), self._stats.labels
        for label, count in Counter(_LABELS[field](annotations)).items():
            if label not in names and len(names) < MOST_LABELS:
                names.add(label)
            counts[task, label if label in names else OTHER] += count

    def _count_notices(self, document: Document) -> None:
        stats = self._stats
        for notice in document.notices:
            if notice["kind"] == "truncated":
                stats.truncated[notice["task"]] += 1
            elif notice["kind"] == "unread":
                stats.unread[notice["task"]] += 1
                if document.failure is not None or notice["task"] not in document.annotations:
                    stats.task_events[notice["task"]] += 1  # it was read, but its annotation was left out


def _ours(batch: MicroBatch) -> list[Document]:
    """Return the documents of ``batch`` whose partition is still ours."""
    counts = [count for assignment, (_, count) in batch.ends.items() if assignment.state != Assignment.GONE]
    if sum(counts) == len(batch.documents):  # nearly always
        return batch.documents
    return [
        document for document in batch.documents
        if document.record is not None and document.record.assignment.state != Assignment.GONE
    ]  # fmt: skip
