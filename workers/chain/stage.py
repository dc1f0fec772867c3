"""A stage: the tasks of one level that have the same trunk read inputs cut alike, in one forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor

from schemas.document import Document, Failure
from schemas.errors import DeviceError, EventError, ForwardError, ModelError, TokenizeError
from workers.encoder.casing import SIDES, cased_types
from workers.encoder.packing import Ints, PackedBatch, flat_starts, pack
from workers.encoder.pooling import mixtures
from workers.encoder.reading import Activation, Input, Reading, Scores
from workers.encoder.tokenization import Tokenization
from workers.encoder.trunk import Trunk
from workers.heads.base import Head


@dataclass(slots=True)
class Reads:
    """What one document has a stage read: per task its inputs, and the windows of each of them."""

    asked: dict[str, Sequence[Input]]
    windows: dict[Input, list[Encoding]]


@dataclass(slots=True)
class Job:
    """A stage's share of a micro-batch. S sequences of all documents, equal inputs once, L tokens together.

    - ``windows`` [S], ``lengths`` [S], ``starts`` [S+1], ``ids`` [L], ``types`` [L] or None.
    - ``paired``: whether any of them is a pair.
    - ``places``: input -> the first and last + 1 of its sequences.
    - ``batches``: the forwards, as cut beforehand.
    - ``scores``: per head ``[S, labels]`` or ``[L, labels]``, filled by the forwards.
    - ``states``: per head that reads whole inputs, the hidden states ``[L, H]`` of all sequences while they are needed.
    - ``settled``: per such head, input -> what it says.
    - ``failed``: sequence -> why it has no scores.
    """

    windows: list[Encoding]
    lengths: Ints
    starts: Ints
    ids: Ints
    types: Ints | None
    paired: bool
    places: dict[Input, tuple[int, int]]
    batches: list[PackedBatch]
    scores: list[Scores | None]
    states: list[Tensor | None]
    settled: list[dict[Input, Any]]
    failed: dict[int, Failure] = field(default_factory=dict)

    def failure(self, read: Input) -> Failure | None:
        return next((self.failed[n] for n in range(*self.places[read]) if n in self.failed), None)


Per = Literal["sequence", "token", "input"]
MOST_CHARACTERS = 8_000_000
"""What one event may have a stage read, over all its inputs: their windows are in memory at once, about 1 GiB."""


@dataclass(frozen=True, slots=True)
class Output:
    """One head with its activation; ``per`` says what it has scores for."""

    head: Head
    activation: Activation
    per: Per


class Stage:
    """Tokenises, packs and computes; what is asked and what becomes of the scores is the chain's business.

    ``level``: how many forwards must have run before, because a condition or an input needs their
    annotations. ``tasks``: name -> which of ``outputs`` it reads. ``conditional``: every task in it has a
    condition. ``reads_every_text``: one of them has none, and reads the text.
    """

    def __init__(self, trunk: Trunk, tokenization: Tokenization, level: int = 0) -> None:
        self.trunk = trunk
        self.tokenization = tokenization
        self.level = level
        self.conditional = True
        self.reads_every_text = False
        self.outputs: list[Output] = []
        self.tasks: dict[str, int] = {}

    def prepare(self, documents: Sequence[Document], index: int, asked: Sequence[dict[str, Sequence[Input]]]) -> None:
        """Sets each document's ``sequences[index]``, or its ``failure``. ``asked``: per document, task -> inputs."""
        wanted = [dict.fromkeys(read for inputs in own.values() for read in inputs) for own in asked]
        for document, own, inputs in zip(documents, asked, wanted, strict=True):
            size = sum(map(_characters, inputs))
            if size > MOST_CHARACTERS:
                task = max(own, key=lambda name: sum(map(_characters, own[name])))
                error = TokenizeError(
                    f"{len(inputs):,} inputs of {size:,} characters in all, and at most {MOST_CHARACTERS:,} are read"
                )
                document.failure = document.failure or Failure.of(error, "tokenize", task)
                inputs.clear()
        results = iter(self.tokenization.encode([read for inputs in wanted for read in inputs]))
        for document, own, inputs in zip(documents, asked, wanted, strict=True):
            windows: dict[Input, list[Encoding]] = {}
            for read in inputs:
                encoded = next(results)
                if isinstance(encoded, EventError):
                    task = next(name for name, theirs in own.items() if read in theirs)
                    document.failure = document.failure or Failure.of(encoded, "tokenize", task)
                else:
                    windows[read] = encoded
                    document.tokens += sum(map(len, encoded))
            document.sequences[index] = Reads(own, windows)

    def pack(self, documents: Sequence[Document], index: int) -> Job:
        """The work of this stage, whose place in the chain is ``index``."""
        windows: list[Encoding] = []
        places: dict[Input, tuple[int, int]] = {}
        paired = False
        for document in documents:
            reads: Reads | None = document.sequences.get(index)
            if document.failure is not None or reads is None:
                continue
            for read, own in reads.windows.items():
                if read not in places:
                    paired = paired or isinstance(read, tuple)
                    places[read] = (len(windows), len(windows) + len(own))
                    windows += own
        lengths = np.fromiter(map(len, windows), np.int64, len(windows))
        starts = flat_starts(lengths)
        total = int(starts[-1])
        ids = np.fromiter(chain.from_iterable(window.ids for window in windows), np.int64, total)
        types = None
        if self.trunk.cased:
            whose = [read for read, (first, last) in places.items() for _ in range(first, last)]
            types = cased_types(whose, windows, self.tokenization.cut.segments)
        elif self.tokenization.typed or (paired and self.tokenization.typed_pairs):
            types = np.fromiter(chain.from_iterable(window.type_ids for window in windows), np.int64, total)
        heads = len(self.outputs)
        job = Job(
            windows, lengths, starts, ids, types, paired, places, [], [None] * heads, [None] * heads,
            [{} for _ in range(heads)],
        )  # fmt: skip
        # An id without an embedding would break a CUDA context for good, so it never gets there.
        for sequence in _sequences(np.flatnonzero(ids >= self.trunk.vocabulary), starts):
            error = TokenizeError("the tokenizer gave a token the model has no embedding for")
            job.failed[sequence] = Failure.of(error, "tokenize")
        job.batches = self._cut(job, np.array([n for n in range(len(windows)) if n not in job.failed], np.int64))
        return job

    def readings(self, job: Job, reads: Reads, task: str, output: int) -> list[Reading]:
        """What ``task`` of a document gets to see: a reading for each of its inputs."""
        per, scores, settled = self.outputs[output].per, job.scores[output], job.settled[output]
        made = []
        for read in reads.asked[task]:
            first, last = job.places[read]
            if per == "input":
                own = [settled[read]]
            elif scores is None:
                raise AssertionError("no forward has run")
            elif per == "token":
                own = [scores[job.starts[n] : job.starts[n + 1]] for n in range(first, last)]
            else:
                own = [scores[n] for n in range(first, last)]
            made.append(Reading(job.windows[first:last], own))
        return made

    def read(self, output: int, inputs: Sequence[Input]) -> list[Reading]:
        """The readings of ``inputs`` that belong to no event. Raises ModelError when one cannot be read."""
        document = Document(None)
        self.prepare([document], 0, [{"": inputs}])
        job = self.pack([document], 0)
        self.forward(job)
        failure = document.failure or next(iter(job.failed.values()), None)
        if failure is not None:
            raise ModelError(failure.message)
        return self.readings(job, document.sequences[0], "", output)

    def forward(self, job: Job) -> None:
        """Runs every forward of ``job``. Whatever fails is halved until the sequence at fault stands alone.

        Raises DeviceError when the device can run nothing more.
        """
        pending = job.batches[::-1]
        while pending:
            batch = pending.pop()
            if len(batch) > 1 and self._size(batch) > self.trunk.forward_tokens:
                pending += self._cut(job, batch.sequences)[::-1]
                continue
            error = self._attempt(job, batch)
            if error is None:
                continue
            if _is_sticky(error):
                raise DeviceError(f"{self.trunk.device} is lost: {type(error).__name__}") from error
            full = _is_out_of_memory(error)
            if full and self.trunk.device.type == "cuda":
                torch.cuda.empty_cache()
            if len(batch) == 1:
                if full:
                    error = ForwardError(f"the device has no memory for a sequence of {batch.longest} tokens")
                job.failed[int(batch.sequences[0])] = Failure.of(error, "forward")
            elif full:
                self.trunk.forward_tokens = max(1, self._size(batch) // 2)
                pending.append(batch)
            else:
                middle = len(batch) // 2
                for half in (batch.sequences[middle:], batch.sequences[:middle]):
                    pending += self._cut(job, half)[::-1]
        job.batches = []
        for index, output in enumerate(self.outputs):
            if output.per == "input":
                self._settle(job, index, output)

    @torch.inference_mode()
    def _settle(self, job: Job, index: int, output: Output) -> None:
        """Has a head that reads whole inputs say what it finds in each of them, all at once unless one is at fault."""
        states, job.states[index] = job.states[index], None
        pending = [[read for read in job.places if isinstance(read, str) and job.failure(read) is None]]
        while states is not None and pending:
            reads = pending.pop()
            places = [job.places[read] for read in reads]
            try:
                found = output.head.settle(
                    [states[job.starts[first] : job.starts[last]] for first, last in places],
                    [job.windows[first:last] for first, last in places], reads,
                )  # fmt: skip
            except Exception as error:
                if _is_sticky(error):
                    raise DeviceError(f"{self.trunk.device} is lost: {type(error).__name__}") from error
                if len(reads) > 1:
                    pending = [[read] for read in reads]
                else:
                    job.failed[places[0][0]] = Failure.of(error, "forward", self._reader(index))
            else:
                job.settled[index] |= zip(reads, found, strict=True)

    def _attempt(self, job: Job, batch: PackedBatch) -> Exception | None:
        try:
            results = self._compute(job, batch)
        except Exception as error:
            # The frames hold tensors, and with them the memory the next attempt needs.
            return error.with_traceback(None)
        for index, (output, result) in enumerate(zip(self.outputs, results, strict=True)):
            if isinstance(result, Tensor):
                states = job.states[index]
                if states is None:
                    states = job.states[index] = result.new_empty((len(job.ids), result.shape[1]))
                states[torch.from_numpy(batch.tokens).to(states.device)] = result
                continue
            per_token = output.per == "token"
            rows = batch.tokens if per_token else batch.sequences
            scores = job.scores[index]
            if scores is None:
                size = len(job.ids) if per_token else len(job.windows)
                scores = job.scores[index] = np.empty((size, result.shape[1]), np.float32)
            scores[rows] = result
            wrong = np.flatnonzero(~np.isfinite(result).all(axis=1))
            if len(wrong):
                for place in _sequences(wrong, batch.starts) if per_token else wrong:
                    strange = ForwardError("the model returned a score that is not a number")
                    job.failed[int(batch.sequences[place])] = Failure.of(strange, "forward", self._reader(index))
        return None

    def _reader(self, output: int) -> str | None:
        """A task that reads this output: the one to name when its head is at fault, and not the trunk."""
        return next((name for name, own in self.tasks.items() if own == output), None)

    @torch.inference_mode()
    def _compute(self, job: Job, batch: PackedBatch) -> list[Scores | Tensor]:
        if job.paired and job.types is not None:
            batch = replace(batch, sides=job.types[batch.tokens] % SIDES)
        mixes = [output.head.mix for output in self.outputs if output.head.mix is not None]
        every_layer = bool(mixes) or any(output.head.every_layer for output in self.outputs)
        layers = self.trunk.forward(batch, job.ids, job.types, every_layer)
        mixed = iter(mixtures(layers, torch.stack(mixes)) if mixes else ())
        results: list[Scores | Tensor] = []
        for output in self.outputs:
            states = layers if output.head.mix is None else (next(mixed).unsqueeze(0),)
            result = output.head(states, batch)
            results.append(result if output.per == "input" else _activate(result, output.activation))
        return results

    def _cut(self, job: Job, sequences: Ints) -> list[PackedBatch]:
        return pack(job.lengths, job.starts, sequences, self.trunk.forward_tokens, padded=not self.trunk.packed)

    def _size(self, batch: PackedBatch) -> int:
        return len(batch.tokens) if self.trunk.packed else len(batch) * batch.longest


def _characters(read: Input) -> int:
    return len(read) if isinstance(read, str) else len(read[0]) + len(read[1])


def _activate(logits: Tensor, activation: Activation) -> Scores:
    scores = logits.float()
    if activation == "softmax":
        scores = scores.softmax(-1)
    elif activation == "sigmoid":
        scores = scores.sigmoid()
    return scores.cpu().numpy()


def _sequences(tokens: Ints, starts: NDArray[np.integer]) -> Ints:
    """Which sequences the tokens belong to."""
    return np.unique(np.searchsorted(starts, tokens, side="right") - 1)


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError)
        and any(sign in text for sign in ("can't allocate memory", "error: out of memory", "STATUS_ALLOC_FAILED"))
    )


def _is_sticky(error: Exception) -> bool:
    """Errors after which every later call on the device fails too, until the process ends."""
    if _is_out_of_memory(error):
        return False
    return isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)
