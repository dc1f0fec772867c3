"""Sentiment and text classification against transformers' own pipeline."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TextClassificationPipeline

from schemas.document import Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import ClassificationTask
from tests.thoroughness import examples
from tests.workers import tiny
from tests.workers.tasks import small
from workers.encoder.reading import HeadInfo, Reading
from workers.tasks.classification import Classification

LABELS = tiny.LABELS["sequence"]


def task(labels: tuple[str, ...], multi_label: bool = False, **more: Any) -> Classification:
    config = ClassificationTask(name="tone", model="m", **{"task": "text-classification", **more})
    return Classification(config, HeadInfo(labels, multi_label))


def activated(made: Classification, logits: torch.Tensor) -> np.ndarray:
    return (logits.softmax(-1) if made.activation() == "softmax" else logits.sigmoid()).numpy()


@cache
def reference(problem: str | None) -> TextClassificationPipeline:
    network = small.model("xlm-roberta", "sequence", problem_type=problem)
    return TextClassificationPipeline(model=network, tokenizer=small.tokenizer("xlm-roberta"), device="cpu")


@pytest.mark.parametrize("problem", [None, "multi_label_classification"])
@settings(deadline=None, max_examples=examples(25))
@given(text=small.texts)
def test_equals_the_pipeline(problem: str | None, text: str) -> None:
    pipe = reference(problem)
    made = task(LABELS, multi_label=problem is not None)
    windows = small.windows_of("xlm-roberta", text)[:1]
    scores = [activated(made, small.logits(pipe.model, window)) for window in windows]
    answer = made.annotate(Document(None, text), [Reading(windows, scores)])
    expected = pipe(text, top_k=None, truncation=True)
    assert answer["scores"] == pytest.approx({entry["label"]: entry["score"] for entry in expected}, abs=1e-4)
    assert answer["score"] == max(answer["scores"].values()) == answer["scores"][answer["label"]]


def test_multi_label_of_the_file_goes_before_the_checkpoint() -> None:
    config = ClassificationTask(name="tone", model="m", task="text-classification", multi_label=False)
    assert Classification(config, HeadInfo(("a", "b"), multi_label=True)).activation() == "softmax"
    assert Classification(config, HeadInfo(("a",))).activation() == "sigmoid"


@settings(deadline=None)
@given(text=small.texts, seed=st.integers(0, 2**32 - 1))
def test_windows_are_merged_by_length(text: str, seed: int) -> None:
    labels = ("a", "b", "c")
    windows = small.windows_of("bert", text, 12, 3)
    table = np.random.default_rng(seed).dirichlet(np.ones(3), len(windows)).astype(np.float32)
    weights = np.array([max(1, sum(1 for mask in window.special_tokens_mask if not mask)) for window in windows])
    means = task(labels).annotate(Document(None, text), [Reading(windows, list(table))])
    assert list(means["scores"].values()) == pytest.approx(list(weights @ table / weights.sum()), abs=1e-5)
    highest = task(labels, merge="max").annotate(Document(None, text), [Reading(windows, list(table))])
    assert list(highest["scores"].values()) == pytest.approx(list(table.max(axis=0)), abs=1e-5)


@pytest.mark.parametrize(
    ("labels", "spelled"),
    [
        (("NEGATIVE", "POSITIVE"), ("negative", "positive")),
        (("neg", "neu", "pos"), ("negative", "neutral", "positive")),
        (("Very Negative", "Negative", "Neutral", "Positive", "Very Positive"),
         ("very negative", "negative", "neutral", "positive", "very positive")),
        (("1 star", "2 stars"), ("1 star", "2 stars")),
        (("LABEL_0", "LABEL_1"), ("LABEL_0", "LABEL_1")),
        (("NEG", "POS", "ironic"), ("NEG", "POS", "ironic")),
        (("NEG", "negative"), ("NEG", "negative")),
    ],
)  # fmt: skip
def test_sentiment_spells_polarities_in_one_way(labels: tuple[str, ...], spelled: tuple[str, ...]) -> None:
    windows = small.windows_of("bert", "the", 12)
    scores = np.linspace(0, 1, len(labels), dtype=np.float32)
    said = task(labels, task="sentiment").annotate(Document(None, "the"), [Reading(windows, [scores])])
    assert tuple(said["scores"]) == spelled
    assert said["label"] == spelled[-1]
    as_is = task(labels).annotate(Document(None, "the"), [Reading(windows, [scores])])
    assert tuple(as_is["scores"]) == labels


def test_a_head_without_enough_labels_is_refused() -> None:
    with pytest.raises(ModelError, match="at least 2 labels"):
        task(("spam",), task="sentiment")
    with pytest.raises(ModelError, match="at least 1 labels"):
        task(())
