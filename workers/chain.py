"""The chain: a micro-batch through every stage, one step a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from schemas.config import Pipeline
from schemas.document import Document, Failure
from schemas.errors import ModelError
from workers.plan import Planner, Progress, plan
from workers.stage import Job
from workers.tuning import tune


@dataclass(frozen=True, slots=True)
class Work:
    """A micro-batch ready for the device: its documents, and a job per stage."""

    documents: Sequence[Document]
    jobs: list[Job]


class Chain:
    """All tasks of a pipeline over their models.

    ``prepare`` and ``pack`` belong to one thread, ``forward`` to another, ``annotate`` to a third; what
    they share is settled at load. A document that fails keeps its place: whoever comes later sees its
    ``failure`` and leaves it alone.
    """

    def __init__(self, planner: Planner, pipeline: Pipeline) -> None:
        self.models = planner.models
        self._stages = planner.stages
        self._tasks = planner.tasks
        self._pipeline = pipeline

    @classmethod
    def load(cls, pipeline: Pipeline, on_progress: Progress | None = None) -> Chain:
        """Loads every model; ``on_progress`` is told a line for each. Raises ModelError and DeviceError."""
        if pipeline.compute.threads is not None:
            torch.set_num_threads(pipeline.compute.threads)
        return cls(plan(pipeline, on_progress), pipeline)

    def warm_up(self) -> None:
        """Measures which forward size suits the device, unless configured, and runs one text through all.

        Takes a few seconds at most. Raises ModelError when that text fails, for then all would.
        """
        if self._pipeline.compute.forward_tokens is None:
            for trunk in {id(stage.trunk): stage.trunk for stage in self._stages}.values():
                tune(trunk, self._pipeline.batching.max_tokens)
        document = Document(None, "A first sentence, so that the first event need not wait.")
        self.run([document])
        if document.failure is not None:
            raise ModelError(f"the models fail on a plain sentence: {document.failure.message}")

    def prepare(self, documents: Sequence[Document]) -> None:
        """Tokenises for every stage: sets ``sequences`` and ``tokens``, or ``failure``."""
        for stage in self._stages:
            stage.prepare([document for document in documents if document.failure is None])

    def pack(self, documents: Sequence[Document]) -> Work:
        """Lays prepared documents out as forwards; equal texts are computed once."""
        return Work(documents, [stage.pack(documents, index) for index, stage in enumerate(self._stages)])

    def forward(self, work: Work) -> None:
        """Runs the forwards. Only documents that own a failing sequence fail. Raises DeviceError."""
        for stage, job in zip(self._stages, work.jobs, strict=True):
            stage.forward(job)
            if job.failed:
                _hand_over(job, work.documents)

    def annotate(self, work: Work) -> None:
        """Turns scores into annotations, document by document, in the order of the pipeline file."""
        for place, document in enumerate(work.documents):
            for planned in self._tasks:
                span = work.jobs[planned.stage].spans[place]
                if document.failure is not None or span is None:
                    break
                job, name = work.jobs[planned.stage], planned.task.name
                output = self._stages[planned.stage].outputs[planned.output]
                scores = job.scores[planned.output]
                try:
                    assert scores is not None
                    own = [
                        scores[job.starts[sequence] : job.starts[sequence + 1]] if output.per_token
                        else scores[sequence]
                        for sequence in range(*span)
                    ]  # fmt: skip
                    annotation = planned.task.annotate(document, job.windows[slice(*span)], own)
                    document.annotations[name] = annotation
                except Exception as error:
                    document.failure = Failure.of(error, "annotate", name)

    def run(self, documents: Sequence[Document]) -> None:
        """All steps, one after the other: for a handful of texts, and for tests."""
        self.prepare(documents)
        work = self.pack(documents)
        self.forward(work)
        self.annotate(work)


def _hand_over(job: Job, documents: Sequence[Document]) -> None:
    """A failed sequence fails every document it belongs to."""
    for document, span in zip(documents, job.spans, strict=True):
        if span is not None and document.failure is None:
            document.failure = next((job.failed[n] for n in range(*span) if n in job.failed), None)
