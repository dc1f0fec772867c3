"""The forwards of a stage: what fails is halved until the sequence at fault is alone, what does not fit is split."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from schemas.document import Failure
from schemas.errors import DeviceError, ForwardError
from workers.chain.job import LONG, Job, sequences_of
from workers.chain.pace import Pace
from workers.encoder.casing import SIDES
from workers.encoder.packing import PackedBatch
from workers.encoder.pool import Pool
from workers.encoder.pooling import mixtures
from workers.encoder.reading import Activation, Scores
from workers.encoder.trunk import States, Trunk
from workers.heads.base import Head

_LEAST = 512
"""Tokens: what takes less is counted as much, because its time is hardly that of its tokens."""


Results: TypeAlias = Exception | list[Scores | Tensor | Exception]
"""The result or the exception of each head; one exception if the trunk has failed."""
Wait: TypeAlias = Callable[[Collection[Future[Any]], Pool], None]
"""Returns when one of some forwards has ended, which run on the threads of a pool; none is left to be submitted."""


def wait_for_one(running: Collection[Future[Any]], pool: Pool) -> None:
    """Return when one of ``running`` has ended."""
    wait(running, return_when=FIRST_COMPLETED)


@dataclass(frozen=True, slots=True)
class Output:
    """A head and the activation of its logits. Tasks that agree in both share one output."""

    head: Head
    activation: Activation


class Forwards:
    """Runs the forwards of one stage, for the thread that loads the chain, then for the device thread.

    That thread stores the results. The forwards themselves may run on the threads of the trunk's pool.
    """

    def __init__(self, trunk: Trunk, outputs: Sequence[Output]) -> None:
        """Prepare to run ``outputs`` on ``trunk``."""
        self._trunk = trunk
        self._outputs = outputs

    def begin(self, job: Job, pace: Pace, count: int) -> list[Future[Results | None]]:
        """Start up to ``count`` forwards of ``job`` on the threads of the trunk's pool; ``run`` must follow.

        Returns what has been started, which is nothing if there is no pool or no forward is left.
        """
        pool, started = self._trunk.pool, list[Future[Results | None]]()
        while pool is not None and job.batches and len(started) < count:
            batch = job.batches.pop(0)
            started.append(future := pool.submit(partial(self._forward, job, batch, pace)))
            job.running[future] = batch
        return started

    def run(self, job: Job, pace: Pace, wait_for: Wait = wait_for_one) -> None:
        """Run every forward of ``job``, and fill in its ``scores``, ``clusters``, ``failed`` and ``failed_heads``.

        A batch that fails is halved until the failing sequence is alone. If a head fails on that sequence, the others
        keep their scores. A batch that does not fit in memory makes the trunk's ``forward_tokens`` smaller from now
        on. Each forward is a step of ``pace``. ``wait_for`` is called while forwards run side by side. Raises
        DeviceError if the device can no longer be used; nothing else escapes.
        """
        trunk = self._trunk
        pending = job.batches[::-1]
        with closing(self._compute(job, pending, pace, wait_for)) as computed:
            for batch, results in computed:
                if results is None:
                    pending += job.split(batch.sequences, trunk)[::-1]
                    continue
                errors = _errors(results)
                for error in errors:
                    self._require_device(error)
                full = any(map(_is_out_of_memory, errors))
                if full and trunk.device.type == "cuda":
                    torch.cuda.empty_cache()
                if not errors or len(batch) == 1:
                    self._store(job, batch, results)
                elif full:
                    trunk.forward_tokens = max(1, min(trunk.forward_tokens, self._size(batch) // 2))
                    pending.append(batch)
                else:
                    middle = len(batch) // 2
                    for half in (batch.sequences[middle:], batch.sequences[:middle]):
                        pending += job.split(half, trunk)[::-1]
        job.batches = []
        for index, output in enumerate(self._outputs):
            if output.head.per == "input":
                self._resolve_inputs(job, index, output.head, pace)

    def _compute(
        self, job: Job, pending: list[PackedBatch], pace: Pace, wait_for: Wait
    ) -> Generator[tuple[PackedBatch, Results | None], None, None]:
        """Take the batches off the end of ``pending`` and yield each with its results, or None if it is too large.

        Those that ``begin`` has started are yielded, too.

        More may be appended between two results. Forwards run side by side if the trunk has a pool; one that is left
        runs on this thread, with all cores. When the generator is closed, no forward runs any more.
        """
        pool = self._trunk.pool
        running: dict[Future[Results | None], PackedBatch] = job.running
        crowded: list[PackedBatch] = []
        try:
            while pending or running or crowded:
                while pool is not None and pending and (running or len(pending) > 1):
                    batch = pending.pop()
                    running[pool.submit(partial(self._forward, job, batch, pace))] = batch
                if not running:
                    batch = (pending or crowded).pop()
                    shared = pool is not None and pool.busy  # with what has begun ahead
                    results = self._forward(job, batch, pace)
                    if pool is not None and shared and _is_too_large(batch, results):
                        pool.finish()
                        results = self._forward(job, batch, pace)
                    yield batch, results
                if pool is not None and running:
                    wait_for(running, pool)
                for future in [future for future in running if future.done()]:
                    batch, results = running.pop(future), future.result()
                    if _is_too_large(batch, results):
                        crowded.append(batch)
                    else:
                        yield batch, results
        finally:
            for future in running:
                future.cancel()
            wait(running)

    def _forward(self, job: Job, batch: PackedBatch, pace: Pace) -> Results | None:
        """Run one forward as a step of ``pace``, on any thread; None if the batch is larger than they may be now."""
        trunk = self._trunk
        if len(batch) > 1 and self._size(batch) > trunk.forward_tokens:
            return None
        with pace.forward(trunk.name, _tokens(batch), trunk.token_seconds):
            return self._attempt(job, batch)

    def _attempt(self, job: Job, batch: PackedBatch) -> Results:
        """Run one forward and return the result or the exception of each head; one exception if the trunk fails.

        Of a batch that will be halved, the heads after the one that fails are left out.
        """
        try:
            if job.paired and job.types is not None:
                batch = replace(batch, sides=job.types[batch.tokens] % SIDES)
            layers = self._states(job, batch)
        except Exception as error:
            # The frames of the traceback hold tensors, and with them the memory that the next attempt needs.
            return error.with_traceback(None)
        results: list[Scores | Tensor | Exception] = []
        for states, output in zip(layers, self._outputs, strict=True):
            try:
                results.append(self._score(output, states, batch))
            except Exception as error:
                results.append(error.with_traceback(None))
                if len(batch) > 1:
                    break
        return results

    @torch.inference_mode()
    def _states(self, job: Job, batch: PackedBatch) -> list[States]:
        """Run the trunk over ``batch`` and return what each head reads."""
        mixes = [output.head.mix for output in self._outputs if output.head.mix is not None]
        every_layer = bool(mixes) or any(output.head.every_layer for output in self._outputs)
        layers = self._trunk.forward(batch, job.ids, job.types, every_layer)
        mixed = iter(mixtures(layers, torch.stack(mixes)) if mixes else ())
        return [layers if output.head.mix is None else (next(mixed).unsqueeze(0),) for output in self._outputs]

    @torch.inference_mode()
    def _score(self, output: Output, states: States, batch: PackedBatch) -> Scores | Tensor:
        """Compute the scores of one head; for a head that needs whole inputs their states ``[T, H]``."""
        result = output.head(states, batch)
        return result if output.head.per == "input" else _activate(result, output.activation)

    def _store(self, job: Job, batch: PackedBatch, results: Results) -> None:
        """Put the results of a forward into ``job``. If there are exceptions, ``batch`` has one sequence."""
        first = int(batch.sequences[0])
        if isinstance(results, Exception):
            job.failed[first] = _failure(results, batch)
            return
        for index, (output, result) in enumerate(zip(self._outputs, results, strict=True)):
            if isinstance(result, Exception):
                job.failed_heads[index][first] = _failure(result, batch)
            elif isinstance(result, Tensor):
                states = job.states[index]
                if states is None:
                    states = job.states[index] = result.new_empty((len(job.ids), result.shape[1]))
                states[torch.from_numpy(batch.tokens).to(states.device)] = result
            else:
                self._store_scores(job, batch, index, output.head.per == "token", result)

    def _store_scores(self, job: Job, batch: PackedBatch, index: int, per_token: bool, result: Scores) -> None:
        rows = batch.tokens if per_token else batch.sequences
        scores = job.scores[index]
        if scores is None:
            size = len(job.ids) if per_token else len(job.windows)
            scores = job.scores[index] = np.empty((size, result.shape[1]), np.float32)
        scores[rows] = result
        wrong = np.flatnonzero(~np.isfinite(result).all(axis=1))
        for place in sequences_of(wrong, batch.starts) if per_token else wrong:
            strange = ForwardError("the model returned a score that is not a number")
            job.failed_heads[index][int(batch.sequences[place])] = Failure.of(strange, "forward")

    @torch.inference_mode()
    def _resolve_inputs(self, job: Job, index: int, head: Head, pace: Pace) -> None:
        """Have ``head`` process the whole inputs that its tasks read: all at once or, if that fails, one by one."""
        states, job.states[index] = job.states[index], None
        texts = [text for text in job.wanted[index] if isinstance(text, str) and text in job.places]
        texts = [text for text in texts if job.failure(text, index) is None]
        pending = [texts] if texts else []
        while states is not None and pending:
            texts = pending.pop()
            places = [job.places[text] for text in texts]
            try:
                of_texts = [states[job.starts[first] : job.starts[last]] for first, last in places]
                windows = [job.windows[first:last] for first, last in places]
                with pace.step("clusters", max(_LEAST, sum(map(len, of_texts))) ** 2):
                    clusters = head.resolve_clusters(of_texts, windows, texts)
            except Exception as error:
                self._require_device(error)
                if len(texts) > 1:
                    pending = [[text] for text in texts]
                else:
                    job.failed_heads[index][places[0][0]] = Failure.of(error, "forward")
            else:
                job.clusters[index] |= zip(texts, clusters, strict=True)

    def _require_device(self, error: Exception) -> None:
        """Raise DeviceError if ``error`` means that every later call on the device will fail too."""
        if not _is_out_of_memory(error) and (isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)):
            raise DeviceError(f"{self._trunk.device} is lost: {type(error).__name__}") from error

    def _size(self, batch: PackedBatch) -> int:
        """Return the tokens that the trunk computes for ``batch``, padding included."""
        return len(batch.tokens) if self._trunk.packed else len(batch) * batch.longest


def _tokens(batch: PackedBatch) -> float:
    """Return the size of a forward in tokens; those of long sequences count more, as in ``costs_of``."""
    return max(_LEAST, len(batch) * batch.longest) * (1 + batch.longest / LONG)


def _errors(results: Results) -> list[Exception]:
    """Return the exceptions among ``results``."""
    return [result for result in (results if isinstance(results, list) else [results]) if isinstance(result, Exception)]


def _is_too_large(batch: PackedBatch, results: Results | None) -> bool:
    """Whether there was no memory for a forward that cannot be split: alone it may fit."""
    return results is not None and len(batch) == 1 and any(map(_is_out_of_memory, _errors(results)))


def _failure(error: Exception, batch: PackedBatch) -> Failure:
    """Return the failure of a batch of one sequence."""
    if _is_out_of_memory(error):
        error = ForwardError(f"the device has no memory for a sequence of {batch.longest} tokens")
    return Failure.of(error, "forward")


def _activate(logits: Tensor, activation: Activation) -> Scores:
    scores = logits.float()
    if activation == "softmax":
        scores = scores.softmax(-1)
    elif activation == "sigmoid":
        scores = scores.sigmoid()
    return scores.cpu().numpy()


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError)
        and any(sign in text for sign in ("can't allocate memory", "error: out of memory", "STATUS_ALLOC_FAILED"))
    )
