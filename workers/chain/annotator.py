"""Turns the scores of a stage into annotations, task by task and document by document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schemas.document import Document, Failure, Shadowed
from workers.chain.cache import Cache, Entry, key
from workers.chain.job import Job, Tokenized
from workers.chain.pace import Pace
from workers.chain.placement import Planned
from workers.chain.stage import Stage
from workers.chain.unread import unread_failure, unread_notice
from workers.tasks.parts import within_parts


class Annotator:
    """Has the tasks of a chain annotate documents, and keeps what they make in the cache.

    The device and the finish thread use it at once, on different micro-batches and for different tasks.
    """

    def __init__(
        self, stages: Sequence[Stage], cache: Cache | None, keys: Mapping[str, bytes], pace: Pace, several: bool
    ) -> None:
        """Make the annotator of a chain.

        Args:
            stages: those of the chain, in its order.
            cache: where annotations are kept; None for nowhere.
            keys: task name -> what its entries in the cache depend on besides the inputs.
            pace: measures what each task takes.
            several: whether the text of an event consists of several parts.
        """
        self._stages = stages
        self._cache = cache
        self._keys = keys
        self._pace = pace
        self._several = several

    def annotate(self, tasks: Iterable[Planned], documents: Sequence[Document], jobs: dict[int, Job]) -> None:
        """Have ``tasks`` annotate all documents: task by task, which keeps a task's data in the processor's caches.

        Sets ``annotations``, ``notices`` and ``shadows`` of each document, or its ``failure``; one that has failed is
        skipped. Raises nothing.

        Args:
            tasks: in an order in which each comes after those it needs.
            documents: the micro-batch; those that a stage has read, with their ``sequences``.
            jobs: the jobs of the stages that have run, by the place of the stage in the chain.
        """
        for planned in tasks:
            with self._pace.annotating(planned.task.name):
                self._annotate_with(planned, documents, jobs)

    def _annotate_with(self, planned: Planned, documents: Sequence[Document], jobs: dict[int, Job]) -> None:
        together = _annotate_together(planned, documents)
        name, shadow = planned.task.name, planned.shadow
        for number, document in enumerate(documents):
            if document.failure is not None:
                continue
            entry = self._attempt(planned, document, jobs, together.get(number))
            if entry is None:
                continue
            if shadow:
                note_shadow(document, name, entry)
            elif isinstance(entry, Failure):
                document.failure = entry
            else:
                annotation, notices = entry
                document.notices += notices
                if annotation is not None:
                    document.annotations[name] = annotation

    def _attempt(
        self, planned: Planned, document: Document, jobs: dict[int, Job], entry: Entry | None
    ) -> Entry | Failure | None:
        """Return what ``_annotation`` does, within the texts of the event, or why it failed. Raises nothing.

        ``entry``: the annotation, if it has been made already.
        """
        try:
            result = entry or self._annotation(planned, document, jobs)
            if self._several and document.parts is not None and isinstance(result, tuple) and result[0] is not None:
                return within_parts(result[0], document.text, document.parts), result[1]
            return result
        except Exception as error:
            return Failure.of(error, "annotate", planned.task.name)

    def _annotation(self, planned: Planned, document: Document, jobs: dict[int, Job]) -> Entry | Failure | None:
        """Return the annotation of one task and its notices; None if the task does not run for ``document``.

        A failure if it is ``tolerated``, runs, and its inputs have failed; and if the tokenizer does not know enough of
        a text for ``unknown_text: dead_letter``.
        """
        task, index = planned.task, planned.stage
        if index is None:
            return (task.annotate(document, ()), []) if planned.runs_for(document) else None
        known = document.known.get(task.name)
        tokenized: Tokenized | None = document.sequences.get(index)
        if known is None and (tokenized is None or task.name not in tokenized.inputs):
            return None
        if planned.undecided and not planned.runs_for(document):
            return None
        if known is not None:
            # It may come from another task with the same model and settings.
            return known[0], [{**notice, "task": task.name} for notice in known[1]]
        assert tokenized is not None
        stage = self._stages[index]
        if planned.tolerated and (failure := stage.failure(jobs[index], tokenized, task.name, planned.output)):
            return failure
        readings = stage.readings(jobs[index], tokenized, task.name, planned.output)
        notices, left_out = stage.notices(tokenized, task.name, readings), False
        decisive = readings[:1] if task.first_decides else readings
        if jobs[index].unknown and (notice := unread_notice(task.config, decisive)) is not None:
            if task.config.unknown_text == "dead_letter":
                if not planned.shadow:
                    document.notices.append(notice)
                return unread_failure(task.config, notice)
            notices.append(notice)
            left_out = task.config.unknown_text == "leave_out"
        entry: Entry = (None if left_out else task.annotate(document, readings), notices)
        if self._cache is not None and planned.key is not None:
            self._cache.put(key(self._keys[task.name], tokenized.inputs[task.name], document.parts), entry)
        return entry


def note_shadow(document: Document, shadow: str, made: Entry | Failure) -> None:
    """Keep what a shadow has made apart from what is published, unless it has failed before."""
    shadows = document.shadows
    if shadows is None:
        shadows = document.shadows = {}
    if isinstance(made, Failure):
        shadows[shadow] = Shadowed(None, [], made)
    elif shadow not in shadows:
        shadows[shadow] = Shadowed(*made)


def _annotate_together(planned: Planned, documents: Sequence[Document]) -> dict[int, Entry]:
    """Return a task's annotations by document number; empty if the documents must be annotated one at a time."""
    if planned.stage is not None or not planned.task.quicker_together:
        return {}
    try:
        numbers = [n for n, document in enumerate(documents) if document.failure is None and planned.runs_for(document)]
        annotations = planned.task.annotate_all([documents[number] for number in numbers])
    except Exception:
        # One at a time shows which document is at fault.
        return {}
    return {number: (annotation, []) for number, annotation in zip(numbers, annotations, strict=True)}
