"""Embeddings: merged by length, cut, normalized, and written with the requested precision."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.document import Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import EmbeddingTask
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain, small
from tests.workers.tasks.events import event, run
from workers.chain.chain import Chain
from workers.encoder.reading import HeadInfo, Reading
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


def chain(family: str = "bert", **settings: Any) -> Chain:
    model = str(tiny.checkpoint(family, "embedding"))
    return Chain.load(pipeline({"name": "t", "task": "embedding", "model": model, **settings}))


LONG = "Das Café in Zürich schließt schon um fünf Uhr, again and again. " * 6
TEXTS = ("the quick brown fox", LONG, "", "e\N{COMBINING ACUTE ACCENT} 東京")


@pytest.mark.parametrize("family", ["bert", "roberta", "mpnet"])
@pytest.mark.parametrize("dimensions", [None, 1, 5])
@pytest.mark.parametrize("normalize", [True, False])
def test_as_many_dimensions_as_asked_for(family: str, dimensions: int | None, normalize: bool) -> None:
    annotated = run(chain(family, dimensions=dimensions, normalize=normalize), *map(event, TEXTS))
    for text, by_task in zip(TEXTS, annotated, strict=True):
        wanted = plain.vector(tiny.checkpoint(family, "embedding"), text)[:dimensions]
        if normalize:
            # Normalized after cutting: the first few numbers of a unit vector are not a unit vector.
            wanted = wanted / np.linalg.norm(wanted)
        assert list(by_task["t"]) == ["vector"]
        assert by_task["t"]["vector"] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("normalize", [True, False])
def test_whole_numbers_with_their_scale(normalize: bool) -> None:
    exact = run(chain(normalize=normalize, dimensions=16), *map(event, TEXTS))
    short = run(chain(normalize=normalize, dimensions=16, precision="int8"), *map(event, TEXTS))
    for unrounded, rounded in zip(exact, short, strict=True):
        vector, scale = rounded["t"]["vector"], rounded["t"]["scale"]
        assert all(type(value) is int and -127 <= value <= 127 for value in vector)
        assert max(map(abs, vector)) == 127
        # Half a step, and the exact one's own rounding.
        assert np.abs(np.multiply(vector, scale) - unrounded["t"]["vector"]).max() <= scale / 2 + 1e-5


def test_numbers_of_half_the_size() -> None:
    exact = run(chain(), *map(event, TEXTS))
    short = run(chain(precision="float16"), *map(event, TEXTS))
    for unrounded, rounded in zip(exact, short, strict=True):
        # The shortest decimals that parse back to the same float16.
        assert np.float16(rounded["t"]["vector"]).astype(float) == pytest.approx(
            unrounded["t"]["vector"], rel=2**-11, abs=1e-5
        )
        for value in rounded["t"]["vector"]:
            assert type(value) is float
            assert len(repr(value).lstrip("-").replace("0.", "", 1).lstrip("0").partition("e")[0]) <= 6
            assert float(str(np.float16(value))) == value


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_a_vector_of_zeros_stays_in_any_precision(precision: Literal["int8", "float16"]) -> None:
    made = Embedding(EmbeddingTask(name="e", model="m", task="embedding", precision=precision), HeadInfo(()))
    windows = small.windows_of("bert", "the", 12, 3)
    annotation = made.annotate(Document(None, "the"), [Reading(windows, [np.zeros(3, np.float32)])])
    assert annotation["vector"] == [0, 0, 0]
    assert annotation.get("scale", 1.0) == 1.0


def test_more_dimensions_than_there_are_fail_every_event_and_so_the_start() -> None:
    made = chain(dimensions=33)
    document = event()
    made.run([document])
    assert document.failure is not None
    assert document.failure.message == "the vector has 32 dimensions, fewer than the 33 requested"
    with pytest.raises(ModelError, match="32 dimensions, fewer than the 33 requested"):
        made.warm_up()
