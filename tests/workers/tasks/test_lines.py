"""Where an entity ends with its line."""

from __future__ import annotations

from workers.tasks.lines import lines


def test_long_white_space_takes_no_long_time() -> None:
    text = f"Ann{' ' * 1_000_000}Lee"  # would take hours if each space were a place to begin at
    assert [*lines(text, 0, len(text), several=False)] == [(0, len(text))]
    assert [*lines(f"{text}\n Bob", 0, len(text) + 5, several=True)] == [(0, len(text) + 5)]
    assert [*lines("Ann \n Bob", 0, 9, several=False)] == [(0, 3), (6, 9)]
