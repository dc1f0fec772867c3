"""Metrics and their intervals."""

from __future__ import annotations

import math

import pytest

from workers.learning.card import interval
from workers.learning.examples import Example, Span
from workers.learning.metrics import Metric, measure
from workers.learning.rows import Row
from workers.learning.scores import wilson


def example(labels: tuple[str, ...] = (), spans: tuple[Span, ...] = ()) -> Example:
    return Example(Row(1, "texts.jsonl:1", {}), "a text", labels, spans)


def by_name(metrics: list[Metric]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


def classes(right: int, wrong: int) -> dict[str, Metric]:
    examples = [example(labels=("ab"[n % 2],)) for n in range(right + wrong)]
    answers = ["ab"[(n + (n >= right)) % 2] for n in range(right + wrong)]
    return by_name(measure("sentiment", ["a", "b"], examples, [{"label": a, "score": 0.9} for a in answers]))


def test_a_perfect_score_on_a_few_texts_is_uncertain() -> None:
    metrics = classes(20, 0)
    # statsmodels 0.14, proportion_confint(20, 20, method="wilson").
    assert interval(metrics["accuracy"]) == "1.000 [0.839, 1.000]"
    assert metrics["macro F1"][1:] == pytest.approx((1.0, 0.838873, 1.0), abs=1e-5)
    assert metrics["F1 a"][1:] == pytest.approx((1.0, *wilson(10, 10)))


def test_a_score_of_zero_is_uncertain_too() -> None:
    metrics = classes(0, 20)
    assert interval(metrics["accuracy"]) == "0.000 [0.000, 0.161]"
    assert interval(metrics["F1 b"]) == f"0.000 [0.000, {wilson(0, 10)[1]:.3f}]"


def test_an_interval_is_at_least_as_wide_as_wilsons() -> None:
    accuracy = classes(45, 5)["accuracy"]
    low, high = wilson(45, 50)
    assert accuracy.low <= low < accuracy.value < high <= accuracy.high
    assert accuracy.high - accuracy.low < 0.2


def test_moderation_has_wilsons_intervals() -> None:
    flags = [bool(n % 2) for n in range(20)]
    examples = [example(labels=("bad",) * flag) for flag in flags]
    annotations = [{"labels": [{"label": "bad", "flagged": flag, "score": 0.9 if flag else 0.1}]} for flag in flags]
    metrics = by_name(measure("moderation", ["bad"], examples, annotations))
    for name in ("precision bad", "F1 bad", "AUROC bad"):
        assert metrics[name][1:] == pytest.approx((1.0, *wilson(10, 10)), abs=1e-6), name


def test_spans_have_wilsons_intervals() -> None:
    examples = [example(spans=((0, 1, "A"), (2, 3, "A"))) for _ in range(5)]
    spans = [{"start": 0, "end": 1, "label": "A"}, {"start": 2, "end": 3, "label": "A"}]
    metrics = by_name(measure("ner", ["A"], examples, [{"spans": spans}] * 5))
    for name in ("span F1", "precision", "recall", "F1 A"):
        assert metrics[name][1:] == pytest.approx((1.0, *wilson(10, 10)), abs=1e-6), name


def test_what_was_not_counted_has_no_interval() -> None:
    metrics = by_name(measure("ner", ["A"], [example()], [{"spans": []}]))
    assert interval(metrics["span F1"]) == "-"
    assert all(map(math.isnan, metrics["recall"][1:]))
