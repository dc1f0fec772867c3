"""Offsets in other units are those that other languages count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.output.units import Unit, table


@given(st.text())
@pytest.mark.parametrize(("unit", "encoding", "width"), [("utf16", "utf-16-le", 2), ("utf8", "utf-8", 1)])
def test_every_offset_is_the_length_of_what_is_before(unit: Unit, encoding: str, width: int, text: str) -> None:
    offsets = table(text, unit) or range(len(text) + 1)
    assert list(offsets) == [len(text[:at].encode(encoding)) // width for at in range(len(text) + 1)]


def test_equal_offsets_need_no_table() -> None:
    assert table("ASCII", "utf8") is None
    assert table("é", "utf16") is None
    assert table("😂", "code_point") is None
