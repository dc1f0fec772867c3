"""Histograms count as Prometheus does, one value at a time or many at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.telemetry.histogram import Histogram

BOUNDS = (0.5, 1, 10)


@given(st.lists(st.sampled_from([0.0, 0.4, 0.5, 0.6, 1.0, 9.0, 10.0, 11.0, 1e9])))
def test_all_at_once_counts_like_one_by_one(values: list[float]) -> None:
    single, together = Histogram(BOUNDS), Histogram(BOUNDS)
    for value in values:
        single.add(value)
    together.add_all(np.array(values, np.float64))
    expected = [(most, sum(value <= most for value in values)) for most in (*BOUNDS, math.inf)]
    assert list(single.buckets()) == list(together.buckets()) == expected
    assert single.sum == pytest.approx(sum(values))
    assert together.sum == pytest.approx(sum(values))
