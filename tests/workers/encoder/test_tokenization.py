from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import given, settings
from tokenizers import Encoding

from schemas.errors import EventError, ModelError, TokenizeError
from schemas.pipeline.tasks import ClassificationTask
from tests.workers import tiny
from tests.workers.texts import texts, words
from workers.encoder.tokenization import Cut, Tokenization, choose_cut, kept
from workers.models.checkpoints import load_tokenizer, resolve

FAMILY = {"wordpiece": "bert", "bytes": "roberta", "unigram": "xlm-roberta"}
KINDS = pytest.mark.parametrize("kind", FAMILY)


@cache
def tokenization(kind: str, max_length: int = 20, stride: int = 5, truncate: bool = False) -> Tokenization:
    loaded = load_tokenizer(resolve(str(tiny.checkpoint(FAMILY[kind], "embedding"))))
    return Tokenization(loaded.tokenizer, Cut(max_length, stride, truncate))


@cache
def reference(kind: str) -> transformers.PreTrainedTokenizerBase:
    return transformers.AutoTokenizer.from_pretrained(tiny.checkpoint(FAMILY[kind], "embedding"))


def windows_of(kind: str, text: str, **options: object) -> list[Encoding]:
    (windows,) = tokenization(kind, **options).encode([text])
    assert not isinstance(windows, EventError)
    return windows


Token = tuple[str, int, tuple[int, int]]


def content(encoding: Encoding) -> list[Token]:
    """The token, id and offsets of everything but special tokens."""
    tokens = zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True)
    return [token for token, special in zip(tokens, encoding.special_tokens_mask, strict=True) if not special]


@KINDS
@settings(deadline=None)
@given(text=texts)
def test_windows_are_those_of_transformers(kind: str, text: str) -> None:
    windows = windows_of(kind, text)
    expected = reference(kind)(text, truncation=True, max_length=20, stride=5, return_overflowing_tokens=True)
    assert [window.ids for window in windows] == expected["input_ids"]
    assert all(len(window) <= 20 for window in windows)


@KINDS
@settings(deadline=None)
@given(text=texts)
def test_windows_share_their_stride_and_leave_nothing_out(kind: str, text: str) -> None:
    plain = content(windows_of(kind, text, max_length=10_000)[0])
    joined: list[Token] = []
    for number, window in enumerate(windows_of(kind, text)):
        tokens = content(window)
        if number:
            assert joined[-5:] == tokens[:5]
            tokens = tokens[5:]
        joined += tokens
    assert joined == plain


@settings(deadline=None)
@given(text=texts)
def test_wordpiece_offsets_are_code_points_whatever_lowercasing_and_accent_stripping_did(text: str) -> None:
    encoding = windows_of("wordpiece", text, max_length=10_000)[0]
    for token, _, (start, end) in content(encoding):
        assert 0 <= start < end <= len(text)
        if token not in {"[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"}:
            assert token.removeprefix("##") == bare(text[start:end])


def bare(text: str) -> str:
    """A piece after BERT's normalizer: decomposed, without marks and control characters, in lower case."""
    kept = [c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) not in {"Mn", "Cc", "Cf", "Co"}]
    return unicodedata.normalize("NFD", "".join(kept).lower())


@settings(deadline=None)
@given(text=texts)
def test_byte_level_offsets_are_code_points_though_tokens_are_bytes(text: str) -> None:
    encoding = windows_of("bytes", text, max_length=10_000)[0]
    tokenizer = reference("bytes")
    reach = 0
    for _, token, (start, end) in content(encoding):
        assert 0 <= start <= end <= len(text)
        piece = str(tokenizer.decode([token], clean_up_tokenization_spaces=False))
        if "\N{REPLACEMENT CHARACTER}" not in piece:  # otherwise it is a part of a character
            assert piece.strip() == text[start:end].strip()
        assert not text[reach:start].strip(), "nothing but space lies between tokens"
        reach = end
    assert not text[reach:].strip()


@settings(deadline=None)
@given(text=words)
def test_unigram_offsets_are_code_points_of_the_text_before_normalization(text: str) -> None:
    encoding = windows_of("unigram", text, max_length=10_000)[0]
    for token, _, (start, end) in content(encoding):
        if token == "<unk>":
            continue
        assert 0 <= start <= end <= len(text)
        piece = token.replace("▁", "").strip()
        # A mark that was composed with its letter belongs to the letter's token, but the offsets cover only the letter.
        # One character can become several tokens ("ﬁ"); the offsets of each then cover the whole character.
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        assert piece in unicodedata.normalize("NFKC", text[start:end])


