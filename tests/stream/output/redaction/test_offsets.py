"""Offsets after edits: what was not replaced is still at its place, and what was is the replacement."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from stream.output.redaction.offsets import Offsets

Edited: TypeAlias = tuple[str, list[tuple[int, int, str]]]


@st.composite
def edits(draw: st.DrawFn) -> Edited:
    text = draw(st.text(st.sampled_from("abcé😂 "), max_size=30))
    bounds = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    ranges = [(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False) if a < b]
    return text, [(a, b, draw(st.sampled_from(["", "<X>", "<LONGER>"]))) for a, b in ranges]


@given(edits(), st.data())
def test_any_range_slices_what_is_left_of_it(drawn: Edited, data: st.DataObject) -> None:
    text, replaced = drawn
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    offsets = Offsets(text, replaced)
    expected, at = "", start
    for first, last, replacement in replaced:
        if first < end and last > start:
            expected += text[at : max(first, at)] + replacement
            at = last
    expected += text[at:end] if at < end else ""
    a, b = offsets.start(start), offsets.end(end)
    if start < end:
        assert offsets.text[a:b] == expected
    assert 0 <= a <= len(offsets.text)
    assert 0 <= b <= len(offsets.text)


@given(edits(), st.data())
def test_an_empty_range_stays_a_range(drawn: Edited, data: st.DataObject) -> None:
    text, replaced = drawn
    at = data.draw(st.integers(0, len(text)))
    offsets = Offsets(text, replaced)
    assert 0 <= offsets.start(at) <= offsets.end(at) <= len(offsets.text)
