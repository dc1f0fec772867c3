"""So many dead letters and no more."""

from __future__ import annotations

import pytest

from schemas.config import DeadLetters
from schemas.errors import PoisonError
from stream.poison import PoisonLimit


def test_so_many_in_a_row() -> None:
    limit = PoisonLimit(DeadLetters(in_a_row=3))
    for _ in range(10):
        limit.failed("decode")
        limit.failed("forward")
        limit.passed()
    limit.failed("decode")
    limit.failed("decode")
    with pytest.raises(PoisonError, match="3 dead letters in a row, the last failed at forward"):
        limit.failed("forward")


def test_so_many_a_minute_whatever_comes_between() -> None:
    now = [0.0]
    limit = PoisonLimit(DeadLetters(a_minute=3), lambda: now[0])
    for _ in range(20):
        limit.failed("decode")
        limit.passed()
        now[0] += 31
    limit.failed("decode")
    with pytest.raises(PoisonError, match="3 dead letters within a minute"):
        limit.failed("decode")


def test_no_limits() -> None:
    limit = PoisonLimit(DeadLetters(in_a_row=None))
    for _ in range(10_000):
        limit.failed("decode")
