"""Which class serves which ``task:`` of the pipeline file."""

from __future__ import annotations

from workers.tasks.base import Task
from workers.tasks.classification import Classification
from workers.tasks.embedding import Embedding
from workers.tasks.moderation import Moderation
from workers.tasks.spans import Spans

_CLASSES: dict[str, type[Task]] = {
    "sentiment": Classification,
    "text-classification": Classification,
    "ner": Spans,
    "token-classification": Spans,
    "moderation": Moderation,
    "embedding": Embedding,
}


def task_class(task: str) -> type[Task]:
    """The class for a task's ``task``, as the pipeline file spells it. Raises KeyError for any other word."""
    return _CLASSES[task]
