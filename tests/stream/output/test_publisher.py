"""Every event of a micro-batch is published once, enriched or as a dead letter, or dropped if it is no longer ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.document import Document, Failure
from schemas.record import Assignment, Headers, Outbound, Record
from stream.codecs.formats import codec
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.output.routes import router
from stream.telemetry.stats import Stats
from tests.noop import pipeline
from tests.stream.output.redaction.cases import KEYS

PIPELINE = pipeline()
BUILDER = EventBuilder(PIPELINE, {"tone": {"model": "m", "revision": "r"}})


def _document(assignment: Assignment, offset: int, annotation: Any = None) -> Document:
    value = json.dumps({"text": f"n{offset}"}).encode()
    document = Document(Record(assignment, offset, b"k", value, [("h", b"1")], 5), f"n{offset}", value)
    document.annotations["tone"] = annotation or {"label": "neutral", "score": 1.0, "scores": {"neutral": 1.0}}
    return document


def instead(publisher: Publisher, outbound: Outbound, error: str) -> list[Outbound]:
    records = publisher.refused(outbound, error)
    assert records is not None
    return records


def test_each_event_once_in_order() -> None:
    kept, gone = Assignment("posts", 0), Assignment("posts", 1)
    gone.state = Assignment.GONE
    failed = _document(kept, 1)
    failed.failure = Failure("forward", "ForwardError", "too large for the device")
    documents = [
        _document(kept, 0),
        failed,
        _document(gone, 0),
        _document(kept, 2, {"label": "odd", "score": float("nan"), "scores": {}}),
        _document(kept, 3),
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
    kept, gone = Assignment("posts", 0), Assignment("posts", 1)
    gone.state = Assignment.GONE
    documents = [_document(kept, 0), _document(kept, 1), _document(kept, 2), _document(gone, 0)]
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
    partition = Assignment("posts", 0)
    publisher = Publisher(pipeline(stop_after={"in_a_row": 3}), Stats())

    def outbounds(number: int) -> tuple[MicroBatch, list[Outbound]]:
        batch = MicroBatch(number, [_document(partition, number)], tokens=1)
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
    (letter,) = instead(publisher, event, "MSG_SIZE_TOO_LARGE")
    assert (letter.topic, letter.kind, letter.value, letter.origin) == ("out.dead", "dead_letter", b"{}", record)
    message = dict(letter.headers)["__glossator.errors.exception.message"]
    assert message == b"the broker refused the enriched event for topic out: MSG_SIZE_TOO_LARGE"
    (bare,) = instead(publisher, letter, "MSG_SIZE_TOO_LARGE")
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
    partition, stats = Assignment("posts", 0), Stats()
    publisher = Publisher(pipeline(input={"topics": ["posts"], **policy}), stats)
    documents = [
        _document(partition, 0),
        _tombstone(partition, 1),
        _tombstone(partition, 2, key=None),
        _document(partition, 3),
    ]
    outbounds = publisher.outbounds(MicroBatch(0, documents, tokens=0), BUILDER)
    assert [outbound.kind for outbound in outbounds] == kinds
    assert (stats.enriched, stats.tombstones, stats.skipped, stats.dead_letters) == counts
    assert stats.finished == 4
    for outbound in outbounds:
        if outbound.kind == "tombstone":
            assert (outbound.topic, outbound.key, outbound.value, outbound.timestamp_ms) == ("out", b"k", None, 5)
            assert outbound.headers == [("h", b"1")]


@pytest.mark.parametrize("text", ["original", "redacted", "none"])
@pytest.mark.parametrize("routed", [False, True])
def test_a_tombstone_also_deletes_what_a_shadow_has_copied(text: str, routed: bool) -> None:
    routes = {"routes": [{"topic": "copy", "copy": True, "text": "original"}]} if routed else {}
    settings = pipeline(output={"topic": "out", "text": text, "disagreements": "odd", **routes}, redact={"key": "hash"})
    builder = EventBuilder(settings, {}, KEYS)
    outbounds = Publisher(settings, Stats()).outbounds(
        MicroBatch(0, [_tombstone(Assignment("posts", 0), 1)], tokens=0), builder, router(settings.output)
    )
    assert {outbound.kind for outbound in outbounds} == {"tombstone"}
    keys = {outbound.topic: outbound.key for outbound in outbounds}
    assert len(keys) == len(outbounds) == 2 + routed
    assert keys["odd"] == keys["out"]
    assert (keys["out"] == b"k") == (text == "original")
    assert keys.get("copy", b"k") == b"k"


def test_what_changes_while_the_worker_runs_counts_from_the_builder_on() -> None:
    """Without routes, too: the key of a delete is redacted, and the header that names a schema does not stay."""
    before = {"input": {"topics": ["posts"], "format": "json"}, "redact": {"key": "hash"}}
    publisher = Publisher(pipeline(output={"topic": "out"}, **before), Stats())
    registry = {"registry": {"url": "http://127.0.0.1:1"}}
    after = {**before, **registry, "input": {"topics": ["posts"], "format": "avro"}}
    builder = EventBuilder(pipeline(output={"topic": "out", "text": "redacted"}, **after), {}, KEYS)
    event = _document(Assignment("posts", 0), 0)
    assert event.record is not None
    event.record.headers = [("__value_schema_id", bytes(5)), ("h", b"1")]
    batch = MicroBatch(0, [event, _tombstone(Assignment("posts", 0), 1)], tokens=0)
    published, delete = publisher.outbounds(batch, builder)
    assert published.headers == [("h", b"1")]
    assert published.key == delete.key != b"k"


@pytest.mark.parametrize("policy", ["forward", "dead_letter", "skip"])
def test_deletes_are_no_poison(policy: str) -> None:
    publisher = Publisher(pipeline(input={"topics": ["in"], "tombstones": policy}, stop_after={"in_a_row": 3}), Stats())
    partition = Assignment("in", 0)
    for number in range(5):
        batch = MicroBatch(number, [_tombstone(partition, 2 * number), _tombstone(partition, 2 * number + 1)], tokens=0)
        for outbound in publisher.outbounds(batch, BUILDER):
            if outbound.kind == "tombstone":
                assert publisher.refused(outbound, "MSG_SIZE_TOO_LARGE") is not None
        publisher.landed(batch)
    assert publisher.too_many() is None


def test_deletes_do_not_hide_poison_between_them() -> None:
    publisher = Publisher(pipeline(stop_after={"in_a_row": 3}), Stats())
    partition, documents = Assignment("in", 0), []
    for offset in range(6):
        failed = _document(partition, offset)
        failed.failure = Failure("decode", "DecodeError", "no text")
        documents += [_tombstone(partition, offset), failed]
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
    (letter,) = instead(publisher, event, "INVALID_RECORD")
    assert (letter.topic, letter.kind, letter.key, letter.value) == ("out.dead", "dead_letter", b"k", None)
    assert dict(letter.headers)["__glossator.errors.exception.message"] == (
        b"the broker refused the tombstone for topic out: INVALID_RECORD"
    )
    assert (stats.tombstones, stats.enriched, dict(stats.failed)) == (0, 0, {"produce": 1})


ROUTES = [
    {"when": "event.n > 0", "topic": "audit", "copy": True, "text": "none", "headers": {"team": "a"}},
    {"when": "event.n == 1", "drop": True},
    {"when": "event.n == 2", "topic": "review", "key": "$.user"},
    {"when": "event.n > 3", "topic": "late", "copy": True, "name": "after"},
]
ROUTED = pipeline(output={"topic": "out", "routes": ROUTES})


def _numbered(n: int, **fields: Any) -> Document:
    document = _document(Assignment("posts", 0), n)
    document.fields = {"n": n, **fields}
    return document


def _published(stats: Stats, *documents: Document) -> tuple[Publisher, list[Outbound]]:
    publisher = Publisher(ROUTED, stats)
    batch = MicroBatch(0, list(documents), tokens=0)
    return publisher, publisher.outbounds(batch, BUILDER, router(ROUTED.output))


def test_an_event_goes_where_its_routes_send_it_and_counts_once() -> None:
    stats = Stats()
    _, sent = _published(stats, *(_numbered(n, user=f"u{n}") for n in range(5)))
    assert [(outbound.origin and outbound.origin.offset, outbound.topic, outbound.key) for outbound in sent] == [
        (0, "out", b"k"), (1, "audit", b"k"), (2, "audit", b"k"), (2, "review", b"u2"), (3, "audit", b"k"),
        (3, "out", b"k"), (4, "audit", b"k"), (4, "late", b"k"), (4, "out", b"k"),
    ]  # fmt: skip
    events = [json.loads(outbound.value or b"") for outbound in sent]
    assert [event["routed"] for event in events] == [
        [], ["audit", "drop"], *2 * [["audit", "review"]], *2 * [["audit"]], *3 * [["audit", "after"]],
    ]  # fmt: skip
    assert [outbound.route for outbound in sent] == [
        None, "audit", "audit", "review", "audit", None, "audit", "after", None,
    ]  # fmt: skip
    assert ["text" in event for event in events] == [outbound.topic != "audit" for outbound in sent]
    for outbound in sent:
        assert outbound.headers == [("h", b"1"), *([("team", b"a")] if outbound.topic == "audit" else [])]
        assert (outbound.kind, outbound.timestamp_ms) == ("event", 5)
    assert (stats.enriched, stats.dropped, stats.dead_letters, stats.finished) == (5, 0, 0, 5)
    assert stats.routed == {"audit": 4, "drop": 1, "review": 1, "after": 1}


def test_an_event_that_is_only_dropped_is_counted_as_that() -> None:
    stats, dropping = Stats(), pipeline(output={"topic": "out", "routes": [{"when": "event.n == 1", "drop": True}]})
    publisher = Publisher(dropping, stats)
    assert stats.routed == {"drop": 0}, "a counter exists before it counts"
    sent = publisher.outbounds(MicroBatch(0, [_numbered(1), _numbered(2)], 0), BUILDER, router(dropping.output))
    assert [outbound.topic for outbound in sent] == ["out"]
    assert (stats.enriched, stats.dropped, stats.finished) == (1, 1, 2)


def test_an_event_whose_route_fails_is_a_dead_letter_and_none_of_its_copies_is_sent() -> None:
    stats = Stats()
    missing = _document(Assignment("posts", 0), 7)
    missing.fields = {}
    _, sent = _published(stats, _numbered(2), missing, _numbered(0))
    assert [(outbound.kind, outbound.topic) for outbound in sent] == [
        ("dead_letter", "out.dead"), ("dead_letter", "out.dead"), ("event", "out"),
    ]  # fmt: skip
    told = [
        tuple(
            dict(letter.headers)[f"__glossator.errors.{name}"] for name in ("stage", "task.name", "exception.message")
        )
        for letter in sent[:2]
    ]
    assert told == [
        (b"route", b"review", b"there is no value for the key at $.user"),
        (b"route", b"audit", b'the condition cannot be evaluated: there is no "n", which has() can test'),
    ]
    assert (stats.enriched, dict(stats.failed), stats.finished) == (1, {"route": 2}, 3)
    assert sum(stats.routed.values()) == 0


def test_of_an_event_whose_copies_are_refused_there_is_one_dead_letter() -> None:
    stats = Stats()
    batch_of_one = _numbered(4)
    publisher, sent = _published(stats, batch_of_one)
    assert [outbound.topic for outbound in sent] == ["audit", "late", "out"]
    (letter,) = instead(publisher, sent[1], "MSG_SIZE_TOO_LARGE")
    assert letter.kind == "dead_letter"
    message = dict(letter.headers)["__glossator.errors.exception.message"]
    assert message == b"the broker refused the enriched event for topic late: MSG_SIZE_TOO_LARGE"
    assert instead(publisher, sent[2], "MSG_SIZE_TOO_LARGE") == []
    assert (stats.enriched, stats.dead_letters, stats.finished) == (0, 1, 1)
    assert stats.routed == {"audit": 1, "drop": 0, "review": 0, "after": 0}
    (bare,) = instead(publisher, letter, "MSG_SIZE_TOO_LARGE")
    assert bare.kind == "coordinates"
    publisher.landed(MicroBatch(0, [batch_of_one], 0))
    assert publisher._refused == set(), "nothing is kept of what has landed"


def test_a_tombstone_goes_to_every_topic_it_can_delete_from_and_counts_once() -> None:
    stats = Stats()
    publisher, sent = _published(stats, _tombstone(Assignment("posts", 0), 3))
    assert [(outbound.kind, outbound.topic, outbound.key, outbound.value) for outbound in sent] == [
        ("tombstone", "out", b"k", None), ("tombstone", "audit", b"k", None), ("tombstone", "late", b"k", None),
    ]  # fmt: skip
    assert (stats.tombstones, stats.finished, stats.dropped) == (1, 1, 0)
    (letter,) = instead(publisher, sent[0], "INVALID_RECORD")
    assert letter.kind == "dead_letter"
    assert instead(publisher, sent[2], "INVALID_RECORD") == []
    assert (stats.tombstones, stats.dead_letters, stats.finished) == (0, 1, 1)


def test_copies_that_are_refused_again_and_again_count_once_an_event() -> None:
    settings = pipeline(output={"topic": "out", "routes": [{"topic": "a", "copy": True}]}, stop_after={"in_a_row": 2})
    publisher, copies = Publisher(settings, Stats()), router(settings.output)
    for number in range(2):
        batch = MicroBatch(number, [_numbered(number)], tokens=1)
        for outbound in publisher.outbounds(batch, BUILDER, copies):
            publisher.refused(outbound, "MSG_SIZE_TOO_LARGE")
        assert (publisher.too_many() is not None) is (number == 1)
        publisher.landed(batch)


def test_each_topic_gets_its_own_format() -> None:
    routes = [
        {"when": "event.n > 0", "topic": "plain", "copy": True, "format": "json"},
        {"when": "event.n > 1", "topic": "whole", "format": {"cloudevents": {"mode": "structured"}}},
    ]
    settings = pipeline(output={"topic": "out", "format": "cloudevents", "routes": routes})
    builder = EventBuilder(settings, {"tone": {"model": "m", "revision": "r"}})
    publisher = Publisher(settings, Stats())
    batch = MicroBatch(0, [_numbered(n) for n in range(3)], tokens=0)
    sent = publisher.outbounds(batch, builder, router(settings.output))
    kinds = [(outbound.topic, dict(outbound.headers).get("content-type")) for outbound in sent]
    binary, structured = b"application/json", b"application/cloudevents+json; charset=UTF-8"
    assert kinds == [("out", binary), ("plain", None), ("out", binary), ("plain", None), ("whole", structured)]
    events = [json.loads(outbound.value or b"") for outbound in sent]
    assert dict(sent[0].headers)["ce_id"] == events[0]["id"].encode()
    assert events[4]["data"] == {**events[3], "routed": ["plain", "whole"]}
    assert events[4]["id"] == events[4]["data"]["id"]


def test_without_routes_the_output_has_its_format_and_a_dead_letter_has_none() -> None:
    settings = pipeline(output={"topic": "out", "format": "cloudevents"})
    builder, failed = EventBuilder(settings, {}), _document(Assignment("posts", 0), 1)
    failed.failure = Failure("forward", "ForwardError", "too large for the device")
    batch = MicroBatch(0, [_document(Assignment("posts", 0), 0), failed], tokens=0)
    event, letter = Publisher(settings, Stats()).outbounds(batch, builder)
    assert dict(event.headers)["ce_id"] == json.loads(event.value or b"")["id"].encode()
    assert event.headers[0] == ("h", b"1")
    assert "ce_id" not in dict(letter.headers)
    assert EventBuilder(pipeline(output={"topic": "out"}), {}).config == builder.config, "an id outlives a new format"


@pytest.mark.parametrize("routes", [None, [{"topic": "aside", "copy": True}, {"topic": "elsewhere"}]])
def test_the_schema_that_a_header_names_is_that_of_the_input_alone(routes: Any) -> None:
    config = pipeline(
        input={"topics": ["posts"], "format": "avro"},
        registry={"url": "http://registry:8081"},
        output={"topic": "out", **({"routes": routes} if routes else {})},
    )
    headers: Any = [("h", b"1"), ("__value_schema_id", b"\x00\x00\x00\x00\x05"), ("h", b"2")]
    documents = [_document(Assignment("posts", 0), 0), _document(Assignment("posts", 0), 1)]
    for document in documents:
        assert document.record is not None
        document.record.headers = headers
    documents[1].failure = Failure("decode", "DecodeError", "corrupt")
    made = Publisher(config, Stats()).outbounds(
        MicroBatch(0, documents, tokens=1), EventBuilder(config, {}), router(config.output)
    )
    assert [outbound.headers for outbound in made[:-1]] == [[("h", b"1"), ("h", b"2")]] * (2 if routes else 1)
    assert made[-1].kind == "dead_letter"
    assert made[-1].headers[:3] == headers


def _change(key: bytes | None, op: str = "d") -> Document:
    value = json.dumps({"before": {"text": "old"}, "after": None, "op": op}).encode()
    debezium = pipeline(input={"topics": ["posts"], "format": "debezium", "text": "$.after.text"})
    return codec(debezium.input).decode(Record(Assignment("posts", 0), 1, key, value, [("h", b"1")], 5))


@pytest.mark.parametrize(
    ("tombstones", "key", "sent"),
    [
        ("forward", b"k", [("tombstone", "out", b"k", None)]),
        ("skip", b"k", []),
        ("dead_letter", b"k", [("dead_letter", "out.dead", b"k", "whole")]),
        ("forward", None, [("dead_letter", "out.dead", None, "whole")]),
    ],
)
def test_a_deleted_row_is_what_a_tombstone_is(tombstones: str, key: bytes | None, sent: list[Any]) -> None:
    settings = pipeline(
        input={"topics": ["posts"], "format": "debezium", "text": "$.after.text", "tombstones": tombstones},
        stop_after={"in_a_row": 1},
    )
    stats, document = Stats(), _change(key)
    publisher = Publisher(settings, stats)
    outbounds = publisher.outbounds(MicroBatch(0, [document], 0), BUILDER)
    whole = document.record and document.record.value
    assert [
        (each.kind, each.topic, each.key, "whole" if each.value == whole else each.value) for each in outbounds
    ] == sent
    assert (stats.tombstones, stats.skipped) == (tombstones == "forward" and key is not None, tombstones == "skip")
    assert (publisher.too_many() is not None) == (key is None), "deletes say nothing about the pipeline file"


def test_a_truncate_is_a_dead_letter() -> None:
    (letter,) = Publisher(PIPELINE, Stats()).outbounds(MicroBatch(0, [_change(b"k", "t")], 0), BUILDER)
    assert letter.kind == "dead_letter"


def test_a_dead_letter_has_the_headers_of_the_input_and_no_others() -> None:
    settings = pipeline(input={"topics": ["posts"], "format": "cloudevents"})
    value = json.dumps({"specversion": "1.0", "id": "1", "source": "/a", "type": "b", "data": {"text": "x"}}).encode()
    headers: Headers = [("content-type", b"application/cloudevents+json"), ("h", b"1")]
    document = codec(settings.input).decode(Record(Assignment("posts", 0), 1, b"k", value, headers, 5))
    document.annotations["tone"] = {"score": float("nan")}
    (letter,) = Publisher(settings, Stats()).outbounds(MicroBatch(0, [document], 0), BUILDER)
    assert (letter.kind, letter.value, letter.headers[:2]) == ("dead_letter", value, headers)
    assert all(name.startswith("__glossator.errors.") for name, _ in letter.headers[2:])
