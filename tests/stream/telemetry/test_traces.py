"""Spans as a collector gets them: which there are, how they are connected, and what is never in them."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export import SpanExportResult

from schemas.document import Document, Failure
from schemas.errors import SettingError
from schemas.record import Assignment, Headers, Outbound, Record
from stream.microbatch import MicroBatch
from stream.telemetry import collector as collector_module
from stream.telemetry import traces as traces_module
from stream.telemetry.spans import EVENTS, LINKS, Traces
from stream.telemetry.stats import Stats
from stream.telemetry.traceparent import context_of
from stream.telemetry.traces import NoTraces, make_traces
from tests import otlp
from tests.integration.lib import eventually
from tests.noop import pipeline

PARTITION = Assignment("posts", 3)
ERROR = 2


def header(number: int, sampled: bool = True) -> Headers:
    return [("traceparent", f"00-{number:032x}-{number:016x}-{int(sampled):02x}".encode())]


def batch(*headers: Headers | None, number: int = 0, assignment: Assignment = PARTITION) -> MicroBatch:
    now = time.monotonic()
    records = [
        Record(assignment, offset, b"the key", b"the value", each, polled_at=now - 1)
        for offset, each in enumerate(headers, 100)
    ]
    return MicroBatch(number, [Document(record, "the text") for record in records], 7)


def outbounds(of: MicroBatch) -> list[Outbound]:
    return [Outbound("out", r.key, r.value, list(r.headers or []), r.timestamp_ms, r) for r in of.records]


def process(traces: Traces | NoTraces, *batches: MicroBatch) -> list[list[Outbound]]:
    """Take micro-batches through all steps; return what is sent for each."""
    sent = []
    for each in batches:
        traces.begin(each)
        with traces.step(each, "forwards"):
            time.sleep(0.001)
        with traces.step(each, "finish"):
            made = outbounds(each)
        traces.sending(each, made)
        traces.landed(each)
        sent.append(made)
    return sent


@pytest.fixture
def collector() -> Iterator[otlp.Collector]:
    with otlp.collecting() as server:
        yield server


def traced(collector: otlp.Collector, stats: Stats | None = None, slot: int = 0, **settings: Any) -> Traces:
    config = {"endpoint": collector.url, **settings}
    delivery = config.pop("delivery", "at_least_once")
    made = make_traces(pipeline(telemetry={"traces": config}, delivery=delivery), stats or Stats(), slot)
    assert isinstance(made, Traces)
    return made


def by_name(spans: list[Any]) -> dict[str, Any]:
    named = {span.name: span for span in spans}
    assert len(named) == len(spans), "two spans have one name"
    return named


@pytest.mark.parametrize(("delivery", "last"), [("at_least_once", "delivery"), ("exactly_once", "transaction")])
def test_a_micro_batch_is_a_trace_with_its_steps(collector: otlp.Collector, delivery: str, last: str) -> None:
    stats = Stats(config="12345678")
    traces = traced(collector, stats, slot=4, sample=1, delivery=delivery, headers={"X-Key": "secret"})
    process(traces, batch(None, None, number=5))
    traces.close()
    spans = by_name(collector.spans())
    root = spans.pop("process posts")
    assert list(spans) == ["prepare", "forwards", "finish", last]
    assert (root.parent_span_id, root.kind, len(root.links)) == (b"", root.SPAN_KIND_CONSUMER, 0)
    assert otlp.attributes(root) == {
        "messaging.system": "kafka", "messaging.operation.name": "process", "messaging.operation.type": "process",
        "messaging.consumer.group.name": "p", "messaging.destination.name": "posts",
        "messaging.destination.partition.id": "3", "messaging.batch.message_count": 2, "glossator.micro_batch": 5,
        "glossator.tokens": 7, "glossator.config": "12345678", "glossator.dead_letters": 0,
    }  # fmt: skip
    at = root.start_time_unix_nano
    for span in spans.values():
        assert (span.trace_id, span.parent_span_id) == (root.trace_id, root.span_id)
        assert at <= span.start_time_unix_nano <= span.end_time_unix_nano <= root.end_time_unix_nano
        at = span.end_time_unix_nano
    prepare = spans["prepare"]
    assert 0.9e9 < prepare.end_time_unix_nano - prepare.start_time_unix_nano < 60e9, "since its first event was polled"
    assert spans[last].kind == root.SPAN_KIND_PRODUCER
    assert otlp.attributes(spans[last]) == {
        "messaging.system": "kafka", "messaging.operation.name": "send", "messaging.operation.type": "send",
        "messaging.destination.name": "out", "messaging.batch.message_count": 2,
    }  # fmt: skip
    (resource,) = collector.resources()
    assert (resource["service.name"], resource["service.namespace"], resource["service.instance.id"]) == (
        "p", "glossator", "p-4",
    )  # fmt: skip
    assert collector.paths == {"/v1/traces"}
    assert collector.headers[0]["x-key"] == "secret"
    assert stats.spans == {"sent": 5}


def test_an_event_that_its_producer_sampled_has_a_span_that_consumers_continue(collector: otlp.Collector) -> None:
    traces = traced(collector, sample=0)
    micro_batch = batch(header(1), header(2, sampled=False), None, [("a", b"1"), *header(3), ("tracestate", b"x=y")])
    (sent,) = process(traces, micro_batch)
    traces.close()
    spans = collector.spans()
    root = next(span for span in spans if not span.parent_span_id)
    events = {int.from_bytes(span.trace_id): span for span in spans if span.trace_id != root.trace_id}
    assert {otlp.attributes(link)["messaging.kafka.offset"] for link in root.links} == {100, 103}
    assert {int.from_bytes(link.trace_id): int.from_bytes(link.span_id) for link in root.links} == {1: 1, 3: 3}
    assert events.keys() == {1, 3}
    for number, span in events.items():
        assert int.from_bytes(span.parent_span_id) == number
        assert [link.span_id for link in span.links] == [root.span_id]
        assert otlp.attributes(span)["messaging.kafka.offset"] == {1: 100, 3: 103}[number]
    first, second, third, fourth = (context_of(outbound.headers) for outbound in sent)
    assert (first, fourth) == tuple(
        context_of([("traceparent", b"00-%032x-%b-01" % (number, span.span_id.hex().encode()))])
        for number, span in sorted(events.items())
    )
    assert (second, third) == (context_of(header(2, sampled=False)), None), "what nobody records is passed on as it is"
    assert [name for name, _ in sent[3].headers] == ["a", "traceparent", "tracestate"]
    assert micro_batch.documents[0].record is not None
    assert micro_batch.documents[0].record.headers == header(1), "a dead letter still gets the original"


def test_dead_letters_keep_the_headers_of_their_event_and_mark_its_span(collector: otlp.Collector) -> None:
    traces = traced(collector, sample=0)
    micro_batch = batch(header(1), header(2))
    micro_batch.documents[0].failure = Failure.of(ValueError("the text"), "decode")
    sent = outbounds(micro_batch)
    sent[0].kind = "dead_letter"
    traces.begin(micro_batch)
    traces.sending(micro_batch, sent)
    traces.landed(micro_batch)
    traces.close()
    assert sent[0].headers == header(1)
    spans = {int.from_bytes(span.trace_id): span for span in collector.spans()}
    assert (spans[1].status.code, spans[2].status.code) == (ERROR, 0)
    assert (otlp.attributes(spans[1])["error.type"], otlp.attributes(spans[1])["glossator.stage"]) == (
        "ValueError", "decode",
    )  # fmt: skip
    root = next(span for span in collector.spans() if span.name == "process posts" and not span.parent_span_id)
    assert otlp.attributes(root)["glossator.dead_letters"] == 1


def test_links_and_spans_of_events_are_bounded_and_prefer_what_is_recorded(collector: otlp.Collector) -> None:
    traces = traced(collector, sample=1)
    many = [header(number, sampled=number > 200) for number in range(1, 401)]
    (sent,) = process(traces, batch(*many))
    traces.close()
    spans = collector.spans()
    (root,) = (span for span in spans if span.name == "process posts" and not span.parent_span_id)
    assert sorted(int.from_bytes(link.trace_id) for link in root.links) == list(range(201, 201 + LINKS))
    assert len([span for span in spans if span.name == "process posts"]) == 1 + EVENTS
    changed = [context_of(o.headers) != context_of(before) for o, before in zip(sent, many, strict=True)]
    assert changed == [200 <= number < 200 + EVENTS for number in range(400)]


def test_what_is_traced_is_a_sample_and_what_producers_have_sampled(collector: otlp.Collector) -> None:
    for follow, expected in ((True, {0, 3, 4}), (False, {3})):
        collector.requests.clear()
        traces = traced(collector, sample=0.25, follow=follow)
        traces._chance = iter([0.25, 0.9, 0.26, 0.249, 0.999]).__next__
        heads = [header(1), header(2, sampled=False), None, None, header(3)]
        process(traces, *(batch(head, number=number) for number, head in enumerate(heads)))
        traces.close()
        numbers = {otlp.attributes(span).get("glossator.micro_batch") for span in collector.spans()}
        assert numbers - {None} == expected


def test_events_of_several_topics_and_partitions(collector: otlp.Collector) -> None:
    traces = traced(collector, sample=1)
    several = batch(None, None)
    others = [Record(Assignment(*place), 1, None, b"x") for place in (("posts", 4), ("replies", 3))]
    process(
        traces,
        MicroBatch(1, [Document(record) for record in [*several.records, others[0]]], 0),
        MicroBatch(2, [Document(record) for record in [*several.records, others[1]]], 0),
        MicroBatch(3, [Document(None, "no record")], 0),
    )
    traces.close()
    roots = {
        otlp.attributes(span)["glossator.micro_batch"]: span for span in collector.spans() if not span.parent_span_id
    }
    assert {number: span.name for number, span in roots.items()} == {1: "process posts", 2: "process", 3: "process"}
    for span in roots.values():
        assert "messaging.destination.partition.id" not in otlp.attributes(span)


def test_what_has_not_landed_in_the_end_is_marked(collector: otlp.Collector) -> None:
    traces = traced(collector, sample=1)
    traces.begin(lost := batch(header(1)))
    with pytest.raises(RuntimeError), traces.step(lost, "forwards"):
        raise RuntimeError
    traces.close()
    failed = [span for span in collector.spans() if span.status.code == ERROR]
    assert [otlp.attributes(span)["error.type"] for span in failed] == ["not_delivered"] * 2
    assert {span.name for span in collector.spans()} == {"process posts", "prepare", "forwards"}


@given(
    secret=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=6, max_size=40),
    context=st.one_of(st.none(), st.integers(1, 2**64 - 1)),
    fails=st.booleans(),
)
def test_nothing_of_an_event_but_its_place_is_in_a_span(secret: str, context: int | None, fails: bool) -> None:
    """Text, key, value, other headers, tracestate, messages of failures and the headers for the collector."""
    seen: list[Any] = []
    secret = f"§{secret}§"

    class Exporter:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def export(self, spans: Any) -> SpanExportResult:
            seen.extend(spans)
            return SpanExportResult.SUCCESS

        def shutdown(self) -> None:
            pass

    hidden: Headers = [("x", secret.encode()), (secret, b"x"), ("tracestate", f"a={secret}".encode())]
    record = Record(PARTITION, 1, secret.encode(), secret.encode(), [*(header(context) if context else []), *hidden])
    document = Document(record, secret, secret.encode())
    if fails:
        document.failure = Failure("decode", "DecodeError", secret, secret)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collector_module, "OTLPSpanExporter", Exporter)
        settings = {"endpoint": "http://c", "sample": 1, "headers": {"x": "hush-hush"}}
        traces = make_traces(pipeline(telemetry={"traces": settings}), Stats(), 0)
    process(traces, MicroBatch(0, [document], 1))
    traces.close()
    assert seen
    for span in seen:
        said = span.to_json() + repr(span.status.description)
        assert secret.encode() not in said.encode()
        assert "§" not in said
        assert "\\u00a7" not in said
        assert "hush" not in said


def test_a_collector_that_refuses_or_is_away_costs_spans_and_no_time(
    collector: otlp.Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    stats = Stats()
    collector.status = 400
    traces = traced(collector, stats, sample=1)
    process(traces, batch(None))
    eventually(lambda: stats.spans["failed"] == 5)
    collector.status = 200
    process(traces, batch(None, number=1))
    eventually(lambda: stats.spans["sent"] == 5)
    traces.close()
    assert [record.name for record in caplog.records] == ["glossator.traces"] * 2, "and nothing of OpenTelemetry"
    assert "does not take spans" in caplog.messages[0]
    assert "takes spans again" in caplog.messages[1]


def test_the_queue_is_bounded_and_what_does_not_fit_is_counted(
    collector: otlp.Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector takes a request and never answers."""
    hold, stats = threading.Event(), Stats()

    class Stuck:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def export(self, _: Any) -> SpanExportResult:
            hold.wait(60)
            return SpanExportResult.FAILURE

        def shutdown(self) -> None:
            pass

    monkeypatch.setattr(collector_module, "OTLPSpanExporter", Stuck)
    monkeypatch.setattr(collector_module, "_CLOSE", 0.05)
    traces = traced(collector, stats, sample=1)
    process(traces, *(batch(None, number=number) for number in range(600)))
    assert stats.spans == {"queue_full": 3000 - collector_module.QUEUE}
    traces.close()
    assert f"{collector_module.QUEUE} spans could not be sent" in caplog.text
    hold.set()
    eventually(lambda: not any("Otel" in thread.name for thread in threading.enumerate()))


