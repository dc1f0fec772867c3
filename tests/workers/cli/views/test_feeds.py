"""What tap reads from a topic may be anything; only enriched events are shown, the rest is counted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from schemas.pipeline.loader import parse
from schemas.record import Assignment, Record
from stream.output.formats.encoders import decoder
from tests.schemas.pipeline.pipelines import GOOD
from workers.cli.filters import Filter
from workers.cli.views.feeds import EventFeed

EVENT: dict[str, Any] = {
    "schema": "glossator.event/1", "id": "in-0-1-0123abcd", "pipeline": {"name": "p", "config": "0123abcd"},
    "source": {"topic": "in", "partition": 0, "offset": 1, "key": "k", "timestamp_ms": 1}, "text": "Ada came",
    "event": {"body": "Ada came"}, "fields": [{"path": "$.body", "start": 0, "end": 8}],
    "annotations": {
        "pii": {"spans": [{"start": 0, "end": 3, "label": "PERSON", "score": 0.5, "text": "Ada"}]},
        "asked": {"answers": [{"question": "Who?", "answer": None, "null_score": 0.5}]},
    },
    "models": {"pii": {"model": "m", "revision": "r"}}, "notices": [],
}  # fmt: skip
RUBBISH: list[Any] = [True, -1, 1.5, "x", [1], [None], {"a": 1}, {"spans": [{"start": -1, "end": 99}]}]
PLACES = [
    ("annotations",), ("annotations", "pii"), ("annotations", "pii", "spans"), ("annotations", "pii", "spans", 0),
    ("annotations", "asked", "answers"), ("fields",), ("fields", 0), ("text",), ("source",), ("pipeline",),
    ("notices",),
]  # fmt: skip


PIPELINE = parse(GOOD, environ={})


def fed(value: Any, form: str, original: bool) -> EventFeed:
    feed = EventFeed(PIPELINE, form, original)
    feed.begin()
    feed.record(Record(Assignment("out", 0), 1, b"k", json.dumps(value).encode()), Filter("", ()))
    feed.end()
    return feed


@pytest.mark.parametrize("form", ["pretty", "json", "displacy", "label-studio", "csv"])
@pytest.mark.parametrize("original", [True, False])
def test_an_event_of_another_shape_is_counted_and_does_not_end_tap(form: str, original: bool) -> None:
    assert fed(EVENT, form, original).shown == 1
    for place in PLACES:
        for rubbish in RUBBISH:
            event = copy.deepcopy(EVENT)
            around = event
            for step in place[:-1]:
                around = around[step]  # type: ignore[index]
            around[place[-1]] = rubbish  # type: ignore[index]
            feed = fed(event, form, original)
            unfit = ["1 records of the topic are not enriched events"]
            assert list(feed.complaints(0)) == ([] if feed.shown else unfit)


def test_fields_of_a_newer_version_do_not_hide_an_event(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert fed(EVENT | {"new": 1}, "json", original=True).shown == 1
    assert json.loads(capfdbinary.readouterr().out)["new"] == 1


@pytest.mark.parametrize("value", [None, [], 5, {"schema": "glossator.event/2"}, {"schema": "glossator.event/1"}])
def test_other_records_are_not_shown(value: Any) -> None:
    assert fed(value, "json", original=True).shown == 0


@pytest.mark.parametrize("original", [True, False])
def test_events_in_another_format_are_shown_as_json(original: bool, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    config = parse(GOOD.replace("output:\n", "output:\n  format: {cloudevents: {mode: structured}}\n"), environ={})
    feed = EventFeed(config, "json", original, decoder(config, None))
    for value in (json.dumps({"specversion": "1.0", "data": EVENT}), json.dumps(EVENT), "{", "\xff"):
        feed.record(Record(Assignment("out", 0), 1, b"k", value.encode("latin-1")), Filter("", ()))
    assert json.loads(capfdbinary.readouterr().out)["id"] == EVENT["id"]
    assert list(feed.complaints(0)) == ["3 records of the topic are not enriched events"]
