"""Measures: F1, AUROC, calibration error, and the temperature that calibrates scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Span = tuple[int, int, str]


def span_f1(gold: Sequence[set[Span]], predicted: Sequence[set[Span]]) -> float:
    """Return the micro F1 of spans, given per text; 1 if there are none at all. Start, end and label must be equal."""
    hits = sum(len(a & b) for a, b in zip(gold, predicted, strict=True))
    total = sum(map(len, gold)) + sum(map(len, predicted))
    return 2 * hits / total if total else 1.0


def f1(gold: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Return the F1 of one class, given whether each text has it; 0 if no text does."""
    total = int(gold.sum() + predicted.sum())
    return 2 * int((gold & predicted).sum()) / total if total else 0.0


def macro_f1(gold: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> float:
    """Return the mean F1 of all classes, given the number of each text's class."""
    return float(np.mean([f1(gold == label, predicted == label) for label in range(classes)]))


def auroc(gold: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    """Return the probability that a positive scores above a negative (Mann-Whitney U); ties count half.

    There must be both positives and negatives.
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(gold.sum())
    negatives = len(gold) - positives
    return float((ranks[gold].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def temperature(logits: Tensor, targets: Tensor, *, multi_label: bool, weights: Tensor | None = None) -> float:
    """Return the divisor of the logits that minimises the log loss on held-out data (Guo et al. 2017).

    Args:
        logits: ``[rows, labels]``.
        targets: probabilities of the same shape.
        multi_label: whether the labels do not exclude each other, so that each gets a sigmoid.
        weights: of the rows, ``[rows]``; all equal by default.
    """
    log = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([log], max_iter=100)

    def step() -> Tensor:
        optimizer.zero_grad()
        scaled = logits / log.exp()
        if multi_label:
            each = torch.nn.functional.binary_cross_entropy_with_logits(scaled, targets, reduction="none").sum(1)
        else:
            each = -(targets * scaled.log_softmax(1)).sum(1)
        loss = (each * weights).sum() / weights.sum() if weights is not None else each.mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(step)  # type: ignore[no-untyped-call]
    return float(log.exp().detach())


def calibration_error(confidence: NDArray[np.float32], correct: NDArray[np.bool_], bins: int = 10) -> float:
    """Return the expected calibration error over ``bins`` of equal width (Naeini et al. 2015).

    ``confidence`` and ``correct`` are ``[texts]``.
    """
    where = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(float(confidence[where == b].mean()) - float(correct[where == b].mean())) * int((where == b).sum())
        for b in range(bins)
        if (where == b).any()
    ]
    return sum(gaps) / len(confidence)


def wilson(hits: float, count: float) -> tuple[float, float]:
    """Return the 95 % interval of the share ``hits / count`` (Wilson 1927); ``count`` is greater than 0."""
    z, share = 1.959964, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - reach), min(1.0, middle + reach)
