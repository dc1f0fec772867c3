"""Values are found in any text, however many there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.output.redaction import elsewhere
from stream.output.redaction.elsewhere import Values
from stream.output.redaction.folding import fold
from stream.output.redaction.literals import Edit
from stream.output.redaction.spans import Piece


def values(*texts: str) -> Values:
    """The values of pieces that are one after another."""
    pieces, edits, whole = list[Piece](), list[Edit](), ""
    for text in texts:
        start, end = len(whole), len(whole) + len(text)
        pieces.append(Piece(start, end, "X"))
        edits.append((start, end, f"<{text}>"))
        whole += text
    return Values(whole, pieces, edits, lambda piece, value: f"<{value}>")


def test_the_longest_of_overlapping_values_gives_the_replacement() -> None:
    known = values("anna lee", "lee sophie")
    assert known.redacted("ANNA LEE SOPHIE, Anna Lee") == "<lee sophie>, <anna lee>"


def test_names_of_members_are_changed_only_by_words_and_verbatim_values() -> None:
    known = values("Mark")
    assert known.find_name("bookmarks") == []
    assert known.find_name("to_mark-x") == [(3, 7, "<Mark>")]
    assert known.find_name("bookMarks") == [(4, 8, "<Mark>")]
    assert known.redacted("bookmarks") == "book<Mark>s"


@given(
    st.lists(st.text("abé", min_size=4, max_size=6), min_size=1, max_size=5),
    st.text("abéÉ ", max_size=40),
)
def test_many_values_are_found_where_each_one_is(texts: list[str], text: str) -> None:
    few, many = values(*texts), values(*texts)
    hits = few.hits(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elsewhere, "_MANY", 0)
        assert many.within(fold(text)) == few.within(fold(text))
        all_at_once = many.hits(text)
    for start, end, _ in hits:
        assert any(first <= start and end <= last for first, last, _ in all_at_once)
    kept = "\n".join(
        text[last:first]
        for (_, last, _), (first, _, _) in zip(
            [(0, 0, ""), *all_at_once], [*all_at_once, (len(text), 0, "")], strict=True
        )
    )
    assert not any(fold(value) in fold(kept) for value in texts)


@given(st.lists(st.text("ab@", min_size=4, max_size=12), min_size=1, max_size=40), st.text("ab@", max_size=80))
def test_the_longest_value_is_found_at_each_place(texts: list[str], text: str) -> None:
    expected = [
        (at, max(here, key=len)) for at in range(len(text)) if (here := [v for v in texts if text.startswith(v, at)])
    ]
    assert list(values(*texts)._places(text)) == expected
