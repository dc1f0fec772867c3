"""Traces on a real broker: from the producer's span, through the worker's, to what a consumer continues."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream.telemetry.traceparent import context_of
from tests import otlp
from tests.integration.lib import Case, eventually

pytestmark = pytest.mark.integration

TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
HEADER = ("traceparent", f"00-{TRACE:032x}-{SPAN:016x}-01".encode())
STEPS = ["prepare", "forwards", "finish", "transaction"]


def test_a_trace_leads_through_the_worker_and_a_dead_letter_stays_as_it_was(real_kafka: Any) -> None:
    with otlp.collecting() as collector:
        telemetry = {"traces": {"endpoint": collector.url, "sample": 0}}
        case = Case(real_kafka, partitions=1, delivery="exactly_once", telemetry=telemetry)
        traced = json.dumps({"id": 0, "text": "a traced event"}).encode()
        case.broker.produce_all(case.input, [(b"k", traced, [HEADER]), (b"k", b"no json", [HEADER])])
        case.feed(20, start=1)
        with case.member() as member:
            eventually(lambda: case.committed() == 22)
            assert member.stop() == {"polled": 22, "enriched": 21, "drained": True}
    spans = collector.spans()
    fine, failed = sorted(
        (span for span in spans if int.from_bytes(span.trace_id) == TRACE),
        key=lambda span: otlp.attributes(span)["messaging.kafka.offset"],
    )
    assert {int.from_bytes(span.parent_span_id) for span in (fine, failed)} == {SPAN}
    assert otlp.attributes(failed)["glossator.stage"] == "decode"
    (batch,) = (span for span in spans if span.span_id == fine.links[0].span_id)
    assert [span.name for span in spans if span.parent_span_id == batch.span_id] == STEPS
    passed = {json.loads(row.value or b"")["event"]["id"]: row.headers for row in case.read(case.output)}
    context = context_of(passed.pop(0))
    assert context is not None
    assert (context.trace, context.span) == (TRACE, int.from_bytes(fine.span_id))
    assert not any(context_of(headers) for headers in passed.values())
    (dead,) = case.read(case.dead)
    assert dead.headers[0] == HEADER
