"""The chain: a micro-batch through every stage, one step a thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from schemas.document import Document, Failure
from schemas.errors import ModelError
from schemas.pipeline import dependencies
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from workers.chain.cache import Cache, Kept, key
from workers.chain.plan import Planned, Planner, Progress, plan
from workers.chain.stage import Job, Reads
from workers.encoder.reading import Input, Reading
from workers.encoder.tokenization import kept
from workers.encoder.tuning import tune


@dataclass(slots=True)
class Work:
    """A micro-batch on its way: its documents, the jobs of the stages that have been packed, and which
    tasks have annotated."""

    chain: Chain
    documents: Sequence[Document]
    jobs: dict[int, Job] = field(default_factory=dict)


class Chain:
    """All tasks of a pipeline over their models.

    ``prepare`` and ``pack`` belong to one thread, ``forward`` to another, ``annotate`` to a third; what
    they share is settled at load. A document that fails keeps its place: whoever comes later sees its
    ``failure`` and leaves it alone.

    Tasks annotate as late as they can: on the third thread, unless a later stage waits for them.

    ``stages`` and ``plan`` say who computes what; ``models`` is the event's; ``reads_fields``: documents need
    their event's fields.
    """

    def __init__(self, planner: Planner, pipeline: Pipeline, cache: Cache | None = None) -> None:
        self.models = {task.name: planner.models[task.name] for task in pipeline.tasks}
        self.cache = cache
        own = any(planned.task.reads_fields for planned in planner.tasks)
        self.reads_fields = own or dependencies.any_reads_fields(pipeline)
        self.stages = planner.stages
        self.plan = planner.tasks
        self._names = list(self.models)
        self._members = [[own for own in planner.tasks if own.stage == index] for index in range(len(self.stages))]
        self._levels = [
            [index for index, stage in enumerate(self.stages) if stage.level == level]
            for level in range(max((stage.level for stage in self.stages), default=-1) + 1)
        ]
        self._steps = self._settle_steps()
        self._in_order = [planned.task.name for step in self._steps for planned in step] == self._names
        self._pipeline = pipeline
        for planned in planner.tasks:
            planned.task.config_hash = config_hash(pipeline)

    @classmethod
    def load(cls, pipeline: Pipeline, on_progress: Progress | None = None, before: Chain | None = None) -> Chain:
        """Loads every model; ``on_progress`` is told a line for each. Raises ModelError and DeviceError.

        ``before``: the chain that this one is to take over from, with its cache and what trunks are the same. It
        runs on as it is until ``take_over``.
        """
        compute = pipeline.compute
        if compute.threads is not None and before is None:
            torch.set_num_threads(compute.threads)
        cache = before.cache if before is not None else None
        if cache is None or not compute.cache:
            cache = Cache(compute.cache) if compute.cache else None
        trunks = [stage.trunk for stage in before.stages] if before is not None else []
        return cls(plan(pipeline, on_progress, trunks), pipeline, cache)

    def take_over(self) -> None:
        """What of the chain before is shared becomes as this one's pipeline file has it."""
        if self.cache is not None:
            self.cache.resize(self._pipeline.compute.cache)

    def warm_up(self) -> None:
        """Measures which forward size suits the device, unless configured, and has every task speak once.

        Takes a few seconds at most. Raises ModelError as ``check``.
        """
        for trunk in {id(stage.trunk): stage.trunk for stage in self.stages if not stage.trunk.tuned}.values():
            tune(trunk, self._pipeline.batching.max_tokens, self._pipeline.compute.forward_tokens)
        self.check()

    def check(self) -> None:
        """Has every task say something of a plain sentence: what fails on that would fail on all events.

        Raises ModelError naming the task, and DeviceError.
        """
        for planned in self.plan:
            document = Document(None, "A first sentence, so that the first event need not wait.")
            failure = self._failure(planned, document)
            if failure is not None:
                raise ModelError(f'task "{planned.task.name}" fails on a plain sentence: {failure}')

    def _failure(self, planned: Planned, document: Document) -> str | None:
        task, readings, complete = planned.task, list[Reading](), planned.task.cacheable
        if planned.stage is not None:
            try:
                inputs = task.inputs(document)
            except Exception:
                # It reads fields, or spans of other tasks, which this event lacks.
                inputs, complete = [("one", "two") if task.paired else document.text], False
            try:
                readings = self.stages[planned.stage].read(planned.output, inputs)
            except ModelError as error:
                return str(error)
        if complete and not planned.requires:
            try:
                task.annotate(document, readings)
            except Exception as error:
                return Failure.of(error, "annotate").message
        return None

    def prepare(self, documents: Sequence[Document]) -> None:
        """Tokenises for every stage that need not wait: sets ``sequences`` and ``tokens``, or ``failure``."""
        self._annotate(self._steps[0], documents, {})
        for index in self._levels[0] if self._levels else ():
            self._enter(index, documents)

    def pack(self, documents: Sequence[Document]) -> Work:
        """Lays prepared documents out as forwards; equal inputs are computed once."""
        work = Work(self, documents)
        for index in self._levels[0] if self._levels else ():
            work.jobs[index] = self.stages[index].pack(documents, index)
        return work

    def forward(self, work: Work) -> None:
        """Runs the forwards, level by level. Only documents that own a failing sequence fail. Raises DeviceError."""
        for level, indices in enumerate(self._levels):
            if level:
                self._annotate(self._steps[level], work.documents, work.jobs)
                for index in indices:
                    self._enter(index, work.documents)
                    work.jobs[index] = self.stages[index].pack(work.documents, index)
            for index in indices:
                job = work.jobs[index]
                self.stages[index].forward(job)
                if job.failed:
                    _hand_over(job, index, work.documents)

    def annotate(self, work: Work) -> None:
        """Turns what scores are left into annotations, which then stand in the order of the pipeline file."""
        self._annotate(self._steps[-1], work.documents, work.jobs)
        if not self._in_order:
            for document in work.documents:
                made = document.annotations
                document.annotations = {name: made[name] for name in self._names if name in made}

    def run(self, documents: Sequence[Document]) -> None:
        """All steps, one after the other: for a handful of texts, and for tests."""
        self.prepare(documents)
        work = self.pack(documents)
        self.forward(work)
        self.annotate(work)

    def _settle_steps(self) -> list[list[Planned]]:
        """Per level the tasks that must annotate before its stages can be entered, then all others."""
        by_name = {planned.task.name: planned for planned in self.plan}
        left = dict.fromkeys(by_name)
        steps = []
        for indices in self._levels or [[]]:
            wanted: set[str] = set()
            waiting = [own for index in indices for own in self._members[index] if not own.rides]
            while waiting:
                new = waiting.pop().needs - wanted
                wanted |= new
                waiting += [by_name[name] for name in new]
            steps.append([by_name[name] for name in left if name in wanted])
            left = {name: None for name in left if name not in wanted}
        return [*steps, [by_name[name] for name in left]]

    def _enter(self, index: int, documents: Sequence[Document]) -> None:
        """Asks the stage's tasks what they want read of each document, and tokenises that."""
        members = self._members[index]
        live, asked = [], []
        for document in documents:
            if document.failure is not None:
                continue
            own: dict[str, Sequence[Input]] = {}
            for planned in members:
                try:
                    if planned.rides or _wanted(planned, document):
                        inputs = planned.task.inputs(document)
                        if not self._known(planned, document, inputs):
                            own[planned.task.name] = inputs
                except Exception as error:
                    document.failure = Failure.of(error, "fields", planned.task.name)
                    break
            if own and document.failure is None:
                live.append(document)
                asked.append(own)
        if live:
            self.stages[index].prepare(live, index, asked)

    def _known(self, planned: Planned, document: Document, inputs: Sequence[Input]) -> bool:
        if self.cache is None or planned.key is None:
            return False
        found = self.cache.get(key(planned.key, inputs))
        if found is not None:
            document.known[planned.task.name] = found
        return found is not None

    def _annotate(self, tasks: Iterable[Planned], documents: Sequence[Document], jobs: dict[int, Job]) -> None:
        # Task by task, not document by document: what a task looks things up in stays in the processor's caches.
        for planned in tasks:
            together = _together(planned, documents)
            for number, document in enumerate(documents):
                if document.failure is not None:
                    continue
                try:
                    made = together.get(number) or self._annotation(planned, document, jobs)
                    if made is not None:
                        document.annotations[planned.task.name], notices = made
                        document.notices += notices
                except Exception as error:
                    document.failure = Failure.of(error, "annotate", planned.task.name)

    def _annotation(self, planned: Planned, document: Document, jobs: dict[int, Job]) -> Kept | None:
        """What the task says of ``document``; None where it is not wanted."""
        task, index = planned.task, planned.stage
        if index is None:
            return (task.annotate(document, ()), []) if _wanted(planned, document) else None
        known = document.known.get(task.name)
        reads: Reads | None = document.sequences.get(index)
        if known is None and (reads is None or task.name not in reads.asked):
            return None
        if planned.rides and not _wanted(planned, document):
            return None
        if known is not None:
            # Another task of the same model and settings may have made it.
            return known[0], [{**notice, "task": task.name} for notice in known[1]]
        assert reads is not None
        stage = self.stages[index]
        readings = stage.readings(jobs[index], reads, task.name, planned.output)
        notices: list[dict[str, Any]] = []
        if stage.tokenization.cut.truncate:
            side = stage.tokenization.cut.side
            for read, reading in zip(reads.asked[task.name], readings, strict=True):
                if (seen := kept(reading.windows[0], side)) is not None:
                    whole = len(read if isinstance(read, str) else read[side])
                    notices.append({"task": task.name, "kind": "truncated", "kept": seen, "of": whole})
        made = (task.annotate(document, readings), notices)
        if self.cache is not None and planned.key is not None:
            self.cache.put(key(planned.key, reads.asked[task.name]), made)
        return made


def _together(planned: Planned, documents: Sequence[Document]) -> dict[int, Kept]:
    """What a task says of several documents at once, by their numbers; nothing where it had better go one by one."""
    if planned.stage is not None or not planned.task.quicker_together:
        return {}
    try:
        numbers = [n for n, one in enumerate(documents) if one.failure is None and _wanted(planned, one)]
        made = planned.task.annotate_all([documents[number] for number in numbers])
    except Exception:
        # One by one it shows whose fault that was.
        return {}
    return {number: (annotation, []) for number, annotation in zip(numbers, made, strict=True)}


def _wanted(planned: Planned, document: Document) -> bool:
    """Whether the task runs for ``document``. Raises ConditionError."""
    if not planned.conditional:
        return True
    if any(name not in document.annotations for name in planned.requires):
        return False
    condition = planned.condition
    return condition is None or condition.holds_for(document)


def _hand_over(job: Job, index: int, documents: Sequence[Document]) -> None:
    """A failed sequence fails every document that reads it."""
    failed = {read: failure for read in job.places if (failure := job.failure(read)) is not None}
    for document in documents:
        reads: Reads | None = document.sequences.get(index)
        if document.failure is None and reads is not None:
            document.failure = next((failed[read] for read in reads.windows if read in failed), None)
