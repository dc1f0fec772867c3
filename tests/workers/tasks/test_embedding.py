"""Embeddings: merged by length, then of length one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from schemas.tasks import EmbeddingTask
from tests.workers.tasks import small
from workers.tasks.base import HeadInfo, Reading
from workers.tasks.embedding import Embedding


def vector(text: str, vectors: np.ndarray, normalize: bool) -> list[float]:
    made = Embedding(EmbeddingTask(name="e", model="m", task="embedding", normalize=normalize), HeadInfo(()))
    windows = small.windows_of("bert", text, 12, 3)[: len(vectors)]
    return made.annotate(Document(None, text), [Reading(windows, list(vectors))])["vector"]


@settings(deadline=None)
@given(text=small.texts, seed=st.integers(0, 2**32 - 1))
def test_windows_are_merged_by_length_and_then_normalised(text: str, seed: int) -> None:
    windows = small.windows_of("bert", text, 12, 3)
    weights = np.array([max(1, sum(1 for mask in window.special_tokens_mask if not mask)) for window in windows])
    vectors = np.random.default_rng(seed).normal(size=(len(windows), 8)).astype(np.float32)
    mean = weights @ vectors / weights.sum()
    assert vector(text, vectors, normalize=False) == pytest.approx(mean, abs=1e-5)
    assert vector(text, vectors, normalize=True) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_a_vector_of_zeros_stays() -> None:
    assert vector("the", np.zeros((1, 3), np.float32), normalize=True) == [0.0, 0.0, 0.0]
