from __future__ import annotations

from itertools import accumulate

import pytest

from benchmarks.rounds import rounds


@pytest.mark.parametrize(
    ("end", "taken", "begun"),
    [(100.0, [1, 1, 1], 3), (10.0, [4, 4, 4], 2), (10.0, [2, 6, 1], 2), (10.0, [50, 1, 1], 1), (0.0, [1, 1, 1], 1)],
)
def test_no_round_begins_that_would_end_too_late(end: float, taken: list[int], begun: int) -> None:
    ends = list(accumulate(taken))
    looks = iter([moment for start, end in zip([0, *ends], ends, strict=False) for moment in (start, end)])
    assert list(rounds(3, end, lambda: next(looks))) == list(range(begun))
