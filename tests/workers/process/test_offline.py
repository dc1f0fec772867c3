"""What becomes of records without Kafka, as ``glossator test`` sees it."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from schemas.document import Document
from schemas.pipeline.cases import Case
from schemas.record import Assignment, Record
from tests import noop
from workers.cli.testing.inputs import record_of
from workers.process.offline import Offline


class _Chain(noop.NoopChain):
    def run(self, documents: list[Document]) -> None:
        self.annotate(documents)


def test_events_are_json_whatever_their_format_is() -> None:
    structured = {"cloudevents": {"mode": "structured"}}
    settings = noop.pipeline(output={"topic": "out", "format": structured, "routes": [{"topic": "a", "copy": True}]})
    record = Record(Assignment("posts", 0), 0, b"k", b'{"text":"hello"}')
    (processed,) = Offline(settings, cast("Any", _Chain())).process([record])
    events = [json.loads(outbound.value or b"") for outbound in processed.outbounds]
    assert [event["text"] for event in events] == ["hello", "hello"]
    assert [dict(outbound.headers)["content-type"] for outbound in processed.outbounds] == 2 * [
        b"application/cloudevents+json; charset=UTF-8"
    ]


@pytest.mark.parametrize(
    ("form", "path"), [("cloudevents", "$.text"), ("connect", "$.text"), ("debezium", "$.after.text")]
)
@pytest.mark.parametrize("given", [{"text": "hello"}, {"event": None}], ids=["text", "event"])
def test_a_case_gives_the_event_without_its_envelope(form: str, path: str, given: dict[str, Any]) -> None:
    settings = noop.pipeline(input={"topics": ["posts"], "format": form, "text": path})
    if "event" in given:
        given = {"event": {"after": {"text": "hello"}} if form == "debezium" else {"text": "hello"}}
    record = record_of(Case.model_validate({"name": "a", **given, "expect": {"routes": []}}), settings.input, 1)
    (processed,) = Offline(settings, cast("Any", _Chain())).process([record])
    assert processed.document.failure is None
    assert processed.document.text == "hello"
