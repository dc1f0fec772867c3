"""CloudEvents, Kafka Connect's JSON and Debezium's change events: what is in them, and what is wrong with others."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from schemas.pipeline.config import Input
from schemas.record import Assignment, Headers, Record
from stream.codecs.debezium import UNAVAILABLE
from stream.codecs.formats import codec
from stream.codecs.json import MAX_DEPTH
from tests.thoroughness import examples

DATA = b'{"text":"hello","long":12345678901234567890.125,"a":1,"a":2}'
BINARY: Headers = [
    ("ce_specversion", b"1.0"), ("ce_id", b"7"), ("ce_source", b"/shop"), ("ce_type", b"review"), ("h", b"1"),
    ("h", b"2"),
]  # fmt: skip
STRUCTURED: Headers = [("h", b"1"), ("Content-Type", b"Application/CloudEvents+JSON; charset=UTF-8"), ("h", b"2")]
ENVELOPE = {"specversion": "1.0", "id": "7", "source": "/shop", "type": "review"}


def decoded(value: bytes | None, form: str, headers: Headers | None = None, **source: Any) -> Document:
    config = Input.model_validate({"topics": ["in"], "format": form, **source})
    return codec(config, keep_fields=True).decode(Record(Assignment("in", 0), 3, b"k", value, headers, 5))


def failure(document: Document) -> str:
    assert document.failure is not None
    assert document.failure.stage == "decode"
    assert not document.text
    return document.failure.message


def envelope(data: bytes = DATA, **attributes: Any) -> bytes:
    return json.dumps(ENVELOPE | attributes)[:-1].encode() + b', "data": ' + data + b"}"


# CloudEvents


def test_the_event_is_the_data_in_both_modes_with_its_own_bytes() -> None:
    binary = decoded(DATA, "cloudevents", BINARY)
    structured = decoded(envelope(), "cloudevents", STRUCTURED)
    assert (binary.text, structured.text) == ("hello", "hello")
    assert binary.event == structured.event == DATA
    assert binary.fields == structured.fields == {"text": "hello", "long": 12345678901234567890.125, "a": 2}


def test_attributes_are_headers_in_both_modes() -> None:
    extended = envelope(subject="ü", flag=True, n=5, absent=None, datacontenttype="application/vnd.x+json")
    record = decoded(extended, "cloudevents", STRUCTURED).record
    assert record is not None
    assert record.headers == [
        ("h", b"1"), ("h", b"2"), ("ce_specversion", b"1.0"), ("ce_id", b"7"), ("ce_source", b"/shop"),
        ("ce_type", b"review"), ("ce_subject", "ü".encode()), ("ce_flag", b"true"), ("ce_n", b"5"),
        ("content-type", b"application/vnd.x+json"),
    ]  # fmt: skip
    assert record.consumed_headers == STRUCTURED, "a dead letter has the headers of the input"
    record = decoded(DATA, "cloudevents", BINARY).record
    assert record is not None
    assert record.headers == record.consumed_headers == BINARY


def test_a_record_can_be_decoded_again() -> None:
    config = Input.model_validate({"topics": ["in"], "format": "cloudevents"})
    record = Record(Assignment("in", 0), 3, b"k", envelope(), STRUCTURED, 5)
    first, second = (codec(config).decode(record) for _ in range(2))
    assert (first.event, second.event) == (DATA, DATA)
    assert record.consumed_headers == STRUCTURED


def test_the_envelope_counts_and_not_headers_beside_it() -> None:
    document = decoded(envelope(), "cloudevents", [*STRUCTURED, ("ce_id", b"another"), ("ce_specversion", b"0.3")])
    assert document.record is not None
    assert [value for name, value in document.record.headers or () if name == "ce_id"] == [b"7"]


def test_an_envelope_without_a_content_type_is_recognised() -> None:
    assert decoded(b"\xef\xbb\xbf" + envelope(), "cloudevents").event == DATA


def test_data_may_be_base64() -> None:
    value = json.dumps({**ENVELOPE, "data_base64": base64.b64encode(DATA).decode()}).encode()
    assert decoded(value, "cloudevents", STRUCTURED).event == DATA


def test_values_of_the_data_that_json_cannot_represent_are_replaced() -> None:
    document = decoded(envelope(b'{"text":"x","n":NaN}', also=1), "cloudevents", STRUCTURED)
    assert document.event == b'{"text":"x","n":null}'
    assert document.replaced is not None
    assert document.replaced.paths == ["$.n"]


@pytest.mark.parametrize("structured", [False, True])
@given(
    data=st.dictionaries(st.text(max_size=4), st.text(max_size=4) | st.integers(-(2**53), 2**53), max_size=3),
    text=st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: not text.isspace()),
    extension=st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=9),
)
def test_we_read_what_the_sdk_writes(data: dict[str, Any], text: str, extension: str, structured: bool) -> None:
    attributes = {
        "id": "7", "source": "/shop", "type": "review", "datacontenttype": "application/json", "ext1": extension,
        "time": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), "subject": extension,
    }  # fmt: skip
    event = CloudEvent(attributes=attributes, data={**data, "text": text})
    message = (to_structured_event if structured else to_binary_event)(event)
    value = message.value if isinstance(message.value, bytes) else message.value.encode()
    document = decoded(value, "cloudevents", list(message.headers.items()))
    assert document.failure is None
    assert document.text == text
    assert document.fields == {**data, "text": text}
    assert document.record is not None
    headers = dict(document.record.headers or ())
    assert (headers["ce_ext1"], headers["ce_subject"]) == (extension.encode(), extension.encode())
    assert headers["ce_time"] == b"2020-01-02T03:04:05Z"


PLAIN: Headers = [*BINARY, ("content-type", b"Text/Plain; charset=UTF-8")]
SAID = 'it\'s "n\u00efce"\n\u2028 \U0001f642'
SAID_64 = base64.b64encode(SAID.encode()).decode()


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (SAID.encode(), PLAIN),
        (SAID.encode(), [*BINARY, ("content-type", b"text/plain")]),
        (SAID.encode("utf-16"), [*BINARY, ("content-type", b'text/plain; format=flowed;charset="utf-16"')]),
        (envelope(json.dumps(SAID).encode(), datacontenttype="text/plain"), STRUCTURED),
        (envelope(json.dumps(SAID, ensure_ascii=False).encode(), datacontenttype="text/plain;charset=x"), STRUCTURED),
        (json.dumps({**ENVELOPE, "datacontenttype": "text/plain", "data_base64": SAID_64}).encode(), STRUCTURED),
    ],
    ids=["binary", "no charset", "utf-16", "structured", "raw", "base64"],
)
@pytest.mark.parametrize("path", ["$.text", "$['text']", "$..*", "$[*]", ["$.body", "$.text"]])
def test_plain_text_is_the_text_of_an_object(value: bytes, headers: Headers, path: str | list[str]) -> None:
    document = decoded(value, "cloudevents", headers, text=path)
    assert document.failure is None
    assert document.text == SAID
    assert json.loads(document.event or b"") == document.fields == {"text": SAID}
    assert document.record is not None
    kinds = [content for name, content in document.record.headers or () if name.lower() == "content-type"]
    assert kinds == [b"application/json"], "what is published is JSON"
    assert ("ce_id", b"7") in (document.record.headers or [])
    assert document.record.consumed_headers == headers, "a dead letter has the headers of the input"


@pytest.mark.parametrize("structured", [False, True])
@given(text=st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: not text.isspace()))
def test_we_read_plain_text_that_the_sdk_writes(text: str, structured: bool) -> None:
    attributes = {"id": "7", "source": "/shop", "type": "review", "datacontenttype": "text/plain"}
    message = (to_structured_event if structured else to_binary_event)(CloudEvent(attributes=attributes, data=text))
    value = message.value if isinstance(message.value, bytes) else message.value.encode()
    document = decoded(value, "cloudevents", list(message.headers.items()))
    assert (document.failure, document.text) == (None, text)


def test_a_path_that_plain_text_does_not_have_is_told() -> None:
    message = failure(decoded(b"x", "cloudevents", PLAIN, text=["$.a", "$.text.b"]))
    assert message == "there is no text at $.a, $.text.b: the data of the CloudEvent are plain text, at $.text"


def test_plain_text_counts_as_the_json_that_it_becomes() -> None:
    value, size = b"\1" * 50, len(b'{"text":""}') + 50 * len(r"\u0001")
    assert decoded(value, "cloudevents", PLAIN, max_bytes=size).failure is None
    message = failure(decoded(value, "cloudevents", PLAIN, max_bytes=size - 1))
    assert message == f"as JSON the value has {size} bytes, input.max_bytes is {size - 1}"


MANY = envelope(DATA, **{f"a{n}": "x" for n in range(300)})
NO_ID = {name: value for name, value in ENVELOPE.items() if name not in {"id", "source"}}


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (b'{"text":"x"}', None, "the record is not a CloudEvent: neither its headers nor its value have a specversion"),
        (b"[1]", None, "the value is neither a structured CloudEvent nor a binary one (no header ce_specversion)"),
        (b"{", STRUCTURED, "the value is neither a structured CloudEvent nor a binary one"),
        (b"\xff", STRUCTURED, "the value is not UTF-8: bad byte at position 0"),
        (b"[" * 200_000, STRUCTURED, "the value is neither"),
        (b'{"data":' + b"[" * 200_000, STRUCTURED, "the value is nested too deeply"),
        (envelope(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), STRUCTURED, "the data of the CloudEvent is an array"),
        (json.dumps(ENVELOPE).encode(), STRUCTURED, "the CloudEvent has no data"),
        (json.dumps(ENVELOPE | {"data_base64": "?"}).encode(), STRUCTURED, "data_base64 of the CloudEvent is not base"),
        (json.dumps(ENVELOPE | {"data_base64": "ü"}).encode(), STRUCTURED, "data_base64 of the CloudEvent is not base"),
        (json.dumps(ENVELOPE | {"data_base64": 5}).encode(), STRUCTURED, "the CloudEvent has no data"),
        (envelope(b'"text"'), STRUCTURED, "the data of the CloudEvent is a string, not a JSON object"),
        (envelope(b"{}"), STRUCTURED, "there is no text at $.text"),
        (json.dumps(NO_ID | {"data": {}}).encode(), STRUCTURED, "the CloudEvent has no id, no source"),
        (envelope(specversion="0.3"), STRUCTURED, "the specversion of the CloudEvent is not 1.0"),
        (envelope(specversion=None), STRUCTURED, "the specversion of the CloudEvent is not 1.0"),
        (envelope(a={}), STRUCTURED, "an attribute of the CloudEvent is an object or an array, or its name is not"),
        (envelope(A="x"), STRUCTURED, "an attribute of the CloudEvent is an object or an array, or its name is not"),
        (envelope(a="\ud800"), STRUCTURED, "an attribute of the CloudEvent contains half a surrogate pair"),
        (MANY, STRUCTURED, "the CloudEvent has more than 256 attributes"),
        (envelope(datacontenttype="text/xml"), STRUCTURED, "the data of the CloudEvent are neither JSON nor"),
        (DATA, [*BINARY, ("content-type", b"text/html")], "the data of the CloudEvent are neither JSON nor plain text"),
        (envelope(datacontenttype="text/plain"), STRUCTURED, "the data of the CloudEvent are not a string, but"),
        (envelope(b'"\\ud800"', datacontenttype="text/plain"), STRUCTURED, "the value at $.text is or contains what"),
        (b"\xff", PLAIN, "the data of the CloudEvent are not utf-8: bad byte at position 0"),
        (b" ", PLAIN, "the text is only white space"),
        (b"x", [*BINARY, ("content-type", b"text/plain;charset=ebcdic")], "the charset of the CloudEvent's text is"),
        (b"\0", [*BINARY, ("content-type", b"text/plain; charset=UTF-16")], "the data of the CloudEvent are not utf-1"),
        (DATA, BINARY[:2], "the CloudEvent has no source, no type"),
        (DATA, [("ce_specversion", b"\xff")], "the specversion of the CloudEvent is not 1.0"),
        (DATA, [("content-type", b"application/cloudevents-batch+json")], "the value is a batch, which cannot be read"),
        (DATA, [("content-type", b"application/cloudevents+avro")], "the value is a structured CloudEvent that is not"),
        (None, BINARY, "the value is null (a tombstone)"),
    ],
    ids=[
        "plain", "array", "cut", "bytes", "brackets", "deep", "deep data", "no data", "base64", "base64 ü", "number",
        "string", "no text", "no id", "version", "no version", "object", "capital", "surrogate", "many", "xml",
        "html", "no string", "half a pair", "no UTF-8", "blank", "charset", "UTF-16", "no source", "binary version",
        "batch", "avro", "tombstone",
    ],
)  # fmt: skip
def test_what_is_no_cloud_event_fails_with_the_reason(value: bytes, headers: Headers | None, reason: str) -> None:
    assert failure(decoded(value, "cloudevents", headers)).startswith(reason)


# Kafka Connect

SCHEMA = {"type": "struct", "fields": [{"type": "string", "optional": False, "field": "text"}], "optional": False}


@pytest.mark.parametrize("schema", [SCHEMA, None], ids=["schema", "null"])
@pytest.mark.parametrize("first", [False, True])
def test_the_event_is_the_payload_with_its_own_bytes(schema: Any, first: bool) -> None:
    parts = [b'"schema": ' + json.dumps(schema).encode(), b'"payload": ' + DATA]
    value = b"{" + b",\n".join(parts if first else parts[::-1]) + b"}"
    document = decoded(value, "connect", [("h", b"1")])
    assert (document.text, document.event) == ("hello", DATA)
    assert document.record is not None
    assert document.record.headers == [("h", b"1")]


@pytest.mark.parametrize("value", [DATA, b'{"text":"hello","schema":1,"payload":2}', b'{"text":"hello","payload":{}}'])
def test_a_value_without_an_envelope_is_the_payload(value: bytes) -> None:
    assert decoded(value, "connect").event == value


def test_a_payload_that_is_null_is_a_delete() -> None:
    document = decoded(b'{"schema":{"type":"struct"},"payload":null}', "connect")
    assert document.deletes
    assert failure(document) == "the event is a delete, and has no text"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"schema":{},"payload":"text"}', "the payload is a string, not a JSON object"),
        (b'{"schema":{},"payload":{"text":"x"}', "the value is not JSON"),
        (b'{"schema":{},"payload":{}}', "there is no text at $.text"),
    ],
    ids=["string", "cut", "empty"],
)
def test_what_is_no_payload_fails_with_the_reason(value: bytes, reason: str) -> None:
    assert failure(decoded(value, "connect")).startswith(reason)


# Debezium


def change(op: Any, before: Any = None, after: Any = None, **more: Any) -> bytes:
    return json.dumps({"before": before, "after": after, "source": {"table": "reviews"}, "op": op, **more}).encode()


def enveloped(payload: bytes) -> bytes:
    return b'{"schema":{"type":"struct"},"payload":' + payload + b"}"


@pytest.mark.parametrize("wrap", [enveloped, bytes], ids=["schema", "plain"])
@pytest.mark.parametrize("op", ["c", "r", "u"])
def test_the_text_of_a_change_is_in_the_row_after_it(op: str, wrap: Any) -> None:
    value = change(op, {"id": 1, "text": "old"}, {"id": 1, "text": "new"}, ts_ms=5)
    document = decoded(wrap(value), "debezium", text="$.after.text")
    assert (document.text, document.event) == ("new", value)
    assert document.fields["source"]["table"] == "reviews"


@pytest.mark.parametrize("wrap", [enveloped, bytes], ids=["schema", "plain"])
def test_a_deleted_row_is_a_delete(wrap: Any) -> None:
    document = decoded(wrap(change("d", {"id": 1, "text": "old"})), "debezium", text="$.after.text")
    assert document.deletes
    assert failure(document) == "the event is a delete, and has no text"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (change("t"), "the event is a truncate, which has no row and no key"),
        (change("m", message={}), "the event is a message of the database's log, which has no row"),
        (change("u", {"text": "old"}), "there is no text at $.after.text"),
        (change("u", {"text": "old"}, {"text": None}), "the text at $.after.text is null, not a string"),
        (change("u", None, {"text": UNAVAILABLE}), "the database has not told Debezium the text, which an update has"),
        (change(["c"], None, {"text": "x"}), "the value is not a Debezium change event: its op is not one of c, r, u"),
        (change({}, None, {"text": "x"}), "the value is not a Debezium change event"),
        (b'{"text":"flat","__op":"u"}', "the value is not a Debezium change event: its op is not one of c, r, u, d; "
         "events of ExtractNewRecordState are for input.format: json, or connect"),
    ],
    ids=["truncate", "message", "no row", "null", "unavailable", "list", "object", "flat"],
)  # fmt: skip
def test_other_changes_fail_with_the_reason(value: bytes, reason: str) -> None:
    document = decoded(value, "debezium", text="$.after.text")
    assert failure(document).startswith(reason)
    assert not document.deletes


def test_one_of_several_texts_that_is_unavailable_fails_the_event() -> None:
    value = change("u", None, {"title": "t", "body": UNAVAILABLE})
    document = decoded(value, "debezium", text=["$.after.title", "$.after.body"])
    assert failure(document).startswith("the database has not told Debezium the text")
    value = change("u", None, {"title": f"about {UNAVAILABLE}", "body": "b"})
    assert decoded(value, "debezium", text=["$.after.title", "$.after.body"]).failure is None


def test_flattened_events_are_plain_json() -> None:
    flat = b'{"text":"flat","__op":"u","__deleted":"false"}'
    assert decoded(flat, "json").text == decoded(flat, "connect").text == decoded(enveloped(flat), "connect").text


# All of them


@pytest.mark.parametrize(
    ("value", "form"),
    [(envelope(), "cloudevents"), (enveloped(DATA), "connect"), (change("c", None, {"text": "x"}), "debezium")],
    ids=["cloudevents", "connect", "debezium"],
)
def test_plain_json_says_which_format_is_missing(value: bytes, form: str) -> None:
    message = failure(decoded(value, "json"))
    assert message == f"there is no text at $.text; it looks like an event for input.format: {form}"


GOOD = [
    ("cloudevents", DATA, BINARY, "$.text"),
    ("cloudevents", envelope(subject="ü", n=5), STRUCTURED, "$.text"),
    ("cloudevents", SAID.encode(), PLAIN, "$.text"),
    ("cloudevents", envelope(json.dumps(SAID).encode(), datacontenttype="text/plain"), STRUCTURED, "$.text"),
    ("connect", enveloped(DATA), None, "$.text"),
    ("debezium", enveloped(change("u", {"text": "old"}, {"text": "new"})), None, "$.after.text"),
]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes, Headers | None, str]:
    form, value, headers, path = draw(st.sampled_from(GOOD))
    changed = bytearray(value)
    for _ in range(draw(st.integers(1, 4))):
        at, kind = draw(st.integers(0, len(changed))), draw(st.sampled_from(["change", "cut", "insert", "copy"]))
        if kind == "change" and at < len(changed):
            changed[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del changed[at : at + draw(st.integers(1, 12))]
        elif kind == "insert":
            changed[at:at] = draw(st.sampled_from([b"null", b"{", b"[", b'"', b"\\ud800", b"NaN", b",", b"1e999"]))
        elif kind == "copy":
            changed[at:at] = changed[draw(st.integers(0, len(changed))) :][:20]
    if headers is not None and draw(st.booleans()):
        name, _ = headers[index := draw(st.integers(0, len(headers) - 1))]
        headers = [*headers[:index], (name, draw(st.none() | st.binary(max_size=4))), *headers[index + 1 :]]
    return form, bytes(changed), headers, path


@settings(max_examples=examples(400))
@given(mutated())
def test_mutated_messages_become_documents_or_failures(message: tuple[str, bytes, Headers | None, str]) -> None:
    form, value, headers, path = message
    document = decoded(value, form, headers, text=path)
    assert (document.failure is None) == bool(document.text)
    if document.failure is None:
        assert isinstance(json.loads(document.event or b""), dict)
    assert document.record is not None
    assert document.record.consumed_headers == headers or (headers is None and not document.record.consumed_headers)