def test_nothing_is_imported_or_done_without_traces() -> None:
    traces = make_traces(pipeline(), Stats(), 0)
    assert isinstance(traces, NoTraces)
    untraced = batch(header(1))
    (sent,) = process(traces, untraced)
    assert sent == outbounds(untraced)
    traces.close()


@pytest.mark.parametrize("module", ["opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"])
def test_a_missing_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces_module, "find_spec", lambda name: None if name == module else sys)
    with pytest.raises(SettingError, match=r"pip install 'glossator\[traces\]'"):
        make_traces(pipeline(telemetry={"traces": {"endpoint": "http://c:4318"}}), Stats(), 0)


def test_nothing_is_traced_where_the_environment_switches_opentelemetry_off(
    collector: otlp.Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    traces = traced(collector, sample=1)
    (sent,) = process(traces, batch(header(1)))
    traces.close()
    assert (sent[0].headers, collector.requests) == (header(1), [])


def test_a_variable_that_opentelemetry_refuses_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SPAN_LINK_COUNT_LIMIT", "many")
    with pytest.raises(SettingError, match="OTEL_"):
        make_traces(pipeline(telemetry={"traces": {"endpoint": "http://c:4318"}}), Stats(), 0)


@given(st.lists(st.one_of(st.none(), st.booleans()), max_size=60), st.floats(0, 1), st.booleans())
def test_every_span_has_an_end_and_every_event_one_outcome(
    sampled: list[bool | None], sample: float, follow: bool
) -> None:
    counts: Counter[str] = Counter()

    class Exporter:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def export(self, spans: Any) -> SpanExportResult:
            counts.update(span.name for span in spans)
            return SpanExportResult.SUCCESS

        def shutdown(self) -> None:
            pass

    stats = Stats()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collector_module, "OTLPSpanExporter", Exporter)
        settings = {"endpoint": "http://c", "sample": sample, "follow": follow}
        traces = make_traces(pipeline(telemetry={"traces": settings}), stats, 0)
    heads = [None if each is None else header(number, each) for number, each in enumerate(sampled, 1)]
    batches = [batch(*heads[start : start + 7], number=start) for start in range(0, len(heads), 7)]
    process(traces, *batches)
    traces.close()
    assert isinstance(traces, Traces)
    assert not traces._open
    assert counts["prepare"] == counts["delivery"] == counts["forwards"] == counts["finish"]
    if follow:
        assert counts["process posts"] >= counts["prepare"] + sampled.count(True)
    assert stats.spans == ({"sent": counts.total()} if counts else {})
