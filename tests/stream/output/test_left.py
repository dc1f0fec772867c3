"""What a replay has left is noted in a few characters, and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.output.left import MOST_CHARACTERS, note, offsets

OFFSETS = st.sets(st.integers(0, 10**18) | st.integers(0, 300), max_size=300)


@given(OFFSETS)
def test_a_note_names_what_is_left(left: set[int]) -> None:
    written, unnamed = note(left)
    assert len(written) <= MOST_CHARACTERS + len("left:")
    named = offsets(written)
    assert named <= left
    assert len(left) - len(named) == unnamed
    assert unnamed == 0 or len(left) > 100


def test_neighbours_are_named_as_ranges() -> None:
    assert note({9, 3, 7, 8}) == ("left:3,7-9", 0)
    assert note(range(10**6)) == ("left:0-999999", 0)
    assert note([]) == ("", 0)


@pytest.mark.parametrize("text", ["", "of another tool", "left:", "left:a-b,-3", "left:,"])
def test_a_note_of_somebody_else_names_nothing(text: str) -> None:
    assert offsets(text) == set()
