"""What annotations are worth against labels, with 95 % bootstrap intervals (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.document import Annotation
from workers.learning.examples import Example, Task
from workers.learning.scores import auroc, calibration_error

ROUNDS = 1000
NAN = float("nan")
Floats = NDArray[np.float64]


class Metric(NamedTuple):
    """``low``, ``high``: the 95 % interval over resampled texts; not a number where there was nothing to count."""

    name: str
    value: float
    low: float
    high: float


def measure(
    task: Task, labels: Sequence[str], examples: Sequence[Example], found: Sequence[Annotation]
) -> list[Metric]:
    """``found``: the annotation of each example's text. First what sums up, then label by label."""
    if task == "ner":
        return _spans(labels, examples, found)
    if task == "moderation":
        return _flags(labels, examples, found)
    return _classes(labels, examples, found)


def _classes(labels: Sequence[str], examples: Sequence[Example], found: Sequence[Annotation]) -> list[Metric]:
    gold = _one_hot(labels, [example.labels for example in examples])
    said = _one_hot(labels, [(own["label"],) for own in found])
    hits: NDArray[np.bool_] = np.asarray((gold & said).any(1))
    sure = np.array([own["score"] for own in found], np.float32)
    return [
        _counted("accuracy", np.column_stack([hits, np.ones(len(hits))]), lambda sums: _ratio(sums[0], sums[1])),
        *_f1s(labels, gold, said),
        _resampled("ECE", len(hits), lambda rows: calibration_error(sure[rows], hits[rows])),
    ]


def _flags(labels: Sequence[str], examples: Sequence[Example], found: Sequence[Annotation]) -> list[Metric]:
    gold = _one_hot(labels, [example.labels for example in examples])
    said = _one_hot(labels, [[one["label"] for one in own["labels"] if one["flagged"]] for own in found])
    by_label = [{one["label"]: one["score"] for one in own["labels"]} for own in found]
    scores = np.array([[own[label] for label in labels] for own in by_label], np.float32)
    f1s = _f1s(labels, gold, said)
    areas = [_area(label, gold[:, n], scores[:, n]) for n, label in enumerate(labels)]
    right = [
        _counted(f"precision {label}", np.column_stack([gold[:, n] & said[:, n], said[:, n]]), lambda s: _ratio(*s))
        for n, label in enumerate(labels)
    ]
    error = _resampled("ECE", len(gold), lambda rows: calibration_error(scores[rows].ravel(), gold[rows].ravel()))
    return [f1s[0], error, *f1s[1:], *right, *areas]


def _spans(labels: Sequence[str], examples: Sequence[Example], found: Sequence[Annotation]) -> list[Metric]:
    gold = [set(example.spans) for example in examples]
    # A head that knows other labels, too, is judged by these.
    said = [
        {(own["start"], own["end"], own["label"]) for own in one["spans"] if own["label"] in labels} for one in found
    ]
    table = np.array([
        [count for label in labels for count in _counts(_of(label, one), _of(label, other))]
        for one, other in zip(gold, said, strict=True)
    ], np.float64).reshape(len(gold), len(labels), 3)  # fmt: skip
    whole = table.sum(1)
    each = [_counted(f"F1 {label}", table[:, n], lambda sums: _f1(*sums)) for n, label in enumerate(labels)]
    return [
        _counted("span F1", whole, lambda sums: _f1(*sums)),
        _counted("precision", whole, lambda sums: _ratio(sums[0], sums[1])),
        _counted("recall", whole, lambda sums: _ratio(sums[0], sums[2])),
        *each,
    ]


def _of(label: str, spans: set[Any]) -> set[Any]:
    return {span for span in spans if span[2] == label}


def _counts(gold: set[Any], said: set[Any]) -> tuple[int, int, int]:
    """(right, said, there)"""
    return len(gold & said), len(said), len(gold)


def _one_hot(labels: Sequence[str], named: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
    """``[texts, labels]``"""
    return np.array([[label in own for label in labels] for own in named], bool).reshape(len(named), len(labels))


def _f1s(labels: Sequence[str], gold: NDArray[np.bool_], said: NDArray[np.bool_]) -> list[Metric]:
    table = np.stack([gold & said, said, gold], axis=2).astype(np.float64)
    size = len(labels)

    def macro(sums: Floats) -> float:
        each = [_f1(*own) for own in sums.reshape(size, 3)]
        counted = [value for value in each if value == value]  # noqa: PLR0124, not a number is not itself
        return float(np.mean(counted)) if counted else NAN

    return [
        _counted("macro F1", table.reshape(len(table), -1), macro),
        *(_counted(f"F1 {label}", table[:, n], lambda sums: _f1(*sums)) for n, label in enumerate(labels)),
    ]


def _f1(right: float, said: float, there: float) -> float:
    return _ratio(2 * right, said + there)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else NAN


def _area(label: str, gold: NDArray[np.bool_], scores: NDArray[np.float32]) -> Metric:
    def area(rows: NDArray[np.int64]) -> float:
        own = gold[rows]
        return NAN if own.all() or not own.any() else auroc(own, scores[rows])

    return _resampled(f"AUROC {label}", len(gold), area)


def _counted(name: str, table: NDArray[Any], formula: Callable[[Floats], float]) -> Metric:
    """A metric of counts that add up. ``table``: ``[texts, counts]``; ``formula`` gets each count's sum."""
    counts = np.asarray(table, np.float64)
    sums = np.concatenate([part @ counts for part in np.array_split(_times(len(counts)), 10)])
    return _metric(name, formula(counts.sum(0)), [formula(own) for own in sums])


@lru_cache(maxsize=1)
def _times(n: int) -> NDArray[np.uint16]:
    """How often each of ``n`` texts is taken in each sample, ``[ROUNDS, n]``: the same for every metric."""
    random = np.random.default_rng(0)
    return np.stack([np.bincount(random.integers(0, n, n), minlength=n).astype(np.uint16) for _ in range(ROUNDS)])


def _resampled(name: str, n: int, statistic: Callable[[NDArray[np.int64]], float]) -> Metric:
    """A metric of which texts are taken, by number."""
    random = np.random.default_rng(0)
    return _metric(name, statistic(np.arange(n)), [statistic(random.integers(0, n, n)) for _ in range(ROUNDS)])


def _metric(name: str, value: float, values: Sequence[float]) -> Metric:
    # A sample may hold nothing that could be counted.
    counted = np.array([one for one in values if one == one])  # noqa: PLR0124
    low, high = np.percentile(counted, (2.5, 97.5)) if len(counted) else (NAN, NAN)
    return Metric(name, value, float(low), float(high))
