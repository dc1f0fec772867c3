from __future__ import annotations

from itertools import accumulate

import pytest

from benchmarks.rounds import in_turn, ratios, rounds


@pytest.mark.parametrize(
    ("end", "taken", "begun"),
    [(100.0, [1, 1, 1], 3), (10.0, [4, 4, 4], 2), (10.0, [2, 6, 1], 2), (10.0, [50, 1, 1], 1), (0.0, [1, 1, 1], 1)],
)
def test_no_round_begins_that_would_end_too_late(end: float, taken: list[int], begun: int) -> None:
    ends = list(accumulate(taken))
    looks = iter([moment for start, end in zip([0, *ends], ends, strict=False) for moment in (start, end)])
    assert list(rounds(3, end, lambda: next(looks))) == list(range(begun))


def test_every_other_round_is_in_reverse_order() -> None:
    assert [in_turn({"a": 1, "b": 2}, number) for number in range(3)] == [["a", "b"], ["b", "a"], ["a", "b"]]


def test_ratios_are_those_of_the_same_round() -> None:
    figures = ratios("new / old", [10.0, 30.0, 8.0], [5.0, 10.0, 8.0])
    assert figures == {"new / old: posts/s": 2.0, "new / old: lowest": 1.0, "new / old: highest": 3.0}
