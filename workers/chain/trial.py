"""Tries the tasks of a loaded chain on a plain sentence, before there are events.

``tasks`` and ``stages`` are those of a ``Plan``, or of the chain made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from schemas.document import Document, Failure
from schemas.errors import ModelError
from schemas.pipeline.tasks import LanguageTask
from workers.chain.placement import Planned
from workers.chain.plan import Failures
from workers.chain.stage import Stage
from workers.encoder.reading import Reading

_SENTENCE = "A first sentence, so that the first event need not wait."
"""What every task can read; it belongs to no event."""


def check(tasks: Sequence[Planned], stages: Sequence[Stage], every: bool = False) -> None:
    """Run every task on a plain sentence: what fails on that would fail on every event.

    Raises ModelError naming the task, with ``every`` all that failed, and DeviceError.
    """
    failures = Failures(every)
    for planned in tasks:
        failure = _failure(planned, stages, Document(None, _SENTENCE))
        if failure is not None:
            failures.add(planned.task.name, f"fails on a plain sentence: {failure}")
    failures.raise_if_any()


def labels(tasks: Sequence[Planned], stages: Sequence[Stage]) -> dict[str, Collection[str]]:
    """Return task name -> all labels that its annotations can have, for the tasks that show them.

    Reads a plain sentence, like ``check``. Raises ModelError and DeviceError.
    """
    shown: dict[str, Collection[str]] = {}
    for planned in tasks:
        task, document = planned.task, Document(None, _SENTENCE)
        if isinstance(named := getattr(task, "labels", None), list):
            shown[task.name] = named
        if planned.stage is None or not task.cacheable or planned.requires or isinstance(task.config, LanguageTask):
            continue
        try:
            readings = stages[planned.stage].read(planned.output, task.inputs(document))
            annotation = task.annotate(document, readings)
        except Exception:
            # The task needs fields, which this document does not have.
            annotation = {}
        if "scores" in annotation:
            shown[task.name] = list(annotation["scores"])
        elif "labels" in annotation:
            shown[task.name] = [entry["label"] for entry in annotation["labels"]]
    return shown


def _failure(planned: Planned, stages: Sequence[Stage], document: Document) -> str | None:
    """Run one task on ``document`` and return the message of its failure."""
    task, readings, complete = planned.task, list[Reading](), planned.task.cacheable
    if planned.stage is not None:
        try:
            inputs = task.inputs(document)
        except Exception:
            # The task needs fields, or spans of other tasks, which this document does not have.
            inputs, complete = [("one", "two") if task.paired else document.text], False
        try:
            readings = stages[planned.stage].read(planned.output, inputs)
        except ModelError as error:
            return str(error)
    if complete and not planned.requires:
        try:
            task.annotate(document, readings)
        except Exception as error:
            return Failure.of(error, "annotate").message
    return None
