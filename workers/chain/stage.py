"""A stage: the tasks of one level that read the same trunk and cut their inputs alike share one forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Encoding

from schemas.document import Document, Failure
from schemas.errors import EventError, ModelError, TokenizeError
from workers.chain.forward import Forwards, Output
from workers.chain.job import Job, Tokenized, pack_documents
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
    ) -> None:
        """Make a stage; see the class for the arguments."""
        self.trunk = trunk
        self.tokenization = tokenization
        self.outputs = tuple(outputs)
        self.tasks = dict(tasks or {})
        self.level = level
        self.conditional = conditional
        self._forwards = Forwards(trunk, self.outputs, self.tasks)

    def prepare(self, documents: Sequence[Document], index: int, wanted: Sequence[dict[str, Sequence[Input]]]) -> None:
        """Tokenize the inputs of ``documents``.

        Sets ``sequences[index]`` and adds to ``tokens`` of each document, or sets its ``failure``. Raises nothing.

        Args:
            documents: the documents that need this stage.
            index: the stage's place in the chain.
            wanted: for each document, the inputs of each task by its name.
        """
        distinct = [dict.fromkeys(item for inputs in by_task.values() for item in inputs) for by_task in wanted]
        for document, by_task, inputs in zip(documents, wanted, distinct, strict=True):
            size = sum(map(_characters, inputs))
            if size > MOST_CHARACTERS:
                task = max(by_task, key=lambda name: sum(map(_characters, by_task[name])))
                error = TokenizeError(
                    f"{len(inputs):,} inputs of {size:,} characters in all, and at most {MOST_CHARACTERS:,} are read"
                )
                document.failure = document.failure or Failure.of(error, "tokenize", task)
                inputs.clear()
        results = iter(self.tokenization.encode([item for inputs in distinct for item in inputs]))
        for document, by_task, inputs in zip(documents, wanted, distinct, strict=True):
            windows: dict[Input, list[Encoding]] = {}
            for text_or_pair in inputs:
                encodings = next(results)
                if isinstance(encodings, EventError):
                    task = next(name for name, task_inputs in by_task.items() if text_or_pair in task_inputs)
                    document.failure = document.failure or Failure.of(encodings, "tokenize", task)
                else:
                    windows[text_or_pair] = encodings
                    document.tokens += sum(map(len, encodings))
            document.sequences[index] = Tokenized(by_task, windows)

    def pack(self, documents: Sequence[Document], index: int) -> Job:
        """Pack what ``prepare`` has tokenized of ``documents`` into forwards; equal inputs are computed once."""
        return pack_documents(documents, index, self.trunk, self.tokenization, len(self.outputs))

    def forward(self, job: Job) -> None:
        """Run the forwards of ``job``; sequences that fail are in ``job.failed``. Raises DeviceError."""
        self._forwards.run(job)

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
            readings.append(Reading(job.windows[first:last], window_scores))
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
        job = self.pack([document], 0)
        self.forward(job)
        failure = document.failure or next(iter(job.failed.values()), None)
        if failure is not None:
            raise ModelError(failure.message)
        return self.readings(job, document.sequences[0], "", output)


def _characters(text_or_pair: Input) -> int:
    return len(text_or_pair) if isinstance(text_or_pair, str) else len(text_or_pair[0]) + len(text_or_pair[1])
