"""The producer's settings: how long it keeps an event is nobody's but the user's and the transaction's to say."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.pipeline.config import Pipeline
from stream.kafka import sink


@pytest.mark.parametrize(
    ("own", "more", "expected"),
    [
        ({}, {}, 0),
        ({"message.timeout.ms": 9000}, {}, None),
        ({"delivery.timeout.ms": 9000}, {}, None),
        ({}, {"transactional.id": "posts-0"}, None),
    ],
    ids=["however long brokers are away", "the user's", "the user's, by its other name", "a transaction's"],
)
def test_events_are_kept(
    own: dict[str, Any], more: dict[str, Any], expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline.model_validate({
        "pipeline": "posts", "kafka": {"bootstrap.servers": "localhost:9092", **own}, "input": {"topics": ["in"]},
        "tasks": [{"name": "tone", "task": "sentiment", "model": "starter"}], "output": {"topic": "out"},
    })  # fmt: skip
    asked: dict[str, Any] = {}
    monkeypatch.setattr(sink, "make_producer", lambda settings, watch, **more: asked.update(more))
    sink.Sink(pipeline, lambda _: None, lambda *_: None, **more)  # type: ignore[arg-type]
    assert asked.get("message.timeout.ms") == expected
