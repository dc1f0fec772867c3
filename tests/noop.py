"""A chain without a model: what moves events must be fast and right whatever computes."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from schemas.document import Document
from schemas.pipeline.config import Pipeline
from workers.chain.pace import Pace

TASKS = [{"name": "tone", "task": "sentiment", "model": "none"}]


def pipeline(**settings: Any) -> Pipeline:
    """A small pipeline without a model, with ``settings`` besides."""
    return Pipeline.model_validate(
        {
            "pipeline": "p",
            "kafka": {"bootstrap.servers": "b:1"},
            "input": {"topics": ["posts"]},
            "tasks": TASKS,
            "output": {"topic": "out"},
            **settings,
        }
    )


class NoopChain:
    """Annotates every document alike, after ``delay`` seconds an event."""

    reads_fields = False
    cache = None
    references: ClassVar[dict[str, Any]] = {}
    device = precision = "none"
    stages = plan = ()

    def __init__(self, delay: float = 0.0) -> None:
        self.models = {"tone": {"model": "none", "revision": "0"}}
        self.delay = delay
        self.pace = Pace()

    def prepare(self, documents: list[Document]) -> None:
        for document in documents:
            document.tokens = len(document.text) // 4

    def pack(self, documents: list[Document]) -> list[Document]:
        return documents

    def forward(self, work: list[Document], wait_for: Any = None) -> None:
        if self.delay:
            time.sleep(self.delay * len(work))

    def annotate(self, work: list[Document]) -> None:
        for document in work:
            if document.failure is None:
                document.annotations["tone"] = {"label": "neutral", "score": 1.0, "scores": {"neutral": 1.0}}
