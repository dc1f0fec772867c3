"""Every task of the pipeline file has a class, and every class agrees with the schemas."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.pipeline.tasks import AnyTask
from schemas.pipeline.wording import TASKS
from workers.encoder.reading import HeadKind
from workers.tasks.base import Task
from workers.tasks.registry import task_class

NEEDS: dict[str, dict[str, Any]] = {
    "aspect-sentiment": {"aspects": ["a"]},
    "nli": {"hypotheses": ["a"]},
    "zero-shot": {"labels": ["a"]},
    "paraphrase": {"against": "$.a"},
    "similarity": {"against": "$.a"},
    "question-answering": {"questions": ["a"]},
    "custom": {"use": "workers.tasks.pairs:Nli"},
}
HEADS: dict[str, HeadKind] = {
    "sentiment": "sequence",
    "text-classification": "sequence",
    "language": "sequence",
    "aspect-sentiment": "sequence",
    "nli": "sequence",
    "zero-shot": "sequence",
    "paraphrase": "sequence",
    "moderation": "sequence",
    "custom": "sequence",
    "ner": "token",
    "token-classification": "token",
    "pos": "token",
    "pii": "token",
    "question-answering": "span",
    "similarity": "embedding",
    "embedding": "embedding",
    "coreference": "coreference",
}
PAIRED = {"aspect-sentiment", "nli", "zero-shot", "paraphrase", "question-answering", "custom"}


def config(task: str, **more: Any) -> Any:
    return TypeAdapter(AnyTask).validate_python({"name": "t", "task": task, **NEEDS.get(task, {}), **more})


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_class_with_the_head_it_needs(task: str) -> None:
    kind = task_class(config(task, model="m"))
    assert issubclass(kind, Task)
    assert kind.head_kind == HEADS[task]
    assert kind.paired == (task in PAIRED)
    # For question answering the context is cut, which is the second text.
    assert kind.windowed == (1 if task == "question-answering" else 0)


@pytest.mark.parametrize("task", ["language", "pii"])
def test_without_a_model_another_class_needs_none(task: str) -> None:
    assert task_class(config(task)).head_kind is None
    assert task_class(config(task, model="m")).head_kind is not None
