"""Thresholds that are carried over: nearest in rate, as precise, readable, and honest about few rows."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.learning.thresholds import FEWEST_ROWS, as_precise, calibrate, nearest, readable

# Few distinct values make ties, many make none.
coarse = st.integers(0, 6).map(lambda n: n / 6)
fine = st.floats(0, 1).map(lambda score: round(score, 6))
scores = st.lists(coarse, min_size=1, max_size=40) | st.lists(fine, min_size=1, max_size=40)


def every_threshold(values: list[float]) -> list[float]:
    """One threshold for each way to part the values with at least one flagged."""
    return sorted(set(values))


@given(values=scores, share=st.floats(0, 1))
def test_the_rate_is_the_nearest_that_can_be_reached(values: list[float], share: float) -> None:
    count = round(share * len(values))
    cut = nearest(np.array(values), count)
    threshold = readable(cut.below, cut.value)
    flagged = sum(value >= threshold for value in values)
    reachable = [sum(value >= each for value in values) for each in every_threshold(values)]
    assert flagged == cut.flagged
    assert abs(flagged - count) == min(abs(each - count) for each in reachable)
    assert not any(abs(each - count) == abs(flagged - count) and each > flagged for each in reachable)
    assert cut.reached == (flagged == count)
    assert cut.ties == values.count(cut.value)
    if not cut.reached and cut.other is not None:
        assert cut.other in reachable
        assert (cut.other < count) != (flagged < count)
        assert not any(min(cut.other, flagged) < each < max(cut.other, flagged) for each in reachable)


@given(data=st.data(), values=scores)
def test_precision_is_kept_with_the_most_flagged_rows(data: st.DataObject, values: list[float]) -> None:
    truth = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    count = data.draw(st.integers(1, len(values)))
    right = data.draw(st.integers(0, count))
    cut = as_precise(np.array(values), np.array(truth), right, count)
    threshold = readable(cut.below, cut.value)

    def said(at: float) -> tuple[int, int]:
        flagged = [true for value, true in zip(values, truth, strict=True) if value >= at]
        return sum(flagged), len(flagged)

    hits, flagged = said(threshold)
    assert flagged == cut.flagged
    results = [said(each) for each in every_threshold(values)]
    enough = [many for good, many in results if good * count >= right * many]
    if enough:
        assert cut.reached
        assert hits * count >= right * flagged
        assert flagged == max(enough)
    else:
        assert not cut.reached
        assert hits / flagged == max(good / many for good, many in results)


@given(below=fine, gap=st.floats(1e-6, 1))
def test_a_threshold_is_short_and_parts_the_same_scores(below: float, gap: float) -> None:
    value = min(1.0, round(below + gap, 6))
    threshold = readable(below, value)
    assert below < threshold <= value or below == value == threshold == 1.0
    if value - below >= 0.011:
        assert len(repr(threshold)) <= 4


@pytest.mark.parametrize(("below", "value", "threshold"), [
    (0.2, 0.8, 0.5), (0.414, 0.416, 0.415), (0.0, 0.0, 0.0), (0.0, 0.004, 0.002), (0.999999, 1.0, 1.0),
    (0.123456, 0.123457, 0.123457),
])  # fmt: skip
def test_readable_thresholds(below: float, value: float, threshold: float) -> None:
    assert readable(below, value) == threshold


def spread(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Old and new scores of one hidden severity, and whether it is high."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=rows)
    old, new = (1 / (1 + np.exp(-scale * hidden + random.normal(scale=0.3, size=rows))) for scale in (2.0, 5.0))
    return old.round(4), new.round(6), hidden > 0.8


def test_a_monotone_score_gets_the_threshold_that_flags_the_same_rows() -> None:
    old, _, _ = spread(500)
    result = calibrate("A", "A", old, old**3, old_threshold=0.8)
    assert (result.flagged, result.both, result.agreement) == (result.old_flagged, result.old_flagged, 1.0)
    assert result.threshold is not None
    assert result.threshold == pytest.approx(0.8**3, abs=0.02)
    assert result.low <= result.threshold <= result.high
    assert (result.problem, result.notes) == (None, [])


def test_the_interval_is_narrower_with_more_rows_and_the_same_with_the_same_seed() -> None:
    widths = []
    for rows in (60, 2000):
        old, new, _ = spread(rows)
        result, again = (calibrate("A", "A", old, new, old_threshold=0.8) for _ in range(2))
        assert (result.low, result.high) == (again.low, again.high)
        widths.append(result.high - result.low)
    assert widths[1] < widths[0] / 3


@given(seed=st.integers(0, 50), share=st.sampled_from([0.5, 0.7, 0.9]))
def test_counts_are_those_of_the_thresholds(seed: int, share: float) -> None:
    old, new, truth = spread(80, seed)
    result = calibrate("A", "B", old, new, old_threshold=share, truth=truth, seed=seed)
    assert result.threshold is not None
    before, after = old >= share, new >= result.threshold
    assert result.old_flagged == before.sum()
    assert result.flagged == after.sum() == before.sum()  # no ties, so the rate is reached
    assert result.both == (before & after).sum()
    assert result.agreement == pytest.approx((before == after).mean())
    assert result.judged == (truth.sum(), (before & truth).sum(), (after & truth).sum())


def test_precision_is_matched_on_request() -> None:
    old, new, truth = spread(2000)
    result = calibrate("A", "A", old, new, old_threshold=0.85, truth=truth, match="precision")
    assert result.judged is not None
    precision = result.judged.right / result.flagged
    assert precision >= result.judged.old_right / result.old_flagged
    assert precision == pytest.approx(result.judged.old_right / result.old_flagged, abs=0.02)


@pytest.mark.parametrize(("old", "new", "problem"), [
    ([0.9] * 5 + [0.1] * 5, [0.5] * 10, f"10 rows have both scores, and at least {FEWEST_ROWS} are needed"),
    ([0.1] * 30, list(np.linspace(0, 1, 30)), "flags none of 30 rows"),
    ([0.9] * 30, list(np.linspace(0, 1, 30)), "flags all of 30 rows"),
    ([0.9] * 15 + [0.1] * 15, [0.25] * 30, r"all new scores are equal \(0.25\)"),
])  # fmt: skip
def test_where_there_is_no_threshold_the_reason_is_given(old: list[float], new: list[float], problem: str) -> None:
    result = calibrate("A", "A", np.array(old), np.array(new), old_threshold=0.8)
    assert result.threshold is None
    assert result.problem is not None
    assert re.search(problem, result.problem)


def test_without_a_right_flag_there_is_no_precision_to_keep() -> None:
    old, new, truth = spread(100)
    result = calibrate("A", "A", old, new, old_threshold=0.9, truth=truth & (old < 0.9), match="precision")
    assert result.threshold is None
    assert "has the label" in str(result.problem)


def test_ties_and_few_flagged_rows_are_noted() -> None:
    old = np.array([0.9] * 4 + [0.1] * 36)
    new = np.array([0.8] * 2 + [0.5] * 5 + [0.2] * 33)
    result = calibrate("A", "A", old, new, old_threshold=0.5)
    assert (result.threshold, result.flagged) == (0.65, 2)
    few, ties = result.notes
    assert few == "only 4 of 40 rows are flagged: the threshold is uncertain"
    assert ties == "2 rows with the new score 0.8 cannot be told apart: 5.00% or 17.50% can be reached, not 10.00%"


def test_a_precision_that_cannot_be_reached_is_noted() -> None:
    old = np.array([0.9] * 12 + [0.1] * 28)
    truth = np.array([True] * 12 + [False] * 28)
    new = np.linspace(0, 1, 40)
    result = calibrate("A", "A", old, new, old_threshold=0.5, truth=truth, match="precision")
    assert result.notes[-1] == "no threshold is as precise as the old one (100.0%)"
