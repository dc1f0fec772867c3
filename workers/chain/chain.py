"""The chain: takes a micro-batch through every stage, in four steps that run on three threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import torch

from schemas.document import Document, Failure
from schemas.pipeline import dependencies
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from workers.chain.annotator import Annotator, note_shadow
from workers.chain.cache import Cache, key
from workers.chain.forward import Wait, wait_for_one
from workers.chain.job import Job
from workers.chain.level import Level
from workers.chain.pace import Pace
from workers.chain.placement import Planned
from workers.chain.plan import Plan, plan
from workers.chain.precision import choose_precisions
from workers.chain.trial import check
from workers.encoder.pool import Pool
from workers.encoder.reading import Input
from workers.encoder.trunk import Trunk
from workers.encoder.tuning import tune
from workers.models.device import chooses_precision
from workers.models.library import Library, Progress


@dataclass(slots=True)
class Work:
    """A micro-batch between the steps.

    - ``chain``: the chain that packed it, and that has to run the other steps.
    - ``documents``: in the order in which they were consumed.
    - ``jobs``: the jobs packed so far, by the place of their stage in the chain.
    """

    chain: Chain
    documents: Sequence[Document]
    jobs: dict[int, Job] = field(default_factory=dict)


class Chain:
    """All tasks of a pipeline with their models.

    A micro-batch goes through ``prepare``, ``pack``, ``forward`` and ``annotate``. ``prepare`` and ``pack`` belong to
    one thread (prepare), ``forward`` to a second (device), ``annotate`` to a third (finish); all three may be at work
    on different micro-batches. What they share does not change after loading. A document that fails keeps its place:
    its ``failure`` is set, and the following steps skip it. What a shadow makes, or why it fails, goes to ``shadows``.

    Tasks annotate as late as they can: in ``annotate``, unless a later stage needs their annotations.

    Attributes:
        stages: what computes, each stage after those it depends on.
        plan: every task with its place, after the tasks it needs.
        models: task name -> ``model`` and ``revision``, and ``precision`` if it is not float32, in the order of the
            pipeline file.
        cache: the annotations kept beyond a micro-batch; None if ``compute.cache`` is 0.
        pace: counts the forwards that are finished, and measures them.
        reads_fields: whether a task or a condition needs ``Document.fields``.
        device: where the models are, such as "cpu" or "cuda:0"; "none" if no task has a model.
    """

    def __init__(
        self,
        loaded: Plan,
        pipeline: Pipeline,
        cache: Cache | None = None,
        pace: Pace | None = None,
        shared: Sequence[Trunk] = (),
    ) -> None:
        """Make a chain of a loaded plan of ``pipeline``; ``load`` does both.

        ``shared``: trunks of the chain before, among which ``choose_precisions`` finds those it can share.
        """
        self.models = {task.name: loaded.models[task.name] for task in pipeline.tasks}
        self.references = {planned.task.name: planned.task.head.reference for planned in loaded.tasks}
        self.cache = cache
        self.pace = pace or Pace()
        self.reads_fields = any(planned.task.reads_fields for planned in loaded.tasks) or (
            dependencies.any_reads_fields(pipeline)
        )
        self.stages = loaded.stages
        self.plan = loaded.tasks
        self.device = str(self.stages[0].trunk.device) if self.stages else "none"
        self._shared = shared
        self._keys: dict[str, bytes] = {}
        self._note_precisions()
        self._pipeline = pipeline
        self._annotator = Annotator(self.stages, cache, self._keys, self.pace, pipeline.input.several)
        self._names = [task.name for task in pipeline.tasks if task.shadow is None]
        self._members = [
            [planned for planned in self.plan if planned.stage == index] for index in range(len(self.stages))
        ]
        self._levels = [
            [index for index, stage in enumerate(self.stages) if stage.level == level]
            for level in range(max((stage.level for stage in self.stages), default=-1) + 1)
        ]
        self._rounds = self._annotation_rounds()
        annotating = [planned for tasks in self._rounds for planned in tasks if not planned.shadow]
        self._in_order = [planned.task.name for planned in annotating] == self._names
        self.identify(config_hash(pipeline))

    def identify(self, config: str) -> None:
        """Tell the tasks the hash of the configuration that ends the ids of events, if it is not that of the file."""
        for planned in self.plan:
            planned.task.config_hash = config

    @property
    def precision(self) -> str:
        """The type of the numbers that trunks compute in, such as "float32"; "none" if no task has a model.

        Trunks may differ: "bfloat16, float32". Settled when the chain is warmed up.
        """
        return ", ".join(sorted({stage.trunk.precision for stage in self.stages})) or "none"

    @classmethod
    def load(
        cls,
        pipeline: Pipeline,
        on_progress: Progress | None = None,
        before: Chain | None = None,
        every: bool = False,
    ) -> Chain:
        """Load every model of ``pipeline``.

        Args:
            pipeline: the pipeline file.
            on_progress: called with one line for each model.
            before: the chain that this one will replace. Its cache, pace and equal trunks are shared; it can go on
                working, and is not changed before ``take_over``.
            every: continue after a model that cannot be loaded, to find all of them.

        Raises:
            ModelError: if a model is missing or does not fit its task.
            DeviceError: if the device is not there.
        """
        compute = pipeline.compute
        if compute.threads is not None and before is None:
            torch.set_num_threads(compute.threads)
        cache = before.cache if before is not None else None
        if cache is None or not compute.cache:
            cache = Cache(compute.cache) if compute.cache else None
        trunks = [stage.trunk for stage in before.stages] if before is not None else []
        pace = before.pace if before is not None else None
        loaded = plan(pipeline.tasks, Library(compute, on_progress, trunks), every)
        return cls(loaded, pipeline, cache, pace, [trunk for trunk in trunks if trunk.reason is not None])

    def take_over(self) -> None:
        """Apply this pipeline's settings to what is shared with the chain before. Call it when that one is replaced."""
        if self.cache is not None:
            self.cache.resize(self._pipeline.compute.cache)

    def warm_up(self) -> None:
        """Choose precisions, measure the best forward size, unless it is configured, and ``check`` all tasks.

        Takes a few seconds at most. Raises ModelError and DeviceError.
        """
        self.choose_precisions()
        for trunk in {id(stage.trunk): stage.trunk for stage in self.stages if not stage.trunk.tuned}.values():
            tune(trunk, self._pipeline.batching.max_tokens, self._pipeline.compute.forward_tokens)
        check(self.plan, self.stages)

    def choose_precisions(self) -> None:
        """Move trunks to bfloat16 where ``compute.dtype`` is auto and ``workers.chain.precision`` finds that better.

        Call it before the chain is used.
        """
        compute, batching = self._pipeline.compute, self._pipeline.batching
        if self.stages and chooses_precision(compute, self.stages[0].trunk.device):
            choose_precisions(self.stages, self.plan, batching.max_tokens, compute.forward_tokens, self._shared)
            self._note_precisions()
        self._shared = ()

    def prepare(self, documents: Sequence[Document]) -> None:
        """Tokenize the inputs of every stage that depends on no forward.

        Sets ``sequences`` of each document and adds to its ``tokens``, or sets its ``failure``. Raises nothing. Call it
        on the prepare thread, once for each document.
        """
        self._annotator.annotate(self._rounds[0], documents, {})
        for index in self._levels[0] if self._levels else ():
            self._tokenize(index, documents)

    def pack(self, documents: Sequence[Document]) -> Work:
        """Pack prepared documents, the micro-batch, into forwards; equal inputs are computed once.

        Raises nothing. Call it on the prepare thread.
        """
        work = Work(self, documents)
        for index in self._levels[0] if self._levels else ():
            work.jobs[index] = self.stages[index].pack(documents, index)
        return work

    def begin(self, work: Work, pool: Pool, count: int) -> list[Future[Any]]:
        """Start up to ``count`` forwards of ``work`` that run on the threads of ``pool``; ``forward`` must follow.

        Returns what has been started. Call it on the device thread. Raises nothing.
        """
        for index in self._levels[0] if self._levels else ():
            stage, job = self.stages[index], work.jobs[index]
            if stage.trunk.pool is pool and job.batches:
                return stage.begin(job, self.pace, count)
        return []

    def forward(self, work: Work, wait_for: Wait = wait_for_one) -> None:
        """Run the forwards of ``work``, level by level. Call it on the device thread.

        Before each level but the first, the tasks it depends on annotate, and what its own tasks want is tokenized.
        A document fails if an input fails that one of its tasks reads. ``wait_for`` is called while forwards run side
        by side, to wait for one of them; it may ``begin`` the next micro-batch. Raises DeviceError, and what
        ``wait_for`` raises; nothing else.
        """
        for level, indices in enumerate(self._levels):
            if level:
                self._annotator.annotate(self._rounds[level], work.documents, work.jobs)
                for index in indices:
                    self._tokenize(index, work.documents)
                    work.jobs[index] = self.stages[index].pack(work.documents, index)
                    self.pace.advance()
            stages = [(self.stages[index], work.jobs[index]) for index in indices]
            with closing(Level(stages, self.pace, wait_for).run()) as computed:
                for index, _ in zip(indices, computed, strict=True):
                    self.stages[index].fail_documents(work.jobs[index], work.documents, index)

    def annotate(self, work: Work) -> None:
        """Make the annotations that are left, and put them in the order of the pipeline file.

        Sets ``annotations``, ``notices`` and ``shadows`` of each document, or its ``failure``. Raises nothing. Call it
        on the finish thread, with micro-batches in the order in which they were consumed.
        """
        self._annotator.annotate(self._rounds[-1], work.documents, work.jobs)
        if not self._in_order:
            for document in work.documents:
                annotations = document.annotations
                document.annotations = {name: annotations[name] for name in self._names if name in annotations}

    def run(self, documents: Sequence[Document]) -> None:
        """Run all steps on the calling thread, for a handful of texts. Raises DeviceError."""
        self.prepare(documents)
        work = self.pack(documents)
        self.forward(work)
        self.annotate(work)

    def _note_precisions(self) -> None:
        """Take the precision of trunks into the keys of the cache, and into ``models`` where it is not float32."""
        for planned in self.plan:
            name, precision = planned.task.name, "float32"
            if planned.stage is not None:
                precision = self.stages[planned.stage].trunk.precision
            if precision != "float32":
                self.models[name] = {**self.models[name], "precision": precision}
            if planned.key is not None:
                self._keys[name] = planned.key + precision.encode()

    def _annotation_rounds(self) -> list[list[Planned]]:
        """Return for each level the tasks that must annotate before it can be tokenized, then all others."""
        by_name = {planned.task.name: planned for planned in self.plan}
        left = dict.fromkeys(by_name)
        rounds = []
        for indices in self._levels or [[]]:
            needed: set[str] = set()
            waiting = [planned for index in indices for planned in self._members[index] if not planned.rides]
            while waiting:
                new = waiting.pop().needs - needed
                needed |= new
                waiting += [by_name[name] for name in new]
            rounds.append([by_name[name] for name in left if name in needed])
            left = {name: None for name in left if name not in needed}
        return [*rounds, [by_name[name] for name in left]]

    def _tokenize(self, index: int, documents: Sequence[Document]) -> None:
        """Ask the tasks of a stage for their inputs and tokenize those that the cache has no annotation for."""
        members = self._members[index]
        live, wanted = [], []
        for document in documents:
            if document.failure is not None:
                continue
            by_task: dict[str, Sequence[Input]] = {}
            for planned in members:
                try:
                    if planned.undecided or planned.runs_for(document):
                        inputs = planned.task.inputs(document)
                        if not self._is_known(planned, document, inputs):
                            by_task[planned.task.name] = inputs
                except Exception as error:
                    failure = Failure.of(error, "fields", planned.task.name)
                    if planned.shadow:
                        note_shadow(document, planned.task.name, failure)
                        continue
                    document.failure = failure
                    break
            if by_task and document.failure is None:
                live.append(document)
                wanted.append(by_task)
        if live:
            self.stages[index].prepare(live, index, wanted)

    def _is_known(self, planned: Planned, document: Document, inputs: Sequence[Input]) -> bool:
        """Look the inputs up in the cache; what it has goes to ``document.known``."""
        if self.cache is None or planned.key is None:
            return False
        entry = self.cache.get(key(self._keys[planned.task.name], inputs, document.parts))
        if entry is not None:
            document.known[planned.task.name] = entry
        return entry is not None
