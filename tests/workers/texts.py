"""Difficult texts: emoji, combining marks, CJK, control characters."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = (
    "the", "quick", "Angela", "Merkel", "café", "cafe\N{COMBINING ACUTE ACCENT}", "\N{THUMBS UP SIGN}", "東京",
    "Москва", "don't", "ﬁne", "...", "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{PILE OF POO}", "a\x00b", "\N{NO-BREAK SPACE}",
    "\N{HANGUL SYLLABLE HAN}\N{HANGUL SYLLABLE GEUL}", "Straße", "x" * 30, "\t", "\n",
)  # fmt: skip

words = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
texts = words | anything
