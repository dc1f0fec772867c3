"""Enriched events as CloudEvents; the SDK of the CloudEvents project reads what we write."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import EncodeError
from schemas.pipeline.formats import CloudEvents
from schemas.record import Assignment, Headers, Record
from stream.output.formats.cloudevents import CloudEventsEncoder

VALUE = b'{"schema":"glossator.event/1","event":{"long":12345678901234567890.125,"a":1,"a":2},"text":"\\u00fc"}'
INPUT: Headers = [
    ("ce_specversion", b"1.0"), ("ce_id", b"in-1"), ("ce_source", b"/shop"), ("ce_type", b"com.shop.review"),
    ("ce_subject", b"review/7"), ("ce_time", b"2020-01-01T00:00:00Z"), ("ce_correlationid", b"c-9"),
    ("Content-Type", b"text/json"), ("h", b"1"), ("h", b"2"), ("n", None),
]  # fmt: skip
CORRELATED = {"causationid": "in-1", "correlationid": "c-9", "subject": "review/7"}


def encoder(**options: Any) -> CloudEventsEncoder:
    return CloudEventsEncoder(CloudEvents.model_validate(options), "moods", "c0ffee00")


def encode(headers: Headers, key: bytes | None = b"k", at: int = 1_600_000_000_123, **options: Any) -> Any:
    record = Record(Assignment("posts", 3), 42, b"secret key", b"secret value", [("ce_subject", b"secret")], at)
    return encoder(**options).encode(VALUE, key, headers, record)


def read_by_the_sdk(value: bytes, headers: Headers) -> Any:
    """Return the event that the SDK reads; headers without a value are none for it."""
    given = {name: content if isinstance(content, bytes) else (content or "").encode() for name, content in headers}
    return from_kafka_event(KafkaMessage(headers=given, key=None, value=value))


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_the_sdk_reads_what_we_write(mode: str) -> None:
    value, headers = encode([("h", b"1")], mode=mode)
    event = read_by_the_sdk(value, headers)
    assert event.get_attributes() == {
        "specversion": "1.0", "id": "posts-3-42-c0ffee00", "source": "/glossator/moods", "type": "glossator.event/1",
        "time": datetime(2020, 9, 13, 12, 26, 40, 123_000, UTC), "datacontenttype": "application/json",
    }  # fmt: skip
    assert event.get_data() == json.loads(VALUE)


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_an_input_that_is_a_cloud_event_stays_connected(mode: str) -> None:
    value, headers = encode(INPUT, mode=mode)
    event = read_by_the_sdk(value, headers)
    assert CORRELATED.items() <= event.get_attributes().items()
    assert (event.get_id(), event.get_source()) == ("posts-3-42-c0ffee00", "/glossator/moods")
    assert event.get_time() == datetime(2020, 9, 13, 12, 26, 40, 123_000, UTC)
    assert [header for header in headers if header[0] in "hn"] == [("h", b"1"), ("h", b"2"), ("n", None)]
    assert sum(name.lower() == "content-type" for name, _ in headers) == 1
    assert len({name for name, _ in headers if name.startswith("ce_")}) == (0 if mode == "structured" else 8)
    assert "secret" not in f"{value!r}{headers}", "only what redaction has made of the record is published"


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_the_event_is_embedded_as_it_is(mode: str) -> None:
    value, _ = encode(INPUT, mode=mode)
    assert VALUE in value
    assert encoder(mode=mode).decode(value) == VALUE


def test_attributes_can_be_chosen() -> None:
    options: dict[str, Any] = {
        "source": "https://x.org/nlp",
        "type": "org.x.mood",
        "subject": "key",
        "dataschema": "https://x.org/s",
    }
    attributes = dict(encode(INPUT, b"user/\xc3\xbc", **options)[1])
    assert attributes["ce_source"] == b"https://x.org/nlp"
    assert attributes["ce_type"] == b"org.x.mood"
    assert attributes["ce_subject"] == b"user/\xc3\xbc"
    assert attributes["ce_dataschema"] == b"https://x.org/s"


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"a\nb"], ids=["none", "empty", "bytes", "control"])
def test_a_key_that_is_no_attribute_is_no_subject(key: bytes | None) -> None:
    assert "ce_subject" not in dict(encode([], key, subject="key")[1])


@pytest.mark.parametrize(("at", "time"), [(-1, b"2020-01-01T00:00:00Z"), (0, b"1970-01-01T00:00:00.000Z"),
                                          (10**15, b"2020-01-01T00:00:00Z")])  # fmt: skip
def test_the_time_is_that_of_the_record_if_it_has_one(at: int, time: bytes) -> None:
    assert dict(encode(INPUT, at=at)[1])["ce_time"] == time


@pytest.mark.parametrize("header", [("ce_a-b", b"x"), ("ce_data", b"x"), ("ce_a", b"\xff"), ("ce_a", None)], ids=repr)
def test_what_a_structured_event_cannot_have_is_not_left_out_silently(header: tuple[str, bytes | None]) -> None:
    assert header in encode([header])[1]
    with pytest.raises(EncodeError, match="a header ce_"):
        encode([header], mode="structured")


@given(
    st.lists(st.tuples(st.text("abc_-ceid", max_size=8) | st.sampled_from(["ce_id", "ce_x1", "h"]),
                       st.none() | st.binary(max_size=8)), max_size=8),
    st.none() | st.binary(max_size=8), st.integers(-1, 2**63), st.booleans(),
)  # fmt: skip
def test_any_headers_key_and_timestamp_make_an_event_or_a_dead_letter(
    headers: Headers, key: bytes | None, at: int, structured: bool
) -> None:
    mode = "structured" if structured else "binary"
    try:
        value, written = encode(headers, key, at, mode=mode, subject="key")
    except EncodeError:
        assert structured
        return
    assert encoder(mode=mode).decode(value) == VALUE
    others = [header for header in headers if not header[0].startswith("ce_") and header[0].lower() != "content-type"]
    assert [header for header in written if header in others] == others
    assert read_by_the_sdk(value, [(n, v) for n, v in written if n == "content-type" or n in (
        "ce_specversion", "ce_id", "ce_source", "ce_type")]).get_id() == "posts-3-42-c0ffee00"  # fmt: skip
