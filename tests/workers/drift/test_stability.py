"""The index of two samples: nothing by chance, much for a change, whatever the sizes of the samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workers.drift.stability import ALARM, chi_squared_99, excess


@pytest.mark.parametrize("degrees", [1, 2, 5, 9, 50])
def test_the_percentile_is_that_of_simulated_squares(degrees: int) -> None:
    rng = np.random.default_rng(degrees)
    squares = (rng.standard_normal((200_000, degrees)) ** 2).sum(axis=1)
    assert chi_squared_99(degrees) == pytest.approx(np.quantile(squares, 0.99), rel=0.02)


@pytest.mark.parametrize(("reference", "recent"), [(40, 200), (40, 20_000), (2_000, 200), (5_000, 100_000)])
def test_samples_of_the_same_population_seldom_differ(reference: int, recent: int) -> None:
    rng = np.random.default_rng(0)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    values = [
        excess(rng.multinomial(reference, shares).tolist(), rng.multinomial(recent, shares).tolist())
        for _ in range(1000)
    ]
    assert sum(value > 0 for value in values) < 25
    assert max(values) < ALARM


@pytest.mark.parametrize(("reference", "recent"), [(200, 2_000), (5_000, 100_000)])
def test_a_changed_population_differs(reference: int, recent: int) -> None:
    rng = np.random.default_rng(0)
    before, now = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    values = [
        excess(rng.multinomial(reference, before).tolist(), rng.multinomial(recent, now).tolist()) for _ in range(100)
    ]
    assert min(values) > ALARM


def test_it_is_the_known_index_for_large_samples() -> None:
    p, q = (0.2, 0.3, 0.5), (0.3, 0.3, 0.4)
    known = sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))
    million = 1_000_000
    assert excess([int(share * million) for share in p], [int(share * million) for share in q]) == pytest.approx(
        known, abs=1e-4
    )


def test_nothing_to_compare_is_no_change() -> None:
    assert excess([0, 0], [5, 5]) == excess([5, 5], [0, 0]) == excess([5], [7]) == 0.0
    assert excess([500, 0], [500, 0]) == 0.0
    assert excess([5000, 0], [0, 5000]) > 1
