"""Metrics of annotations against labels, with 95 % intervals.

The intervals are bootstrapped over texts (Efron 1979), which accounts for texts with several spans. A bootstrap knows
nothing of mistakes that did not occur: of 20 right answers, every sample is right. So the interval of a share is at
least as wide as Wilson's (1927), and so is any other where all samples agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.document import Annotation
from workers.learning.examples import Example, Task
from workers.learning.scores import auroc, calibration_error, wilson

ROUNDS = 1000
"""Bootstrap samples per metric."""
OVERALL = frozenset({"macro F1", "ECE"})
"""The metrics of a moderation that are over all labels."""
NAN = float("nan")
Floats = NDArray[np.float64]


class Metric(NamedTuple):
    """A metric with its interval.

    - ``value``: on all texts; ``low``, ``high``: the 95 % interval. All are not a number (NaN) if there was nothing to
      count.
    """

    name: str
    value: float
    low: float
    high: float


def measure(
    task: Task, labels: Sequence[str], examples: Sequence[Example], annotations: Sequence[Annotation]
) -> list[Metric]:
    """Return the metrics of ``annotations``, one per example, against the examples' labels.

    The metrics over all labels come first, the most important one at the head; then those of each label.
    """
    if task == "ner":
        return _spans(labels, examples, annotations)
    if task == "moderation":
        return _flags(labels, examples, annotations)
    return _classes(labels, examples, annotations)


def _classes(labels: Sequence[str], examples: Sequence[Example], annotations: Sequence[Annotation]) -> list[Metric]:
    gold = _one_hot(labels, [example.labels for example in examples])
    predicted = _one_hot(labels, [(annotation["label"],) for annotation in annotations])
    hits: NDArray[np.bool_] = np.asarray((gold & predicted).any(1))
    confidence = np.array([annotation["score"] for annotation in annotations], np.float32)
    return [
        _counted("accuracy", np.column_stack([hits, np.ones(len(hits))]), _share, _second),
        *_f1s(labels, gold, predicted),
        _resampled("ECE", len(hits), lambda rows: calibration_error(confidence[rows], hits[rows])),
    ]


def _flags(labels: Sequence[str], examples: Sequence[Example], annotations: Sequence[Annotation]) -> list[Metric]:
    gold = _one_hot(labels, [example.labels for example in examples])
    entries = [{entry["label"]: entry for entry in annotation["labels"]} for annotation in annotations]
    predicted = np.array([[by_label[label]["flagged"] for label in labels] for by_label in entries], bool)
    scores = np.array([[by_label[label]["score"] for label in labels] for by_label in entries], np.float32)
    f1s = _f1s(labels, gold, predicted)
    areas = [_area(label, gold[:, n], scores[:, n]) for n, label in enumerate(labels)]
    hits = gold & predicted
    precisions = [
        _counted(f"precision {label}", np.column_stack([hits[:, n], predicted[:, n]]), _share, _second)
        for n, label in enumerate(labels)
    ]
    error = _resampled("ECE", len(gold), lambda rows: calibration_error(scores[rows].ravel(), gold[rows].ravel()))
    return [f1s[0], error, *f1s[1:], *precisions, *areas]


def _spans(labels: Sequence[str], examples: Sequence[Example], annotations: Sequence[Annotation]) -> list[Metric]:
    gold = [set(example.spans) for example in examples]
    # A head that knows more labels is measured by these only.
    predicted = [
        {(span["start"], span["end"], span["label"]) for span in annotation["spans"] if span["label"] in labels}
        for annotation in annotations
    ]
    table = np.array([
        [count for label in labels for count in _counts(_of(label, expected), _of(label, spans))]
        for expected, spans in zip(gold, predicted, strict=True)
    ], np.float64).reshape(len(gold), len(labels), 3)  # fmt: skip
    whole = table.sum(1)
    each = [_counted(f"F1 {label}", table[:, n], _f1, _mean_of_both) for n, label in enumerate(labels)]
    return [
        _counted("span F1", whole, _f1, _mean_of_both),
        _counted("precision", whole, _share, _second),
        _counted("recall", whole[:, [0, 2]], _share, _second),
        *each,
    ]


def _of(label: str, spans: set[Any]) -> set[Any]:
    return {span for span in spans if span[2] == label}


def _counts(gold: set[Any], predicted: set[Any]) -> tuple[int, int, int]:
    """Return (correct, predicted, gold)."""
    return len(gold & predicted), len(predicted), len(gold)


def _one_hot(labels: Sequence[str], named: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
    """Return ``[texts, labels]``: whether each text has each label."""
    return np.array([[label in names for label in labels] for names in named], bool).reshape(len(named), len(labels))


def _f1s(labels: Sequence[str], gold: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> list[Metric]:
    table = np.stack([gold & predicted, predicted, gold], axis=2).astype(np.float64)
    size = len(labels)

    def macro(sums: Floats) -> float:
        each = [_f1(counts) for counts in sums.reshape(size, 3)]
        counted = [value for value in each if value == value]  # noqa: PLR0124, NaN is not equal to itself
        return float(np.mean(counted)) if counted else NAN

    return [
        _counted("macro F1", table.reshape(len(table), -1), macro, lambda _: float(len(table))),
        *(_counted(f"F1 {label}", table[:, n], _f1, _mean_of_both) for n, label in enumerate(labels)),
    ]


# Shares of the counts (correct, predicted, gold) or (correct, all), and how many trials each of them has.
def _f1(sums: Floats) -> float:
    return _ratio(2 * sums[0], sums[1] + sums[2])


def _mean_of_both(sums: Floats) -> float:
    return float(sums[1] + sums[2]) / 2


def _share(sums: Floats) -> float:
    return _ratio(sums[0], sums[1])


def _second(sums: Floats) -> float:
    return float(sums[1])


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else NAN


def _area(label: str, gold: NDArray[np.bool_], scores: NDArray[np.float32]) -> Metric:
    def area(rows: NDArray[np.int64]) -> float:
        sample = gold[rows]
        return NAN if sample.all() or not sample.any() else auroc(sample, scores[rows])

    return _resampled(f"AUROC {label}", len(gold), area, float(min(gold.sum(), len(gold) - gold.sum())))


def _counted(
    name: str, table: NDArray[Any], formula: Callable[[Floats], float], trials: Callable[[Floats], float]
) -> Metric:
    """Compute a share from sums over texts.

    Args:
        name: of the metric.
        table: counts of each text, ``[texts, counts]``.
        formula: the share, from the sums of the counts.
        trials: what it is a share of, from the same sums.
    """
    counts = np.asarray(table, np.float64)
    whole = counts.sum(0)
    sums = np.concatenate([part @ counts for part in np.array_split(_times(len(counts)), 10)])
    metric = _metric(name, formula(whole), [formula(sample) for sample in sums])
    return _widened(metric, trials(whole))


@lru_cache(maxsize=1)
def _times(n: int) -> NDArray[np.uint16]:
    """Return how often each of ``n`` texts is in each bootstrap sample, ``[ROUNDS, n]``; equal for every metric."""
    random = np.random.default_rng(0)
    return np.stack([np.bincount(random.integers(0, n, n), minlength=n).astype(np.uint16) for _ in range(ROUNDS)])


def _resampled(
    name: str, n: int, statistic: Callable[[NDArray[np.int64]], float], trials: float | None = None
) -> Metric:
    """Compute a metric that does not add up over texts.

    Args:
        name: of the metric.
        n: the number of texts.
        statistic: the metric of the texts with the given numbers.
        trials: how many trials the interval has where all samples agree; None if it then has no width.
    """
    random = np.random.default_rng(0)
    samples = [statistic(random.integers(0, n, n)) for _ in range(ROUNDS)]
    metric = _metric(name, statistic(np.arange(n)), samples)
    return _widened(metric, trials) if trials and metric.low == metric.high else metric


def _metric(name: str, value: float, values: Sequence[float]) -> Metric:
    # A sample may have nothing to count.
    counted = np.array([sample for sample in values if sample == sample])  # noqa: PLR0124
    low, high = np.percentile(counted, (2.5, 97.5)) if len(counted) else (NAN, NAN)
    return Metric(name, value, float(low), float(high))


def _widened(metric: Metric, trials: float) -> Metric:
    """Return a share with an interval at least as wide as Wilson's, given what it is a share of."""
    if metric.value != metric.value:
        return metric
    low, high = wilson(metric.value * trials, trials)
    return metric._replace(low=min(metric.low, low), high=max(metric.high, high))
