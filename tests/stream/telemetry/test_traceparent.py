"""``traceparent`` is read as OpenTelemetry reads it, whatever it contains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context as Parent
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.record import Assignment, Headers, Record
from stream.telemetry.traceparent import Context, context_of, continued, maybe_sampled

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def oracle(header: str) -> tuple[int, int, bool] | None:
    parent = TraceContextTextMapPropagator().extract({"traceparent": header}, Parent())
    context = get_current_span(parent).get_span_context()
    return (context.trace_id, context.span_id, context.trace_flags.sampled) if context.is_valid else None


def hexes(length: int) -> st.SearchStrategy[str]:
    return st.one_of(st.just("0" * length), st.text("0123456789abcdef", min_size=length, max_size=length))


@given(
    st.builds(
        "{}-{}-{}-{}{}".format,
        st.sampled_from(["00", "01", "fe", "ff", "0"]),
        hexes(32),
        hexes(16),
        hexes(2),
        st.sampled_from(["", "-more", "x", "-"]),
    )
)
def test_it_is_read_as_opentelemetry_reads_it(header: str) -> None:
    headers: Headers = [("other", None), ("traceparent", header.encode())]
    context = context_of(headers)
    assert (context and context[:3]) == oracle(header)
    record = Record(Assignment("posts", 0), 0, None, b"x", headers)
    assert bool(maybe_sampled([record])) >= (context is not None and context.sampled)
    if context is not None and not context.sampled:
        assert maybe_sampled([record]) == [], "the quick look is worth something"


@given(st.one_of(st.none(), st.binary(max_size=80), st.text(max_size=80)))
def test_anything_else_is_no_context(value: str | bytes | None) -> None:
    assert context_of([("traceparent", value)]) is None


@pytest.mark.parametrize(
    "header", [GOOD.upper(), f" {GOOD}", f"{GOOD}\n", f"{GOOD}é", GOOD[:-1], GOOD.replace("b7", "g7")]
)
def test_what_is_almost_a_context_is_none(header: str) -> None:
    assert context_of([("traceparent", header.encode())]) is None


def test_the_last_header_counts() -> None:
    other = GOOD.replace("b7ad", "c7ad")
    context = context_of([("traceparent", GOOD.encode()), ("Traceparent", b"x"), ("traceparent", other.encode())])
    assert context is not None
    assert f"{context.span:016x}" == "c7ad6b7169203331"
    assert context_of([("traceparent", GOOD.encode()), ("traceparent", b"x")]) is None
    assert context_of(None) is None


def test_only_the_context_changes_when_it_is_passed_on() -> None:
    headers: Headers = [
        ("a", b"1"),
        ("traceparent", GOOD.encode()),
        ("tracestate", b"a=b"),
        ("a", None),
        ("traceparent", b"x"),
    ]
    context = Context(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, True, GOOD.encode())
    before = list(headers)
    new = continued(headers, context, 0x1234)
    assert headers == before, "other copies of the event may share the list"
    assert new == [
        ("a", b"1"), ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-0000000000001234-01"),
        ("tracestate", b"a=b"), ("a", None), ("traceparent", b"x"),
    ]  # fmt: skip
