"""The share of a text that a tokenizer does not know, on the kinds of tokenizers there are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from workers.encoder.reading import Input
from workers.encoder.tokenization import Cut, Tokenization
from workers.encoder.unknown import unknown_share

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'"
WORDS = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, **{letter: 3 + n for n, letter in enumerate(LETTERS)}}
VOCABULARY = {**WORDS, **{f"##{letter}": len(WORDS) + n for n, letter in enumerate(LETTERS)}}
PEACE = "ሰላም"
"""Amharic: one unknown token of three characters."""


def _wordpiece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(VOCABULARY, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer


def _unigram() -> Tokenizer:
    pieces = [("<unk>", 0.0), ("▁", -2.0), *((letter, -3.0) for letter in LETTERS)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


WORDPIECE, UNIGRAM = _wordpiece(), _unigram()


def share(text_or_pair: Input, tokenizer: Tokenizer = WORDPIECE, **settings: Any) -> float:
    cut = Cut(**{"max_length": 512, "stride": 0, **settings})
    (windows,) = Tokenization(tokenizer, cut).encode([text_or_pair])
    assert isinstance(windows, list)
    return unknown_share(text_or_pair, windows, 0, segments=cut.segments)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", 0.0),
        (" \n ", 0.0),
        ("hello, you!", 0.0),
        ("...", 0.0),
        (PEACE, 1.0),
        (f"{PEACE}, {PEACE}!", 1.0),
        (f"hello {PEACE}", 3 / 8),
        (f"{PEACE} ab c", 3 / 6),
        (f"don't, {PEACE}!!!", 3 / 7),
        ("ok \N{THUMBS UP SIGN}\N{THUMBS UP SIGN}", 2 / 4),
        # A known word is one token or many; what counts is how long it is.
        ("abcdefghij" * 3 + f" {PEACE}", 3 / 33),
        # WordPiece reads a glued word as a whole, and no word of more than 100 characters.
        (f"hello{PEACE} you", 8 / 11),
        ("a" * 101 + " bcd", 101 / 104),
        ("a" * 100, 0.0),
    ],
)
def test_the_share_of_a_text(text: str, wanted: float) -> None:
    assert share(text) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "wanted"), [("hello you", 0.0), (PEACE, 1.0), (f"hello {PEACE} ab", 3 / 10), (f"x{PEACE}", 3 / 4)]
)
def test_with_pieces_of_sentences(text: str, wanted: float) -> None:
    assert share(text, UNIGRAM) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("pair", "wanted"),
    [
        (("who is it?", "it is me"), 0.0),
        (("who is it?", PEACE), 1.0),
        ((PEACE, "it is me"), 1.0),
        ((f"hello {PEACE}", f"ab {PEACE}"), 3 / 5),
    ],
)
@pytest.mark.parametrize("side", [0, 1])
def test_of_a_pair_the_text_that_is_known_least_counts(pair: tuple[str, str], wanted: float, side: int) -> None:
    assert share(pair, side=side) == pytest.approx(wanted)


pieces = st.lists(
    st.sampled_from(["fox", "a", PEACE, "x1", "ნახვამდის", ",", "\N{CLOWN FACE}"]), min_size=1, max_size=40
)


@given(words=pieces, length=st.integers(8, 20), stride=st.integers(0, 4))
def test_windows_have_the_share_of_the_whole_text(words: list[str], length: int, stride: int) -> None:
    text = " ".join(words)
    assert share(text, max_length=length, stride=stride) == share(text)
    assert share(("why", text), max_length=length + 6, stride=stride, side=1) == share(("why", text))


@given(words=pieces)
def test_text_that_is_read_word_by_word_has_it_too(words: list[str]) -> None:
    text = " ".join(words)
    assert share(text, segments=True) == share(text)


def test_what_a_truncated_text_has_lost_does_not_count() -> None:
    text = f"{PEACE} ab " + "x " * 100
    assert share(text, max_length=6, truncate=True) == pytest.approx(3 / 6)
    assert share(text) == pytest.approx(3 / 105)
