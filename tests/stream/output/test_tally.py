"""What is found in micro-batches is counted by task and label, of a bounded number, and never as text."""

from __future__ import annotations

import time
from typing import Any

import pytest

from schemas.document import Document, Failure
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch
from stream.output.tally import MOST_LABELS, OTHER, Tally
from stream.telemetry.stats import Stats

OURS = Assignment("posts", 0)


def document(annotation: Any = None, name: str = "task", assignment: Assignment = OURS, **record: Any) -> Document:
    made = Document(Record(assignment, 0, None, b"{}", **record))
    if annotation is not None:
        made.annotations[name] = annotation
    return made


def tallied(*documents: Document, shown: bool = True) -> Stats:
    stats = Stats()
    Tally(stats).computed(MicroBatch(0, list(documents), 9), {"task": shown})
    return stats


SPAN = {"start": 0, "end": 1, "score": 1.0}
SHAPES = {
    "classification": ({"label": "good", "score": 1.0, "scores": {"good": 1.0, "bad": 0.0}}, ["good"]),
    "spans": ({"spans": [{**SPAN, "label": "PER"}, {**SPAN, "label": "LOC"}, {**SPAN, "label": "PER"}]},
              ["PER", "LOC", "PER"]),
    "moderation": ({"flagged": True, "labels": [{"label": "insult", "score": 0.9, "flagged": True},
                                                {"label": "threat", "score": 0.1, "flagged": False}]}, ["insult"]),
    "aspects": ({"aspects": [{"aspect": "food", "label": "positive", "score": 1.0}]}, ["positive"]),
    "hypotheses": ({"hypotheses": [{"hypothesis": "it is", "label": "neutral", "score": 1.0}]}, ["neutral"]),
    "coreference": ({"clusters": [{"spans": [SPAN]}]}, []),
    "embedding": ({"vector": [0.0, 1.0]}, []),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_labels_of_every_shape(shape: str) -> None:
    annotation, labels = SHAPES[shape]
    stats = tallied(document(annotation), document(), document(annotation))
    assert stats.labels == {("task", label): 2 * labels.count(label) for label in labels}
    assert stats.task_events == {"task": 2}


def test_labels_of_a_custom_task_may_be_texts_and_are_not_counted() -> None:
    stats = tallied(document({"label": "Angela Merkel"}), document({"spans": 3}), shown=False)
    assert (stats.labels, stats.task_events) == ({}, {"task": 2})


def test_labels_are_bounded() -> None:
    stats, batches = Stats(), 3
    tally = Tally(stats)
    for number in range(batches):
        documents = [document({"label": f"label {n}"}) for n in range(MOST_LABELS + 50)]
        tally.computed(MicroBatch(number, documents, 9), {"task": True})
    assert len(stats.labels) == MOST_LABELS + 1
    assert stats.labels["task", OTHER] == 50 * batches
    assert stats.labels["task", "label 0"] == batches


def test_failed_events_and_those_of_other_owners_do_not_count() -> None:
    gone, failed = Assignment("posts", 1), document({"label": "good"})
    gone.state = Assignment.GONE
    failed.failure = Failure("annotate", "ValueError", "withheld")
    nobody = Document(None)
    stats = tallied(failed, document({"label": "good"}, assignment=gone), nobody, document({"label": "bad"}))
    assert stats.labels == {("task", "bad"): 1}
    tally = Tally(stats)
    tally.landed(MicroBatch(0, [document(assignment=gone), nobody, document()], 9))
    assert list(stats.latency.buckets())[-1][1] == 1


def test_truncated_and_unread_texts() -> None:
    made, left_out, dead = document({"label": "good"}), document(), document()
    unread = {"task": "task", "kind": "unread", "share": 1.0}
    made.notices = [{"task": "task", "kind": "truncated", "kept": 1, "of": 2}, unread]
    left_out.notices = [unread, {"kind": "missing", "path": "$.title"}]
    dead.notices, dead.failure = [unread], Failure("tokenize", "TokenizeError", "unknown", "task")
    stats = tallied(made, left_out, dead, document({"label": "good"}))
    assert stats.truncated == {"task": 1}
    assert (stats.unread, stats.task_events) == ({"task": 3}, {"task": 4})


def test_sizes_and_latencies() -> None:
    stats, now = Stats(), time.monotonic()
    batch = MicroBatch(0, [
        document(timestamp_ms=int(1000 * time.time()) - 20_000, polled_at=now - 5000),
        document(timestamp_ms=int(1000 * time.time()) + 60_000, polled_at=now - 5000),
        document(timestamp_ms=-1, polled_at=now - 100),
    ], 700)  # fmt: skip
    tally = Tally(stats)
    tally.computed(batch, {"task": True})
    tally.landed(batch)
    assert dict(stats.micro_batch_tokens.buckets())[1024] - dict(stats.micro_batch_tokens.buckets())[512] == 1
    assert dict(stats.micro_batch_events.buckets())[4] - dict(stats.micro_batch_events.buckets())[2] == 1
    latencies = dict(stats.latency.buckets())
    assert (latencies[60], latencies[300], latencies[float("inf")]) == (0, 1, 3)
    assert stats.latency.sum >= 10_100
    ages = dict(stats.age.buckets())
    assert (ages[0.01], ages[10], ages[float("inf")]) == (1, 1, 2), "a time ahead of ours counts as now"
