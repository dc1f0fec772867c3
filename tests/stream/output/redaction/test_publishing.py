"""Redacted views through builder and publisher: valid events, keys of routes, tombstones, counters, dead letters."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas.document import Document
from schemas.errors import SettingError
from schemas.event import EnrichedEvent
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Headers, Outbound, Record
from stream.codecs.formats import codec
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.output.redaction.keys import Key, Keys
from stream.output.routes import router
from stream.telemetry.metrics import Exposition
from stream.telemetry.stats import Stats

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parents[4] / "schemas/event.schema.json").read_text())
)
KEYS = Keys(Key(b"0123456789abcdef"))
HASH = {"keys": {"hash": {"env": "KEY"}}}
TEXT = "😂 Mail ada@x.org now"
VALUE = json.dumps({"body": TEXT, "user": {"id": "u-77", "mail": "Ada@x.org"}}, ensure_ascii=False).encode()
SPAN = {"start": 7, "end": 16, "label": "EMAIL_ADDRESS", "score": 1.0, "text": "ada@x.org"}


def pipeline(redact: dict[str, Any] | None = None, text: str | list[str] = "$.body", **output: Any) -> Pipeline:
    return Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["in"], "text": text},
        "tasks": [{"name": "pii", "task": "pii"}, {"name": "tone", "task": "sentiment", "model": "m"}],
        "output": {"topic": "out", "dead_letter": "dead", "text": "redacted", **output},
        "redact": {} if redact is None else redact,
    })  # fmt: skip


def document(
    config: Pipeline, value: bytes | None = VALUE, key: bytes | None = b"u-77", headers: Headers | None = None
) -> Document:
    decoded = codec(config.input, keep_fields=True).decode(Record(Assignment("in", 0), 7, key, value, headers, 5))
    if decoded.failure is None:
        at = decoded.text.index("ada@x.org")
        decoded.annotations["pii"] = {"spans": [{**SPAN, "start": at, "end": at + 9}]}
        decoded.annotations["tone"] = {"label": "calm", "score": 1.0, "scores": {"calm": 1.0}}
        decoded.notices.append({"task": "tone", "kind": "truncated", "kept": at + 9, "of": len(decoded.text)})
    return decoded


def built(config: Pipeline) -> dict[str, Any]:
    line = EventBuilder(config, {}, KEYS).build(document(config))
    event: dict[str, Any] = json.loads(line)
    SCHEMA.validate(event)
    EnrichedEvent.model_validate_json(line)
    return event


def published(config: Pipeline, *documents: Document, stats: Stats | None = None) -> list[Outbound]:
    publisher, routes = Publisher(config, stats or Stats()), router(config.output)
    return publisher.outbounds(MicroBatch(0, list(documents), 0), EventBuilder(config, {}, KEYS), routes)


def test_a_redacted_event_is_what_the_contract_says() -> None:
    event = built(pipeline({"fields": {"$.user.id": "mask"}, "key": "hash", **HASH}))
    text = "😂 Mail <EMAIL_ADDRESS> now"
    assert event["event"] == {"body": text, "user": {"id": "****", "mail": "<EMAIL_ADDRESS>"}}
    assert event["text"] == text
    assert event["redacted"] == {"EMAIL_ADDRESS": 1, "$.user.id": 1, "key": 1}
    assert event["source"]["key"] == hmac.digest(b"0123456789abcdef", b"u-77", "sha256").hex()[:32]
    assert event["annotations"]["pii"]["spans"] == [{**SPAN, "end": 22, "text": "<EMAIL_ADDRESS>"}]
    assert event["notices"] == [{"task": "tone", "kind": "truncated", "kept": 22, "of": 26}]


@pytest.mark.parametrize(
    ("unit", "span", "notice", "original"),
    [("code_point", (7, 22), (22, 26), (7, 16)), ("utf16", (8, 23), (23, 27), (8, 17)),
     ("utf8", (10, 25), (25, 29), (10, 19))],
)  # fmt: skip
def test_offsets_count_the_unit_of_the_output(
    unit: str, span: tuple[int, int], notice: tuple[int, int], original: tuple[int, int]
) -> None:
    event = built(pipeline(offset_unit=unit, original_offsets=True))
    (number,) = event["annotations"]["pii"]["spans"]
    assert (number["start"], number["end"]) == span
    assert (number["original_start"], number["original_end"]) == original
    assert (event["notices"][0]["kept"], event["notices"][0]["of"]) == notice


@pytest.mark.parametrize("text", ["original", "none"])
@pytest.mark.parametrize(("unit", "span"), [("code_point", (7, 16)), ("utf16", (8, 17)), ("utf8", (10, 19))])
def test_the_unit_applies_to_every_view(text: str, unit: str, span: tuple[int, int]) -> None:
    config = pipeline(offset_unit=unit)
    output = config.output.model_copy(update={"text": text})
    event = built(config.model_copy(update={"redact": None, "output": output}))
    (number,) = event["annotations"]["pii"]["spans"]
    assert (number["start"], number["end"]) == span
    assert ("text" in number) is (text == "original")
    assert event["notices"][0]["kept"] == span[1]


def test_several_texts_have_their_places_in_the_redacted_text() -> None:
    config = pipeline(text=["$.user.mail", "$.body"], offset_unit="utf16")
    event = built(config)
    assert event["text"] == "<EMAIL_ADDRESS>\n\n😂 Mail <EMAIL_ADDRESS> now"
    assert event["fields"] == [
        {"path": "$.user.mail", "start": 0, "end": 15}, {"path": "$.body", "start": 17, "end": 44},
    ]  # fmt: skip


def test_the_id_of_a_text_without_a_record_is_that_of_the_redacted_text() -> None:
    config, ids = pipeline(), []
    for mail in ("ada@x.org", "bob@x.org"):
        made = Document(None, f"Mail {mail}")
        made.annotations["pii"] = {"spans": [{**SPAN, "start": 5, "end": 14, "text": mail}]}
        ids.append(json.loads(EventBuilder(config, {}, KEYS).build(made))["id"])
    assert ids[0] == ids[1]


def test_each_route_gets_its_view_and_its_key() -> None:
    routes = [
        {"copy": True, "topic": "review", "text": "original", "key": "$.user.mail"},
        {"copy": True, "topic": "mails", "key": "$.user.mail"},
        {"copy": True, "topic": "ids", "key": "$.user.id", "text": "none", "headers": {"a": "b"}},
    ]
    redact = {"fields": {"$.user.id": {"replace": {"text": "id"}}}, "headers": {"x-user": "remove"}}
    config = pipeline(redact, routes=routes)
    stats = Stats()
    made = document(config, key=b"ada@x.org!", headers=[("x-user", b"77"), ("seen", b"by ADA@X.ORG")])
    original, mails, ids, rest = published(config, made, stats=stats)
    assert (original.topic, original.key) == ("review", b"Ada@x.org")
    assert original.headers == [("x-user", b"77"), ("seen", b"by ADA@X.ORG")]
    assert b"ada@x.org" in (original.value or b"")
    assert (mails.topic, mails.key, mails.headers) == ("mails", b"<EMAIL_ADDRESS>", [("seen", b"by <EMAIL_ADDRESS>")])
    assert (ids.topic, ids.key) == ("ids", b"id")
    assert ids.headers == [("seen", b"by <EMAIL_ADDRESS>"), ("a", b"b")]
    assert (rest.topic, rest.key) == ("out", b"<EMAIL_ADDRESS>!")
    for hidden in (mails, ids, rest):
        assert b"ada@x.org" not in (hidden.value or b"").lower()
    source = json.loads(original.value or b"")["source"]
    assert source["key"] == "ada@x.org!"
    assert json.loads(ids.value or b"")["source"]["key"] == "<EMAIL_ADDRESS>!"
    assert stats.redacted["EMAIL_ADDRESS", "replace"] == 1
    metrics = Exposition(stats, "p", 0).text().decode()
    assert 'glossator_redacted_total{label="EMAIL_ADDRESS",operator="replace",pipeline="p",slot="0"} 1.0' in metrics


def test_a_tombstone_has_the_key_of_the_events_it_deletes() -> None:
    routes = [{"copy": True, "topic": "review", "text": "original"}, {"copy": True, "topic": "both"},
              {"copy": True, "topic": "both", "name": "again", "text": "original"}]  # fmt: skip
    config = pipeline({"key": "hash", "headers": {"x-user": "remove"}, **HASH}, routes=routes)
    (event, *_, rest) = published(config, document(config))
    headers: Headers = [("x-user", b"77"), ("y", b"1")]
    deletes = published(config, document(config, value=None, headers=headers))
    assert event.key == b"u-77"
    assert [(delete.topic, delete.key, delete.headers) for delete in deletes] == [
        ("review", b"u-77", headers), ("both", b"u-77", headers),
        ("out", rest.key, [("y", b"1")]), ("both", rest.key, [("y", b"1")]),
    ]  # fmt: skip
    assert all(delete.value is None and delete.kind == "tombstone" for delete in deletes)
    plain = pipeline({"key": "hash", **HASH})
    (delete,) = published(plain, document(plain, value=None))
    assert delete.key == rest.key


def test_an_event_that_cannot_be_redacted_is_a_dead_letter_and_its_neighbours_pass() -> None:
    config, stats = pipeline(), Stats()
    bad = document(config)
    bad.annotations["pii"]["spans"][0]["start"] = None
    letter, event = published(config, bad, document(config), stats=stats)
    assert (letter.topic, event.topic) == ("dead", "out")
    assert dict(letter.headers)["__glossator.errors.stage"] == b"redact"
    assert stats.failed == {"redact": 1}
    assert stats.redacted.total() == 1


def test_ids_depend_on_the_keys_and_missing_keys_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    config = pipeline({"default": "hash", **HASH})
    other = Keys(Key(b"another key 1234"))
    assert EventBuilder(config, {}, KEYS).config != EventBuilder(config, {}, other).config
    monkeypatch.delenv("KEY", raising=False)
    with pytest.raises(SettingError, match="KEY is not set"):
        EventBuilder(config, {})
    monkeypatch.setenv("KEY", "00" * 16)
    assert EventBuilder(config, {}).redactor is not None


def test_attributes_of_cloud_events_are_made_of_what_is_redacted() -> None:
    route = {"topic": "s", "copy": True, "format": {"cloudevents": {"mode": "structured", "subject": "key"}}}
    config = pipeline(
        {"headers": {"ce_tenant": "remove", "ce_subject": "mask"}, "key": "hash", **HASH}, format="cloudevents",
        routes=[route],
    )  # fmt: skip
    headers: Headers = [
        ("ce_specversion", b"1.0"), ("ce_id", b"ada@x.org/1"), ("ce_subject", b"u-77"), ("ce_tenant", b"acme"),
        ("ce_sender", b"ADA@X.ORG"), ("ce_source", b"/a"), ("ce_type", b"a"),
    ]  # fmt: skip
    structured, binary = published(config, document(config, headers=headers))
    key = hmac.digest(b"0123456789abcdef", b"u-77", "sha256").hex()[:32]
    attributes = dict(binary.headers)
    assert attributes["ce_subject"] == b"****"
    assert attributes["ce_sender"] == b"<EMAIL_ADDRESS>"
    assert attributes["ce_causationid"] == b"<EMAIL_ADDRESS>/1"
    envelope = json.loads(structured.value or b"")
    assert (envelope["subject"], envelope["sender"], "tenant" in envelope) == (key, "<EMAIL_ADDRESS>", False)
    for outbound in (structured, binary):
        everything = f"{outbound.key!r}{outbound.value!r}{outbound.headers}".lower()
        assert not any(secret in everything for secret in ("ada@x.org", "acme"))


def test_a_row_before_the_change_is_redacted_although_no_task_reads_it() -> None:
    config = pipeline({"fields": {"$.after.name": "mask", "$['after'].tags[*]": "mask"}}, "$.after.body")
    source = {"topics": ["in"], "text": "$.after.body", "format": "debezium"}
    config = Pipeline.model_validate(config.model_dump(by_alias=True, exclude_none=True) | {"input": source})
    row = {"body": "Old secret", "name": "Bob", "tags": ["t"], "mail": "ada@x.org", "id": 1}
    after = {**row, "body": TEXT, "name": "Bobby"}
    value = json.dumps({"before": row, "after": after, "op": "u", "source": {"table": "t"}}).encode()
    event = json.loads(EventBuilder(config, {}, KEYS).build(document(config, value)))
    rest = {"tags": ["*"], "mail": "<EMAIL_ADDRESS>", "id": 1}
    assert event["event"]["before"] == {"body": None, "name": "***", **rest}
    assert event["event"]["after"] == {"body": "😂 Mail <EMAIL_ADDRESS> now", "name": "*****", **rest}
    assert event["redacted"]["$.before.body"] == event["redacted"]["$.before.name"] == 1
    insert = json.dumps({"before": None, "after": after, "op": "c"}).encode()
    assert json.loads(EventBuilder(config, {}, KEYS).build(document(config, insert)))["event"]["before"] is None


@pytest.mark.parametrize("path", ["$..*", ["$.after.body", "$.after.mail"], "$.after[*]"], ids=str)
def test_no_text_before_the_change_is_published_whatever_the_paths_are(path: str | list[str]) -> None:
    source = {"topics": ["in"], "text": path, "format": "debezium"}
    config = Pipeline.model_validate(pipeline().model_dump(by_alias=True, exclude_none=True) | {"input": source})
    rows = {"before": {"body": "Mail ada@x.org then", "mail": "ada@x.org"}, "after": {"body": TEXT, "mail": "m"}}
    event = json.loads(EventBuilder(config, {}, KEYS).build(document(config, json.dumps({**rows, "op": "u"}).encode())))
    assert "ada@x.org" not in json.dumps(event)
    if path != "$..*":
        assert event["event"]["before"] == {"body": None, "mail": None}
