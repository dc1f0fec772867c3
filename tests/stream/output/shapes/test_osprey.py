"""``shape: osprey``: actions as Osprey's consumer decodes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.answers import OspreyAction
from schemas.document import Document
from schemas.errors import EncodeError
from schemas.event import EnrichedEvent
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.output.event_builder import EventBuilder

ANNOTATION = {"flagged": True, "labels": [{"label": "insult", "score": 0.75, "flagged": True}]}
# Osprey's own example of an event (its page "Writing Rules"), in the envelope of its Kafka topic.
FIELDS = {"user_id": "user_1923", "event_type": "create_post", "post": {"text": "hello world"}}
ACTION = {
    "send_time": "2025-08-25T14:30:45.123456789Z",
    "data": {"action_id": 1, "action_name": "create_post", "data": FIELDS},
}


def decoded(value: bytes) -> tuple[int, str, dict[str, Any], datetime]:
    """What ``KafkaInputStream`` of Osprey makes of a value: id, name, data and time of the action."""
    data = json.loads(value)
    action = data["data"]
    assert isinstance(action["data"], dict)
    moment = datetime.fromisoformat(data["send_time"])
    assert moment.tzinfo is not None
    OspreyAction.model_validate(data, strict=True, extra="ignore")
    return int(action["action_id"]), action["action_name"], action["data"], moment


def built(event: bytes | None, action: str | None = None, offset: int = 7, stamp: int = 1_700_000_000_123,
          **output: Any) -> bytes:  # fmt: skip
    pipeline = Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [{"name": "safety", "task": "moderation", "model": "m"}],
        "output": {"topic": "out", "shape": {"osprey": {} if action is None else {"action": action}}, **output},
    })  # fmt: skip
    document = Document(Record(Assignment("in", 0), offset, b"k", b"", None, stamp), "hello world", event)
    document.annotations = {"safety": ANNOTATION}
    value = EventBuilder(pipeline, {"safety": {"model": "m", "revision": "r"}}).build(document)
    assert b"\n" not in value
    return value


def test_an_action_keeps_what_it_is_and_gets_the_enriched_event() -> None:
    action_id, name, data, moment = decoded(built(json.dumps(ACTION).encode()))
    assert (action_id, name) == (1, "create_post")
    assert moment == datetime(2025, 8, 25, 14, 30, 45, 123456, UTC)
    added = data.pop("glossator")
    assert data == FIELDS
    assert added["annotations"] == {"safety": ANNOTATION}
    assert "event" not in added
    EnrichedEvent.model_validate(added)


def test_any_other_event_becomes_an_action_with_the_configured_name() -> None:
    action_id, name, data, moment = decoded(built(json.dumps(FIELDS).encode(), "create_post"))
    assert name == "create_post"
    assert 0 <= action_id < 2**63
    assert moment == datetime(2023, 11, 14, 22, 13, 20, 123000, UTC)
    assert data.pop("glossator")["text"] == "hello world"
    assert data == FIELDS
    again, *_ = decoded(built(json.dumps(FIELDS).encode(), "create_post"))
    other, *_ = decoded(built(json.dumps(FIELDS).encode(), "create_post", offset=8))
    assert action_id == again != other


@pytest.mark.parametrize(
    "event",
    [
        b'{"text":"t"}', b"{}", b"{ }", b'{"send_time":"x"}', b'{"send_time":"x","data":"{}"}',
        b'{"send_time":"x","data":{"action_id":1,"action_name":"a","data":"{}"}}',
        b'{"send_time":"x","data":{"action_name":"a","data":{}}}',
    ],
)  # fmt: skip
def test_what_is_no_action_needs_a_name(event: bytes) -> None:
    with pytest.raises(EncodeError, match=r"not an Osprey action, and output.shape has no name for one"):
        built(event)
    _, name, data, _ = decoded(built(event, "post"))
    assert name == "post"
    assert data.keys() == {*json.loads(event), "glossator"}


def test_the_bytes_of_the_input_stay_and_a_member_of_the_same_name_does_not_count() -> None:
    fields = b'{"n":12345678901234567890123,"n":1.10,"glossator":"mine" }'
    value = built(
        b'{"data": {"data": %b , "action_name":"a","action_id":"9"}, "send_time":"2025-01-01T00:00:00Z"}' % fields
    )
    assert b'"n":12345678901234567890123,"n":1.10,' in value
    action_id, _, data, _ = decoded(value)
    assert action_id == 9
    assert data["glossator"]["id"].startswith("in-0-7-")
    (empty,) = decoded(
        built(b'{"data":{"data":{},"action_name":"a","action_id":1},"send_time":"2025-01-01T00:00:00Z"}')
    )[2:3]
    assert list(empty) == ["glossator"]


def test_without_text_nothing_of_the_event_is_in_the_action() -> None:
    value = built(json.dumps(FIELDS).encode(), "post", text="none")
    assert b"hello" not in value and b"user_1923" not in value
    assert list(decoded(value)[2]) == ["glossator"]
    with pytest.raises(EncodeError, match="not an Osprey action"):
        built(json.dumps(ACTION).encode(), text="none")


def test_a_text_that_is_not_json_is_in_the_enriched_event() -> None:
    data = decoded(built(None, "post"))[2]
    assert data["glossator"]["text"] == "hello world"


def test_a_record_without_a_time_is_sent_now() -> None:
    moment = decoded(built(b"{}", "post", stamp=-1))[3]
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 3600
