"""Every event of a micro-batch is published once, enriched or as a dead letter, or dropped if it is no longer ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.document import Document, Failure
from schemas.record import Assignment, Outbound, Record
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
    assert [outbound.kind for outbound in outbounds] == ["event", "dead_letter", "dead_letter", "event"]
    assert [outbound.topic for outbound in outbounds] == ["out", "out.dead", "out.dead", "out"]
    assert [outbound.origin and outbound.origin.offset for outbound in outbounds] == [0, 1, 2, 3]
    for outbound in outbounds:
        assert (outbound.key, outbound.headers[0], outbound.timestamp_ms) == (b"k", ("h", b"1"), 5)
    assert dict(outbounds[2].headers)["__glossator.errors.stage"] == b"encode"
    assert (stats.enriched, stats.dead_letters, stats.discarded, stats.tokens) == (2, 2, 1, 9)


def test_annotations_of_unread_texts_are_counted_by_task_also_of_dead_letters() -> None:
    ours, gone = Assignment("posts", 0), Assignment("posts", 1)
    gone.state = Assignment.GONE
    documents = [_document(ours, 0), _document(ours, 1), _document(ours, 2), _document(gone, 0)]
    for document in documents[1:]:
        document.notices = [
            {"task": "tone", "kind": "truncated", "kept": 1, "of": 2},
            {"task": "tone", "kind": "unread", "share": 0.8},
            {"task": "safety", "kind": "unread", "share": 0.8},
        ]
    documents[2].failure = Failure("tokenize", "TokenizeError", "unknown", "safety")
    stats = Stats()
    Publisher(PIPELINE, stats).outbounds(MicroBatch(0, documents, tokens=9), BUILDER)
    assert stats.unread == {"tone": 2, "safety": 2}


def test_events_that_the_broker_refuses_again_and_again_stop_the_worker() -> None:
    """They were enriched, so the row of finished events does not show it."""
    ours = Assignment("posts", 0)
    publisher = Publisher(pipeline(stop_after={"in_a_row": 3}), Stats())

    def outbounds(number: int) -> tuple[MicroBatch, list[Outbound]]:
        batch = MicroBatch(number, [_document(ours, number)], tokens=1)
        return batch, publisher.outbounds(batch, BUILDER)

    for number, refused in enumerate([True, True, False, True, True, True]):
        batch, (event,) = outbounds(number)
        if refused:
            publisher.refused(event, "MSG_SIZE_TOO_LARGE")
        assert publisher.too_many() is None or number == 5
        publisher.landed(batch)
    assert str(publisher.too_many()).startswith("3 dead letters in a row, the last failed at produce")


def test_a_refused_event_becomes_a_dead_letter_and_a_refused_letter_its_coordinates() -> None:
    publisher, record = Publisher(PIPELINE, Stats()), Record(Assignment("posts", 3), 7, b"k", b"{}", None, 5)
    event = Outbound("out", b"k", b"{}", origin=record)
    letter = publisher.refused(event, "MSG_SIZE_TOO_LARGE")
    assert letter is not None
    assert (letter.topic, letter.kind, letter.value, letter.origin) == ("out.dead", "dead_letter", b"{}", record)
    message = dict(letter.headers)["__glossator.errors.exception.message"]
    assert message == b"the broker refused the enriched event: MSG_SIZE_TOO_LARGE"
    bare = publisher.refused(letter, "MSG_SIZE_TOO_LARGE")
    assert bare is not None
    assert (bare.topic, bare.kind, bare.value, bare.origin) == ("out.dead", "coordinates", None, record)
    assert publisher.refused(bare, "MSG_SIZE_TOO_LARGE") is None
    assert publisher.refused(Outbound("out", None, b"{}"), "MSG_SIZE_TOO_LARGE") is None


def _tombstone(assignment: Assignment, offset: int, key: bytes | None = b"k", stage: str = "decode") -> Document:
    document = Document(Record(assignment, offset, key, None, [("h", b"1")], 5))
    document.failure = Failure(stage, "DecodeError", "the value is null (a tombstone)")
    return document


@pytest.mark.parametrize(
    ("policy", "kinds", "counts"),
    [
        ({}, ["event", "tombstone", "dead_letter", "event"], (2, 1, 0, 1)),
        ({"tombstones": "forward"}, ["event", "tombstone", "dead_letter", "event"], (2, 1, 0, 1)),
        ({"tombstones": "dead_letter"}, ["event", "dead_letter", "dead_letter", "event"], (2, 0, 0, 2)),
        ({"tombstones": "skip"}, ["event", "event"], (2, 0, 2, 0)),
    ],
)
def test_a_tombstone_is_passed_on_kept_as_a_dead_letter_or_skipped(policy: Any, kinds: Any, counts: Any) -> None:
    ours, stats = Assignment("posts", 0), Stats()
    publisher = Publisher(pipeline(input={"topics": ["posts"], **policy}), stats)
    documents = [_document(ours, 0), _tombstone(ours, 1), _tombstone(ours, 2, key=None), _document(ours, 3)]
    outbounds = publisher.outbounds(MicroBatch(0, documents, tokens=0), BUILDER)
    assert [outbound.kind for outbound in outbounds] == kinds
    assert (stats.enriched, stats.tombstones, stats.skipped, stats.dead_letters) == counts
    assert stats.finished == 4
    for outbound in outbounds:
        if outbound.kind == "tombstone":
            assert (outbound.topic, outbound.key, outbound.value, outbound.timestamp_ms) == ("out", b"k", None, 5)
            assert outbound.headers == [("h", b"1")]


@pytest.mark.parametrize("policy", ["forward", "dead_letter", "skip"])
def test_deletes_are_no_poison(policy: str) -> None:
    publisher = Publisher(pipeline(input={"topics": ["in"], "tombstones": policy}, stop_after={"in_a_row": 3}), Stats())
    ours = Assignment("in", 0)
    for number in range(5):
        batch = MicroBatch(number, [_tombstone(ours, 2 * number), _tombstone(ours, 2 * number + 1)], tokens=0)
        for outbound in publisher.outbounds(batch, BUILDER):
            if outbound.kind == "tombstone":
                assert publisher.refused(outbound, "MSG_SIZE_TOO_LARGE") is not None
        publisher.landed(batch)
    assert publisher.too_many() is None


def test_deletes_do_not_hide_poison_between_them() -> None:
    publisher = Publisher(pipeline(stop_after={"in_a_row": 3}), Stats())
    ours, documents = Assignment("in", 0), []
    for offset in range(6):
        failed = _document(ours, offset)
        failed.failure = Failure("decode", "DecodeError", "no text")
        documents += [_tombstone(ours, offset), failed]
    letters = publisher.outbounds(MicroBatch(0, documents, tokens=0), BUILDER)
    assert str(publisher.too_many()).startswith("3 dead letters in a row")
    assert sum(letter.kind == "dead_letter" for letter in letters) == 6, "people look at these"


def test_nulls_without_a_key_delete_nothing_and_count() -> None:
    publisher = Publisher(pipeline(stop_after={"in_a_row": 3}), Stats())
    documents = [_tombstone(Assignment("in", 0), offset, key=None) for offset in range(3)]
    publisher.outbounds(MicroBatch(0, documents, tokens=0), BUILDER)
    assert publisher.too_many() is not None


def test_a_tombstone_that_failed_otherwise_is_a_dead_letter() -> None:
    stats = Stats()
    document = _tombstone(Assignment("in", 0), 0, stage="crash")
    (letter,) = Publisher(PIPELINE, stats).outbounds(MicroBatch(0, [document], tokens=0), BUILDER)
    assert letter.kind == "dead_letter"


def test_a_refused_tombstone_becomes_a_dead_letter() -> None:
    stats = Stats()
    publisher = Publisher(PIPELINE, stats)
    (event,) = publisher.outbounds(MicroBatch(0, [_tombstone(Assignment("in", 0), 0)], tokens=0), BUILDER)
    letter = publisher.refused(event, "INVALID_RECORD")
    assert letter is not None
    assert (letter.topic, letter.kind, letter.key, letter.value) == ("out.dead", "dead_letter", b"k", None)
    assert dict(letter.headers)["__glossator.errors.exception.message"] == (
        b"the broker refused the tombstone: INVALID_RECORD"
    )
    assert (stats.tombstones, stats.enriched, dict(stats.failed)) == (0, 0, {"produce": 1})
