"""Chooses the precision of trunks on a CPU: bfloat16 where it is clearly faster and the scores stay the same.

bfloat16 has 8 bits of precision, float32 24. Processors with instructions for it multiply it about twice as fast, but
the hidden states differ by about one per cent, which moves scores that are neither near 0 nor near 1. So both
precisions read the same texts, and their scores are compared, task by task.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import chain
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from schemas.document import Document
from workers.chain.forward import Output
from workers.chain.job import Tokenized
from workers.chain.placement import Planned
from workers.chain.sample_texts import PAIRS, TEXTS
from workers.chain.stage import Stage
from workers.encoder.reading import Input, Reading, Scores
from workers.encoder.trunk import Trunk
from workers.encoder.tuning import speed, tune

TOLERANCE = 2e-3
"""How far scores may differ from those in float32.

A label or flag can then change only where float32 has two labels, or a score and its threshold, as close as that.
"""
GAIN = 1.15
"""How many times as fast as float32 it must be: less may be noise, and the next start would decide otherwise."""
_SECONDS = 3.0
"""About how long the comparison of speeds may take; there are at least three rounds."""
_INPUTS = 2
"""How many inputs a task may read of each text: zero-shot has one for each of its labels, which are all alike."""


def choose_precisions(
    stages: Sequence[Stage], tasks: Sequence[Planned], most: int, size: int | None, shared: Sequence[Trunk] = ()
) -> None:
    """Move stages to a trunk in bfloat16 where that is faster and agrees with float32; say why in ``Trunk.reason``.

    Only trunks in float32 count that are not tuned yet and that nothing has been chosen for. What is chosen is tuned.
    Call it on the thread that loads the chain.

    Args:
        stages: the stages of a chain, in its order.
        tasks: the tasks of the chain.
        most: the largest forward, in tokens.
        size: the configured size of forwards, in tokens; None to measure the best.
        shared: trunks of the chain before. One that is equal and in bfloat16 is shared without measuring it again, if
            the scores of the new tasks agree, too.
    """
    trunks = {id(stage.trunk): stage.trunk for stage in stages}.values()
    for trunk in [trunk for trunk in trunks if trunk.reason is None and not trunk.tuned]:
        of_trunk = {index: stage for index, stage in enumerate(stages) if stage.trunk is trunk}
        members = [planned for planned in tasks if planned.stage in of_trunk]
        try:
            _choose(trunk, of_trunk, members, (most, size), shared)
        except Exception as error:
            # Whatever goes wrong with bfloat16, float32 works or is about to show that it does not.
            trunk.reason = f"bfloat16 fails on the texts that it is compared on ({type(error).__name__})"
        if trunk.reason is not None:
            for stage in of_trunk.values():
                stage.use(trunk)


def _choose(
    trunk: Trunk,
    stages: dict[int, Stage],
    tasks: Sequence[Planned],
    sizes: tuple[int, int | None],
    shared: Sequence[Trunk],
) -> None:
    """Move ``stages`` from ``trunk`` to an equal one in bfloat16, or set its reason for float32.

    ``stages``: those of the trunk, by their place in the chain.
    """
    known = (other for other in shared if other.dtype == torch.bfloat16 and other.fingerprint == trunk.fingerprint)
    fast = next(known, None)
    expected = _read(stages, tasks)
    half = fast or trunk.converted(torch.bfloat16)
    for stage in stages.values():
        stage.use(half)
    actual = _read(stages, tasks)
    far = {name: _difference(expected[name], actual[name]) for name in expected}
    worst = max(far, key=far.__getitem__)
    if not far[worst] <= TOLERANCE:
        scores = f"scores of {worst} differ by up to {far[worst]:.2g}, and {TOLERANCE:g} is allowed"
        how = scores if far[worst] < math.inf else f"clusters of {worst} differ"
        trunk.reason = f"in bfloat16 {how}; compute.dtype: bfloat16 accepts that"
    elif fast is None:
        for either in (trunk, half):
            tune(either, *sizes)
        gain = _gain(trunk, half)
        if gain < GAIN:
            trunk.reason = f"bfloat16 is {gain:.2f} times as fast, and less than {GAIN:g} may be noise"
        else:
            half.reason = f"{gain:.1f} times as fast as float32, and scores differ by at most {far[worst]:.1g}"


def _read(stages: dict[int, Stage], tasks: Sequence[Planned]) -> dict[str, list[Any]]:
    """Have the stages read the sample texts.

    Returns what is to be compared, by task: arrays of scores, or the clusters of each text. Raises ValueError if a task
    can read none of them.
    """
    made: dict[str, list[Any]] = {}
    for index, stage in stages.items():
        members = [planned for planned in tasks if planned.stage == index]
        document = Document(None)
        stage.prepare([document], index, [{planned.task.name: _inputs(planned) for planned in members}])
        tokenized: Tokenized = document.sequences[index]
        # Texts that do not fit into the window of this model, such as pairs of long ones, are left out.
        document.failure = None
        for name, inputs in tokenized.inputs.items():
            tokenized.inputs[name] = [each for each in inputs if each not in tokenized.failed]
        job = stage.pack([document], index)
        stage.forward(job)
        for planned in members:
            name, output = planned.task.name, planned.output
            if not tokenized.inputs[name] or stage.failure(job, tokenized, name, output) is not None:
                raise ValueError("the texts cannot be read")
            made[name] = _comparable(stage.outputs[output], stage.readings(job, tokenized, name, output))
    return made


def _inputs(planned: Planned) -> list[Input]:
    """Return what the task reads of the sample texts; pairs of them if it needs more than a text."""
    task = planned.task
    try:
        of_texts = [task.inputs(Document(None, text, fields={}))[:_INPUTS] for text in TEXTS]
    except Exception:
        # The task needs fields, or spans of other tasks, which these documents do not have.
        return list(PAIRS if task.paired else TEXTS)
    return list(chain.from_iterable(of_texts)) or list(PAIRS if task.paired else TEXTS)


def _comparable(output: Output, readings: Sequence[Reading]) -> list[Any]:
    """Turn readings into numbers from 0 to 1, as tasks do, or leave clusters as they are."""
    head, arrays = output.head, [scores for reading in readings for scores in reading.scores]
    if head.per == "input" or output.activation != "none":
        return arrays
    if head.labels:
        return [_softmax(scores, -1) for scores in arrays]
    if head.per == "token":  # where a span starts and where it ends
        return [_softmax(scores, 0) for scores in arrays]
    vectors = np.stack(arrays)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
    return [vectors @ vectors.T]


def _softmax(logits: Scores, axis: int) -> NDArray[np.floating]:
    powers = np.exp(logits - logits.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)  # type: ignore[no-any-return]


def _difference(expected: list[Any], actual: list[Any]) -> float:
    """Return the largest difference of any two scores; of clusters infinity, unless they are equal."""
    if not isinstance(expected[0], np.ndarray):
        return 0.0 if expected == actual else math.inf
    return max(float(np.abs(wanted - got).max()) for wanted, got in zip(expected, actual, strict=True))


def _gain(slow: Trunk, fast: Trunk) -> float:
    """Return how many times as fast ``fast`` is, the median over rounds in which both take turns; both are tuned."""
    began, ratios = time.monotonic(), list[float]()
    while len(ratios) < 3 or (time.monotonic() - began < _SECONDS and len(ratios) < 15):
        before, after = (speed(trunk, trunk.forward_tokens, warm=True) for trunk in (slow, fast))
        ratios.append(after / before)
    return median(ratios)
