"""Folded texts are equal if they differ in case or normalisation, and each folded character is found in the text."""

from __future__ import annotations

from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.output.redaction.folding import Folded, fold


@pytest.mark.parametrize(
    ("spelling", "another"),
    [
        ("ADA@Example.ORG", "ada@example.org"),
        ("Jos\u00e9", "Jose\u0301"),
        ("\uff21\uff24\uff21", "ada"),
        ("Stra\u00dfe", "STRASSE"),
        ("\ufb01sh", "fish"),
        ("a\u00adda\u200b@\u2060x\ufe0f", "ada@x"),
    ],
)
def test_spellings_of_the_same_characters_are_equal(spelling: str, another: str) -> None:
    assert fold(spelling) == fold(another)


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_normalisation_and_case_change_nothing(text: str, form: str) -> None:
    assert fold(normalize(form, text)) == fold(text)  # type: ignore[arg-type]
    assert fold(fold(text)) == fold(text)


@given(st.text(), st.text().filter(fold), st.text())
def test_a_value_is_found_where_it_is(before: str, value: str, behind: str) -> None:
    folded = Folded(before + value + behind)
    at = folded.folded.find(fold(value))
    if at >= 0:
        start, end = folded.original(at, at + len(fold(value)))
        assert fold(value) in fold(folded.text[start:end])
        assert 0 <= start < end <= len(folded.text)


def test_only_invisible_characters_are_left_out() -> None:
    for number in {*range(0x3400), *range(0xA000, 0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE1000)}:
        if not fold(chr(number)):
            assert category(chr(number)) in {"Cf", "Mn", "Lo", "Cn"}
            assert not chr(number).isspace()


def test_a_hit_consists_of_whole_characters() -> None:
    folded = Folded("x Jose\u0301! \ufb01n")
    assert folded.original(2, 6) == (2, 7)
    assert folded.text[slice(*folded.original(folded.folded.index("fin") + 1, len(folded.folded)))] == "\ufb01n"
