"""Letters of decorative alphabets are read as plain ones, and nothing else is changed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.encoder.styled import STYLED, has_styled, plain_letters


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("𝐲𝐨𝐮 𝓪𝓻𝓮 𝔞𝔫 𝕚𝕕𝕚𝕠𝕥", "you are an idiot"),
        ("ｙｏｕ ＡＲＥ ２", "you ARE 2"),
        ("ⓨⓞⓤ 🅐🅡🅔 🆈🅾🆄 🄰🄽", "you ARE YOU AN"),
        ("①②③ 𝟏𝟐", "123 12"),
        # These mean something else, or are of other lengths.
        ("m² ½ ™ ℹ️ 🇩🇪 ﬁ № ㎏ ° ª", "m² ½ ™ ℹ️ 🇩🇪 ﬁ № ㎏ ° ª"),
        ("Zürich 東京 Привет 안녕", "Zürich 東京 Привет 안녕"),
    ],
)
def test_what_is_read(text: str, plain: str) -> None:
    assert plain_letters(text) == plain
    assert (has_styled(text) is not None) == (text != plain)


@given(st.text(st.sampled_from(STYLED + "aZ9 é東🙂") | st.characters(codec="utf-8")))
def test_places_stay_and_the_plain_text_is_that_of_unicode(text: str) -> None:
    plain = plain_letters(text)
    assert len(plain) == len(text)
    for before, after in zip(text, plain, strict=True):
        assert after == before or (after.isascii() and after.isalnum())
        if after != before and unicodedata.decomposition(before):
            assert after == unicodedata.normalize("NFKC", before)


def test_no_block_is_forgotten() -> None:
    styles = {"<font>", "<wide>", "<circle>", "<square>"}
    letters = {
        chr(point) for point in range(0x80, 0x30000)
        if unicodedata.decomposition(chr(point)).split(" ")[0] in styles
        and len(plain := unicodedata.normalize("NFKC", chr(point))) == 1 and plain.isascii() and plain.isalnum()
    }  # fmt: skip
    assert letters - {*STYLED} == {"ℹ"}
