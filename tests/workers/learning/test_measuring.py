"""Thresholds have the highest recall that the requested precision allows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workers.learning.measuring import threshold


def found(scores: list[float], gold: list[int], precision: float = 0.9) -> tuple[float, bool]:
    return threshold(np.array(scores), np.array(gold, bool), precision)


def test_it_lies_midway_where_classes_part() -> None:
    scores = [0.99] * 10 + [0.01] * 10
    assert found(scores, [1] * 10 + [0] * 10) == (0.5, True)


def test_no_lower_than_the_last_right_one() -> None:
    """A lower threshold would still be precise enough, but would only flag a wrong text."""
    scores = [0.9] * 20 + [0.3, 0.2, 0.1]
    assert found(scores, [1] * 20 + [0, 0, 0]) == (0.6, True)


def test_without_that_precision_it_is_the_best_f1() -> None:
    value, reached = found([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [0, 1, 1, 0, 0, 0], 0.95)
    assert not reached and 0.6 < value < 0.7


def test_a_label_nobody_has() -> None:
    assert found([0.1, 0.2], [0, 0]) == (0.5, False)


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=80),
    st.sampled_from([20, 1_000_000]),
    st.floats(0.5, 1.0),
)
def test_the_precision_is_kept(pairs: list[tuple[int, bool]], fine: int, precision: float) -> None:
    """Scores may differ only in their sixth decimal, which is the last one."""
    scores = np.array([score / fine for score, _ in pairs])
    gold = np.array([right for _, right in pairs])
    value, reached = threshold(scores, gold, precision)
    flagged = scores >= value
    if reached:
        assert gold[flagged].mean() >= precision - 1e-9
    elif gold.any():
        assert flagged.any()
