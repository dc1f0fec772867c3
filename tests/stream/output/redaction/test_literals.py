"""Edits of a literal's content change only their own bytes, whatever escapes the literal has."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from stream.output.redaction.literals import apply, content, literal_edits


def units(character: str) -> str:
    """``character`` with every code unit escaped."""
    return "".join(f"\\u{unit:04X}" for unit in memoryview(character.encode("utf-16-le")).cast("H"))


def spelled(character: str) -> st.SearchStrategy[str]:
    """The ways to write a character in a literal."""
    forms = {json.dumps(character)[1:-1], json.dumps(character, ensure_ascii=False)[1:-1], units(character)}
    return st.sampled_from(sorted(forms | ({"\\/"} if character == "/" else set())))


@st.composite
def edited(draw: st.DrawFn) -> tuple[list[str], str, int, int, str]:
    """Characters, each as it is written; a range; and what goes there."""
    text = draw(st.text(st.sampled_from('ab"\\/\n\x01é😂\u2028'), max_size=12))
    written = [draw(spelled(character)) for character in text]
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, len(text)))
    return written, text, start, end, draw(st.text(st.sampled_from('<X>"é\n😂'), max_size=4))


@given(edited())
def test_only_the_range_changes(drawn: tuple[list[str], str, int, int, str]) -> None:
    written, text, start, end, replacement = drawn
    literal = f'"{"".join(written)}"'
    assert content(literal) == text
    document = f"[1, {literal}]"
    changed = apply(document, literal_edits(literal, 4, [(start, end, replacement)]))
    assert json.loads(changed) == [1, text[:start] + replacement + text[end:]]
    assert changed.startswith('[1, "' + "".join(written[:start]))
    assert changed.endswith("".join(written[end:]) + '"]')


def test_an_edit_within_another_is_left_out() -> None:
    assert apply("0123456789", [(1, 8, "a"), (2, 4, "b"), (8, 9, "c")]) == "0ac9"
