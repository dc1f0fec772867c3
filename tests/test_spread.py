"""The order of a parallel run holds every test once, and no block of it is without its share of long ones."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spread import spread

Kind = str | None
"""None for a short test, otherwise the group of a long one."""


class Item:
    def __init__(self, number: int, kind: Kind) -> None:
        self.nodeid = str(number)
        self.kind = kind

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        if self.kind is None or name == "integration":
            return None
        return (pytest.mark.xdist_group(self.kind) if name == "xdist_group" else pytest.mark.slow).mark


@given(st.lists(st.sampled_from([None, None, None, "a", "b", "c", "d"]), max_size=60), st.integers(1, 5))
def test_every_test_is_there_once_and_short_ones_keep_their_order(kinds: list[Kind], workers: int) -> None:
    items: list[Any] = [Item(number, kind) for number, kind in enumerate(kinds)]
    ordered: list[Any] = spread(items, workers)
    assert sorted(ordered, key=items.index) == items
    assert [item for item in ordered if item.kind is None] == [item for item in items if item.kind is None]
    groups = [item.kind for item in ordered if item.kind is not None]
    assert sum(group != next_group for group, next_group in pairwise(groups)) == max(len(set(groups)) - 1, 0)


def test_each_worker_begins_with_its_share_of_the_long_ones() -> None:
    kinds = [*"abcd", *[None] * 8]
    items: list[Any] = [Item(number, kind) for number, kind in enumerate(kinds)]
    ordered: list[Any] = spread(items, 3)
    assert [item.kind for item in ordered] == ["a", "d", None, None, "b", None, None, None, "c", None, None, None]
