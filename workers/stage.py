"""A stage: the tasks that read the same sequences of the same trunk, in one forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor

from schemas.document import Document, Failure
from schemas.errors import DeviceError, EventError, ForwardError, TokenizeError
from workers.encoder import Trunk
from workers.heads import Head
from workers.packing import Ints, PackedBatch, flat_starts, pack
from workers.tasks.base import Activation, Scores
from workers.tokenization import Tokenization, kept


@dataclass(slots=True)
class Job:
    """A stage's share of a micro-batch. S sequences of all documents, equal texts once, L tokens together.

    - ``windows`` [S], ``lengths`` [S], ``starts`` [S+1], ``ids`` [L], ``types`` [L] or None.
    - ``spans``: per document the first and last + 1 of its sequences; None where it takes no part.
    - ``batches``: the forwards, as cut beforehand.
    - ``scores``: per head ``[S, labels]`` or ``[L, labels]``, filled by the forwards.
    - ``failed``: sequence -> why it has no scores.
    """

    windows: list[Encoding]
    lengths: Ints
    starts: Ints
    ids: Ints
    types: Ints | None
    spans: list[tuple[int, int] | None]
    batches: list[PackedBatch]
    scores: list[Scores | None]
    failed: dict[int, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """One head with its activation. ``per_token`` says which shape its scores have."""

    head: Head
    activation: Activation
    per_token: bool


class Stage:
    """Tokenises, packs and computes; the tasks' annotations are the chain's business."""

    def __init__(self, trunk: Trunk, tokenization: Tokenization) -> None:
        self.trunk = trunk
        self.tokenization = tokenization
        self.outputs: list[Output] = []
        self.tasks: list[str] = []

    def prepare(self, documents: Sequence[Document]) -> None:
        """Appends each document's windows to its ``sequences``, or sets its ``failure``."""
        results = self.tokenization.encode([document.text for document in documents])
        for document, windows in zip(documents, results, strict=True):
            if isinstance(windows, EventError):
                document.failure = Failure.of(windows, "tokenize")
                continue
            document.sequences.append(windows)
            document.tokens += sum(map(len, windows))
            if self.tokenization.truncate and (read := kept(windows[0])) is not None:
                document.notices += [
                    {"task": task, "kind": "truncated", "kept": read, "of": len(document.text)} for task in self.tasks
                ]

    def pack(self, documents: Sequence[Document], index: int) -> Job:
        """The work of this stage, whose place in the chain is ``index``."""
        windows: list[Encoding] = []
        spans: list[tuple[int, int] | None] = []
        seen: dict[str, tuple[int, int]] = {}
        for document in documents:
            if document.failure is not None:
                spans.append(None)
                continue
            span = seen.get(document.text)
            if span is None:
                first = len(windows)
                windows += document.sequences[index]
                span = seen[document.text] = (first, len(windows))
            spans.append(span)
        lengths = np.fromiter(map(len, windows), np.int64, len(windows))
        starts = flat_starts(lengths)
        total = int(starts[-1])
        ids = np.fromiter(chain.from_iterable(window.ids for window in windows), np.int64, total)
        types = None
        if self.tokenization.typed:
            types = np.fromiter(chain.from_iterable(window.type_ids for window in windows), np.int64, total)
        job = Job(windows, lengths, starts, ids, types, spans, [], [None] * len(self.outputs))
        # An id without an embedding would break a CUDA context for good, so it never gets there.
        for sequence in _sequences(np.flatnonzero(ids >= self.trunk.vocabulary), starts):
            error = TokenizeError("the tokenizer gave a token the model has no embedding for")
            job.failed[sequence] = Failure.of(error, "tokenize")
        job.batches = self._cut(job, np.array([n for n in range(len(windows)) if n not in job.failed], np.int64))
        return job

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

    def _attempt(self, job: Job, batch: PackedBatch) -> Exception | None:
        try:
            results = self._compute(job, batch)
        except Exception as error:
            # The frames hold tensors, and with them the memory the next attempt needs.
            return error.with_traceback(None)
        for index, (output, result) in enumerate(zip(self.outputs, results, strict=True)):
            rows = batch.tokens if output.per_token else batch.sequences
            scores = job.scores[index]
            if scores is None:
                size = len(job.ids) if output.per_token else len(job.windows)
                scores = job.scores[index] = np.empty((size, result.shape[1]), np.float32)
            scores[rows] = result
            wrong = np.flatnonzero(~np.isfinite(result).all(axis=1))
            if len(wrong):
                for place in _sequences(wrong, batch.starts) if output.per_token else wrong:
                    strange = ForwardError("the model returned a score that is not a number")
                    job.failed[int(batch.sequences[place])] = Failure.of(strange, "forward")
        return None

    @torch.inference_mode()
    def _compute(self, job: Job, batch: PackedBatch) -> list[Scores]:
        every_layer = any(output.head.every_layer for output in self.outputs)
        states = self.trunk.forward(batch, job.ids, job.types, every_layer)
        return [_activate(output.head(states, batch), output.activation) for output in self.outputs]

    def _cut(self, job: Job, sequences: Ints) -> list[PackedBatch]:
        return pack(job.lengths, job.starts, sequences, self.trunk.forward_tokens, padded=not self.trunk.packed)

    def _size(self, batch: PackedBatch) -> int:
        return len(batch.tokens) if self.trunk.packed else len(batch) * batch.longest


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
