"""What becomes of records without Kafka, as ``glossator test`` sees it."""

from __future__ import annotations

import json
from typing import Any, cast

from schemas.document import Document
from schemas.record import Assignment, Record
from tests import noop
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
