"""Every event of a micro-batch leaves it once: enriched, as a dead letter, or not at all if it is no longer ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.document import Document, Failure
from schemas.errors import PoisonError
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.telemetry.stats import Stats
from tests.noop import pipeline

PIPELINE = pipeline()
BUILDER = EventBuilder(PIPELINE, {"tone": {"model": "m", "revision": "r"}})


def _document(assignment: Assignment, offset: int, annotation: Any = None) -> Document:
    value = json.dumps({"text": f"n{offset}"}).encode()
    document = Document(Record(assignment, offset, b"k", value, [("h", b"1")], 5), f"n{offset}", value)
    document.annotations["tone"] = annotation or {"label": "neutral", "score": 1.0, "scores": {"neutral": 1.0}}
    return document


def test_each_event_once_in_order() -> None:
    ours, gone = Assignment("posts", 0), Assignment("posts", 1)
    gone.state = Assignment.GONE
    failed = _document(ours, 1)
    failed.failure = Failure("forward", "ForwardError", "too large for the device")
    documents = [
        _document(ours, 0),
        failed,
        _document(gone, 0),
        _document(ours, 2, {"label": "odd", "score": float("nan"), "scores": {}}),
        _document(ours, 3),
    ]
    stats = Stats()
    publisher = Publisher(PIPELINE, stats)
    outbounds = publisher.outbounds(MicroBatch(0, documents, tokens=9), BUILDER)
    assert [outbound.topic for _, outbound in outbounds] == ["out", "out.dead", "out.dead", "out"]
    assert [origin.offset if origin else None for origin, _ in outbounds] == [0, 1, 2, 3]
    for _, outbound in outbounds:
        assert (outbound.key, outbound.headers[0], outbound.timestamp_ms) == (b"k", ("h", b"1"), 5)
    assert dict(outbounds[2][1].headers)["__glossator.errors.stage"] == b"encode"
    assert (stats.enriched, stats.dead_letters, stats.discarded, stats.tokens) == (2, 2, 1, 9)


def test_events_that_the_broker_refuses_again_and_again_stop_the_worker() -> None:
    """They had come out well, so nothing in the row of finished events tells."""
    ours = Assignment("posts", 0)
    publisher = Publisher(pipeline(stop_after={"in_a_row": 3}), Stats())
    refusal = Failure("produce", "ProduceError", "the broker refused the enriched event")

    def outbounds(number: int) -> MicroBatch:
        batch = MicroBatch(number, [_document(ours, number)], tokens=1)
        publisher.outbounds(batch, BUILDER)
        return batch

    for number, refused in enumerate([True, True, False, True, True, True]):
        batch = outbounds(number)
        if refused:
            publisher.refused(Record(ours, number, None, b"{}"), refusal)
        publisher.landed(batch)
    with pytest.raises(PoisonError, match="3 dead letters in a row, the last failed at produce"):
        outbounds(6)
