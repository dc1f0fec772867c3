"""A stage: the tasks of one level that read the same trunk and cut their inputs alike share one forward."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from itertools import chain
from typing import Any

from schemas.document import Document, Failure
from schemas.errors import EventError, ModelError, TokenizeError
from workers.chain.forward import Forwards, Output, Wait, wait_for_one
from workers.chain.job import Job, Tokenized, pack_documents
from workers.chain.pace import Pace
from workers.encoder.reading import Input, Reading
from workers.encoder.tokenization import Tokenization, kept
from workers.encoder.trunk import Trunk

MOST_CHARACTERS = 8_000_000
"""Characters of all inputs of one event that a stage accepts: their windows are in memory at once, about 1 GiB."""


class Stage:
    """Tokenizes, packs and computes the inputs of its tasks.

    Which inputs there are, and what becomes of the scores, is decided by the chain. Each method may run on a thread
    of its own, on different micro-batches at the same time.

    Attributes:
        trunk, tokenization: what the stage computes and how it cuts its inputs.
        outputs: the heads, each computed once.
        tasks: task name -> the index of the output it reads.
        level: how many forwards have to run before, because a condition or an input depends on their annotations.
        conditional: whether every task has a condition, so that an event may not need this stage at all.
        tolerated: the tasks whose failure is not, or not yet, a failure of the event: those whose condition can be
            evaluated only after the forward, because the event may not want them, and shadows.
    """

    def __init__(
        self,
        trunk: Trunk,
        tokenization: Tokenization,
        outputs: Sequence[Output] = (),
        tasks: Mapping[str, int] | None = None,
        *,
        level: int = 0,
        conditional: bool = False,
        tolerated: Collection[str] = (),
    ) -> None:
        """Make a stage; see the class for the arguments."""
        self.trunk = trunk
        self.tokenization = tokenization
        self.outputs = tuple(outputs)
        self.tasks = dict(tasks or {})
        self.level = level
        self.conditional = conditional
        self.tolerated = frozenset(tolerated)
        self._forwards = Forwards(trunk, self.outputs)

    def use(self, trunk: Trunk) -> None:
        """Run on ``trunk`` from now on, which must be equal to the present one but for its precision.

        Call it on the thread that loads the chain.
        """
        self.trunk = trunk
        self._forwards = Forwards(trunk, self.outputs)

    def prepare(self, documents: Sequence[Document], index: int, wanted: Sequence[dict[str, Sequence[Input]]]) -> None:
        """Tokenize the inputs of ``documents``.

        Sets ``sequences[index]`` and adds to ``tokens`` of each document. Sets its ``failure`` if an input of a decided
        task cannot be read. Raises nothing.

        Args:
            documents: the documents that need this stage.
            index: the stage's place in the chain.
            wanted: for each document, the inputs of each task by its name.
        """
        tokenized = [Tokenized(by_task) for by_task in wanted]
        distinct = [self._within_limit(each) for each in tokenized]
        results = iter(self.tokenization.encode([item for inputs in distinct for item in inputs]))
        for document, each, inputs in zip(documents, tokenized, distinct, strict=True):
            for text_or_pair in inputs:
                encodings = next(results)
                if isinstance(encodings, EventError):
                    each.failed[text_or_pair] = Failure.of(encodings, "tokenize")
                else:
                    each.windows[text_or_pair] = encodings
                    document.tokens += sum(map(len, encodings))
            if each.failed and document.failure is None:
                decided = [name for name in each.inputs if name not in self.tolerated]
                failures = (_of_inputs(each, name) for name in decided)
                document.failure = next((failure for failure in failures if failure is not None), None)
            document.sequences[index] = each

    def _within_limit(self, tokenized: Tokenized) -> dict[Input, None]:
        """Return the distinct inputs to be tokenized; those beyond ``MOST_CHARACTERS`` fail.

        Tolerated tasks come last, so that they take no room from the others.
        """
        inputs = dict.fromkeys(chain.from_iterable(tokenized.inputs.values()))
        if _characters(inputs) <= MOST_CHARACTERS:  # nearly always
            return inputs
        inputs = {}
        groups = [[name for name in tokenized.inputs if name not in self.tolerated]]
        groups += [[name] for name in tokenized.inputs if name in self.tolerated]
        for names in groups:
            more = inputs | dict.fromkeys(item for name in names for item in tokenized.inputs[name])
            if (size := _characters(more)) <= MOST_CHARACTERS:
                inputs = more
                continue
            error = TokenizeError(
                f"{len(more):,} inputs of {size:,} characters in all, and at most {MOST_CHARACTERS:,} are read"
            )
            largest = max(names, key=lambda name: _characters(tokenized.inputs[name]))
            failure = Failure.of(error, "tokenize", largest)
            tokenized.failed |= dict.fromkeys((item for item in more if item not in inputs), failure)
        return inputs

    def pack(self, documents: Sequence[Document], index: int, tasks: Mapping[str, int] | None = None) -> Job:
        """Pack what ``prepare`` has tokenized of ``documents`` into forwards; equal inputs are computed once.

        ``tasks``: the names given to ``prepare``, with the index of the output each reads; by default the stage's own.
        """
        tasks = self.tasks if tasks is None else tasks
        whole = {name: output for name, output in tasks.items() if self.outputs[output].head.per == "input"}
        return pack_documents(documents, index, self.trunk, self.tokenization, heads=len(self.outputs), whole=whole)

    def begin(self, job: Job, pace: Pace, count: int) -> list[Future[Any]]:
        """Start up to ``count`` forwards of ``job`` on the threads of the trunk's pool; ``forward`` must follow."""
        return list(self._forwards.begin(job, pace, count))

    def forward(self, job: Job, pace: Pace | None = None, wait_for: Wait = wait_for_one) -> None:
        """Run the forwards of ``job``, which notes what fails; each is a step of ``pace``. Raises DeviceError.

        ``wait_for``: called while forwards run side by side, to wait for one of them.
        """
        self._forwards.run(job, pace or Pace(), wait_for)

    def fail_documents(self, job: Job, documents: Sequence[Document], index: int) -> None:
        """Fail every document with an input that a decided task of it reads in vain.

        ``job`` has run; ``index`` is the stage's place in the chain.
        """
        if not job.failed and not any(job.failed_heads):
            return
        for document in documents:
            tokenized: Tokenized | None = document.sequences.get(index)
            if document.failure is None and tokenized is not None:
                decided = [name for name in tokenized.inputs if name not in self.tolerated]
                failures = (self.failure(job, tokenized, name, self.tasks[name]) for name in decided)
                document.failure = next((failure for failure in failures if failure is not None), None)

    def failure(self, job: Job, tokenized: Tokenized, task: str, output: int) -> Failure | None:
        """Return why ``task`` has no scores for a document; None if it has.

        ``job`` must have run. ``output``: the index of the task's output.
        """
        if tokenized.failed and (failure := _of_inputs(tokenized, task)) is not None:
            return failure
        if job.failed or job.failed_heads[output]:
            for text_or_pair in tokenized.inputs[task]:
                if (failure := job.failure(text_or_pair)) is not None:
                    return failure
                if (failure := job.failure(text_or_pair, output)) is not None:
                    return failure.named(task)
        return None

    def readings(self, job: Job, tokenized: Tokenized, task: str, output: int) -> list[Reading]:
        """Return what ``task`` gets for one document: a reading for each of its inputs.

        ``job`` must have run and the document must not have failed. ``output``: the index of the task's output.
        """
        per, scores, clusters = self.outputs[output].head.per, job.scores[output], job.clusters[output]
        readings = []
        for text_or_pair in tokenized.inputs[task]:
            first, last = job.places[text_or_pair]
            if per == "input":
                window_scores = [clusters[text_or_pair]]
            elif scores is None:
                raise AssertionError("no forward has run")
            elif per == "token":
                window_scores = [scores[job.starts[n] : job.starts[n + 1]] for n in range(first, last)]
            else:
                window_scores = [scores[n] for n in range(first, last)]
            readings.append(Reading(job.windows[first:last], window_scores, job.unknown.get(text_or_pair, 0.0)))
        return readings

    def notices(self, tokenized: Tokenized, task: str, readings: Sequence[Reading]) -> list[dict[str, Any]]:
        """Return a notice for every input of ``task`` that was truncated, in code points kept and in total."""
        cut = self.tokenization.cut
        if not cut.truncate:
            return []
        notices: list[dict[str, Any]] = []
        for text_or_pair, reading in zip(tokenized.inputs[task], readings, strict=True):
            if (length := kept(reading.windows[0], cut.side)) is not None:
                whole = len(text_or_pair if isinstance(text_or_pair, str) else text_or_pair[cut.side])
                notices.append({"task": task, "kind": "truncated", "kept": length, "of": whole})
        return notices

    def read(self, output: int, inputs: Sequence[Input]) -> list[Reading]:
        """Run the model over inputs that belong to no event and return their readings.

        Raises ModelError if one of them cannot be read, and DeviceError.
        """
        document = Document(None)
        self.prepare([document], 0, [{"": inputs}])
        job = self.pack([document], 0, {"": output})
        if document.failure is None:
            self.forward(job)
        failure = document.failure or self.failure(job, document.sequences[0], "", output)
        if failure is not None:
            raise ModelError(failure.message)
        return self.readings(job, document.sequences[0], "", output)


def _of_inputs(tokenized: Tokenized, task: str) -> Failure | None:
    """Return why an input of ``task`` could not be tokenized; None if all could."""
    failed = tokenized.failed
    failure = next((failed[item] for item in tokenized.inputs[task] if item in failed), None)
    return None if failure is None else failure if failure.task is not None else failure.named(task)


def _characters(inputs: Iterable[Input]) -> int:
    return sum(len(item) if isinstance(item, str) else len(item[0]) + len(item[1]) for item in inputs)
