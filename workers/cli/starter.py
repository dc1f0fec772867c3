"""The pipeline that runs when no file is given: the three tasks of the starter models, as in examples/starter.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.config import Pipeline


def starter_pipeline(
    bootstrap_servers: str = "localhost:9092",
    name: str = "starter",
    topic: str = "posts",
    more: Iterable[Mapping[str, Any]] = (),
) -> Pipeline:
    """Reads ``topic``; writes ``topic.enriched`` and ``topic.dead``. ``more``: tasks beside the three."""
    return Pipeline.model_validate({
        "pipeline": name,
        "kafka": {"bootstrap.servers": bootstrap_servers},
        "input": {"topics": [topic]},
        "tasks": [
            {"name": "tone", "task": "sentiment", "model": "starter"},
            {"name": "entities", "task": "ner", "model": "starter", "threshold": 0.5},
            {"name": "safety", "task": "moderation", "model": "starter"},
            *more,
        ],
        "output": {"topic": f"{topic}.enriched", "dead_letter": f"{topic}.dead"},
    })  # fmt: skip
