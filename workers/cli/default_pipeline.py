"""The pipeline that is used without a file: the tasks of examples/starter.yaml, with the starter models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

from schemas.pipeline.config import Pipeline

_BY_MODULE: dict[str, dict[str, Any]] = {
    "phonenumbers": {"name": "private", "task": "pii", "model": "starter"},
    "py3langid": {"name": "tongue", "task": "language"},
}
"""Tasks that need an optional dependency, by the module to look for."""


def starter_pipeline(
    bootstrap_servers: str = "localhost:9092",
    name: str = "starter",
    topic: str = "posts",
    more: Iterable[Mapping[str, Any]] = (),
) -> Pipeline:
    """Return a pipeline from ``topic`` to ``topic.enriched`` and ``topic.dead``; ``more`` are additional tasks."""
    return Pipeline.model_validate({
        "pipeline": name,
        "kafka": {"bootstrap.servers": bootstrap_servers},
        "input": {"topics": [topic]},
        "tasks": [
            {"name": "tone", "task": "sentiment", "model": "starter"},
            {"name": "entities", "task": "ner", "model": "starter", "threshold": 0.5},
            {"name": "safety", "task": "moderation", "model": "starter"},
            {"name": "mentions", "task": "coreference", "model": "starter"},
            *more,
        ],
        "output": {"topic": f"{topic}.enriched", "dead_letter": f"{topic}.dead"},
    })  # fmt: skip


def installed() -> list[dict[str, Any]]:
    """Return the tasks ``private`` and ``tongue``, each only if the optional dependency that it needs is installed."""
    return [task for module, task in _BY_MODULE.items() if find_spec(module) is not None]
