"""The topic of disagreements gets events, whatever shape the output has."""

from __future__ import annotations

import json

from schemas.document import Document
from schemas.pipeline.config import Pipeline
from stream.output.event_builder import EventBuilder


def test_disagreements_are_events() -> None:
    moderation = {"task": "moderation", "model": "m", "taxonomy": "perspective"}
    pipeline = Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [{"name": "safety", **moderation}, {"name": "next", "shadow": "safety", **moderation}],
        "output": {"topic": "out", "shape": "perspective", "disagreements": "differ"},
    })  # fmt: skip
    document = Document(None, "text", b"{}")
    document.annotations["safety"] = {"flagged": False, "labels": [{"label": "THREAT", "score": 0.5, "flagged": False}]}
    builder = EventBuilder(pipeline, {})
    assert "attributeScores" in json.loads(builder.build(document))
    event = json.loads(builder.build(document, disagreeing={}))
    assert event["annotations"] == document.annotations
