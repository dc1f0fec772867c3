"""Shared by the tests of tasks: tiny models with real tokenizers, difficult texts, windows and their scores."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import torch
from hypothesis import strategies as st
from tokenizers import Encoding
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from tests.workers import tiny
from workers.encoder.reading import HeadInfo

# One model family per kind of tokenizer: marked subwords, bytes, SentencePiece.
Family = Literal["bert", "roberta", "xlm-roberta"]
FAMILIES: tuple[Family, ...] = ("bert", "roberta", "xlm-roberta")

_WORDS = sorted({word for line in tiny.SENTENCES for word in line.split()})
_AWKWARD = [
    "👩‍👩‍👧‍👦", "🙂", "🇩🇪", "e\u0301", "cafe\u0301", "ﬁn", "İstanbul", "ß", "東京", "naïve", "a\u0300\u0301\u0302",
    "\u200b", "\u00a0", "\t", "\n", "...", "don't", "x-y", "Ωμέγα", "\x00", "\ufeff", "१२", "ab\u00adc", "[SEP]",
]  # fmt: skip
_pieces = st.sampled_from(_WORDS) | st.sampled_from(_AWKWARD) | st.text(max_size=4)
texts = st.lists(st.tuples(_pieces, st.sampled_from([" ", " ", " ", "", "  "])), min_size=1, max_size=40).map(
    lambda pairs: "".join(piece + gap for piece, gap in pairs)
).filter(str.strip)  # fmt: skip


@cache
def model(family: Family, kind: Literal["token", "sequence"], **settings: Any) -> PreTrainedModel:
    """A model whose answers differ from token to token: the weights of its head are large."""
    auto = AutoModelForTokenClassification if kind == "token" else AutoModelForSequenceClassification
    made = auto.from_pretrained(tiny.checkpoint(family, kind, **settings)).eval()
    with torch.no_grad():
        for parameter in (made.classifier if kind == "token" else made).parameters():
            parameter.mul_(4 if kind == "token" else 1.5)
    return made


@cache
def tokenizer(family: Family, max_length: int = tiny.LENGTH) -> PreTrainedTokenizerFast:
    loaded = AutoTokenizer.from_pretrained(tiny.checkpoint(family, "token"), model_max_length=max_length)
    assert isinstance(loaded, PreTrainedTokenizerFast)
    return loaded


def windows_of(family: Family, text: str, max_length: int = tiny.LENGTH, stride: int = 0) -> list[Encoding]:
    cutter = type(tokenizer(family).backend_tokenizer).from_str(tokenizer(family).backend_tokenizer.to_str())
    cutter.no_padding()
    cutter.enable_truncation(max_length, stride=stride)
    encoding = cutter.encode(text)
    return [encoding, *encoding.overflowing]


@torch.inference_mode()
def logits(network: PreTrainedModel, window: Encoding) -> torch.Tensor:
    return network(input_ids=torch.tensor([window.ids])).logits[0]


def head(family: Family, labels: tuple[str, ...]) -> HeadInfo:
    made = tokenizer(family)
    prefix = getattr(made.backend_tokenizer.model, "continuing_subword_prefix", None)
    return HeadInfo(labels, word_aware=bool(prefix), unk_id=made.unk_token_id)