@KINDS
def test_offsets_slice_the_words_of_a_text_with_emoji_and_combining_marks(kind: str) -> None:
    text = "\N{THUMBS UP SIGN}\N{THUMBS UP SIGN} cafe\N{COMBINING ACUTE ACCENT} Paris"
    encoding = windows_of(kind, text, max_length=10_000)[0]
    start = text.index("Paris")
    first = next(n for n, offset in enumerate(encoding.offsets) if offset[0] <= start < offset[1])
    offsets = encoding.offsets[first:-1]
    assert text[offsets[0][0] : offsets[-1][1]].strip() == "Paris"


@KINDS
def test_truncation_keeps_one_window_and_knows_how_much_of_the_text_it_has_read(kind: str) -> None:
    text = "the quick brown fox jumps over the lazy dog " * 10
    (window,) = windows_of(kind, text, truncate=True)
    assert len(window) == 20
    read = kept(window)
    assert read == max(end for _, end in window.offsets) < len(text)
    (short,) = windows_of(kind, "the", truncate=True)
    assert kept(short) is None


@KINDS
def test_an_empty_text_is_one_window_of_special_tokens(kind: str) -> None:
    (window,) = windows_of(kind, "")
    assert all(window.special_tokens_mask)


@KINDS
def test_a_text_the_tokenizer_refuses_costs_its_neighbours_nothing(kind: str) -> None:
    batch = ["the quick", "a lone \ud800 surrogate", "brown fox", "", "\udfff"]
    results: Any = tokenization(kind).encode(batch)
    assert [isinstance(result, TokenizeError) for result in results] == [False, True, False, False, True]
    assert results[0][0].ids == windows_of(kind, "the quick")[0].ids
    assert results[2][0].ids == windows_of(kind, "brown fox")[0].ids
    assert "surrogate" not in str(results[1])


def test_padding_and_truncation_saved_with_a_tokenizer_are_not_ours() -> None:
    loaded = load_tokenizer(resolve(str(tiny.checkpoint("bert", "embedding"))))
    loaded.tokenizer.enable_padding(length=40)
    loaded.tokenizer.enable_truncation(4)
    windows: Any
    (windows,) = Tokenization(loaded.tokenizer, Cut(20, 5)).encode(["the quick brown fox jumps"])
    assert len(windows) == 1
    assert "[PAD]" not in windows[0].tokens
    assert windows[0].ids == windows_of("wordpiece", "the quick brown fox jumps")[0].ids


def task(**settings: Any) -> ClassificationTask:
    return ClassificationTask(name="tone", task="sentiment", model="some/model", **settings)


def test_the_default_is_what_the_model_takes_and_a_quarter_of_it() -> None:
    loaded = load_tokenizer(resolve(str(tiny.checkpoint("bert", "embedding"))))
    assert choose_cut(task(), loaded, tiny.LENGTH) == Cut(tiny.LENGTH, tiny.LENGTH // 4)
    assert choose_cut(task(), loaded, 40) == Cut(40, 10)
    assert choose_cut(task(max_length=16, stride=0, long_text="truncate"), loaded, 40) == Cut(16, 0, truncate=True)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"max_length": 49}, "takes at most 48 tokens"),
        ({"max_length": 10, "stride": 6}, None),
        ({"stride": 46}, "stride 46 must be below 46"),
        ({"stride": 45}, None),
    ],
)
def test_windows_that_cannot_be_are_refused_at_load(settings: Any, says: str) -> None:
    loaded = load_tokenizer(resolve(str(tiny.checkpoint("bert", "embedding"))))
    if says is None:
        cut = choose_cut(task(**settings), loaded, tiny.LENGTH)
        (windows,) = Tokenization(loaded.tokenizer, cut).encode(["the lazy dog " * 20])
        assert len(windows) > 1
    else:
        with pytest.raises(ModelError, match=says):
            choose_cut(task(**settings), loaded, tiny.LENGTH)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    source = tiny.checkpoint("bert", "embedding")
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    with pytest.raises(ModelError, match="no tokenizer files"):
        load_tokenizer(resolve(str(tmp_path)))


def test_which_tokenizers_mark_continued_words() -> None:
    loaded = {
        kind: load_tokenizer(resolve(str(tiny.checkpoint(family, "embedding")))) for kind, family in FAMILY.items()
    }
    assert {kind: tokenizer.word_aware for kind, tokenizer in loaded.items()} == {
        "wordpiece": True, "bytes": False, "unigram": False,
    }  # fmt: skip
    assert {tokenizer.unk_id for tokenizer in loaded.values()} == {1, 3}
