"""Runs of sentences and exchanged names: what is labelled stays labelled."""

from __future__ import annotations

import random
from itertools import repeat
from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from training import runs, tokens

WORDS = st.sampled_from(["Kotor", "is", "nice", "Ana", "ana", "IBM", "the", "é", "x y"])
SENTENCES = st.lists(WORDS, min_size=1, max_size=8)


def example(document: str, number: int, words: list[str]) -> dict[str, Any]:
    """Label every word with a capital as PER, and tag every word with itself."""
    spans, offsets, at = [], [], 0
    for word in words:
        offsets.append([at, at + len(word)])
        if word[0].isupper():
            spans.append({"start": at, "end": at + len(word), "label": "PER"})
        at += len(word) + 1
    return {
        "id": f"{document}-{number:04}", "text": " ".join(words), "spans": spans, "offsets": offsets, "tags": words,
    }  # fmt: skip


def pieces(text: str, places: list[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in places]


@given(st.lists(st.lists(SENTENCES, min_size=1, max_size=6), min_size=1, max_size=4), st.integers(1, 20))
def test_runs_keep_every_sentence_once_within_its_document(documents: list[list[list[str]]], limit: int) -> None:
    examples = [
        example(f"a-{name}", number, words)
        for name, document in enumerate(documents)
        for number, words in enumerate(document)
    ]
    made = list(runs.runs(examples, repeat(limit)))
    assert [sentence for part in made for sentence in part] == examples
    for part in made:
        assert len({sentence["id"].rpartition("-")[0] for sentence in part}) == 1
        assert len(part) == 1 or sum(len(sentence["text"].split()) for sentence in part) <= limit


@given(st.lists(SENTENCES, min_size=1, max_size=6), st.sampled_from((" ", "\n", "", "\r\n")))
def test_a_run_has_the_spans_and_tags_of_its_sentences(sentences: list[list[str]], between: str) -> None:
    run = runs.joined([example("a", number, words) for number, words in enumerate(sentences)], between)
    assert run["text"] == between.join(" ".join(words) for words in sentences)
    words = [word for sentence in sentences for word in sentence]
    assert pieces(run["text"], run["offsets"]) == run["tags"] == words
    assert pieces(run["text"], [(span["start"], span["end"]) for span in run["spans"]]) == [
        word for word in words if word[0].isupper()
    ]


@given(SENTENCES, st.integers(0, 5))
def test_an_exchanged_name_is_labelled_and_the_rest_stays(words: list[str], seed: int) -> None:
    before = example("a", 0, words)
    names = runs.Names([example("a", 1, ["Bogdan"])], [("PER", "Li Wei")])
    after = names.exchanged(before, random.Random(seed), 1.0)
    written = pieces(after["text"], [(span["start"], span["end"]) for span in after["spans"]])
    assert len(written) == len(before["spans"]) and set(written) <= {"Bogdan", "Li Wei"}
    assert [word for word in words if not word[0].isupper()] == [
        word
        for word in after["text"].replace("Li Wei", "Bogdan").replace("x y", "x_y").split()
        if word != "Bogdan"
        for word in [word.replace("_", " ")]
    ]


def test_an_exchanged_name_keeps_lower_case_and_capitals() -> None:
    def exchanged(text: str) -> str:
        spans = [{"start": 0, "end": len(text), "label": "LOC"}]
        names = runs.Names([], [("LOC", "Novi Sad")])
        return str(names.exchanged({"id": "a-1", "text": text, "spans": spans}, random.Random(0), 1.0)["text"])

    assert [exchanged(name) for name in ("rijeka", "RIJEKA", "Rijeka", "UK", "139th")] == [
        "novi sad", "NOVI SAD", "Novi Sad", "Novi Sad", "Novi Sad",
    ]  # fmt: skip


def test_the_loss_of_allowed_labels_and_of_probabilities() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.0], [1.0, 2.0, 3.0], [9.0, 0.0, 0.0]])
    target = np.array([[1, 0, 0], [1, 1, 0], [0.2, 0.5, 0.3], [1, 1, 1]], np.float32)
    logs = logits.log_softmax(1)
    expected = -(logs[0, 0] + logs[1, :2].logsumexp(0) + (torch.tensor([0.2, 0.5, 0.3]) * logs[2]).sum()) / 3
    assert torch.allclose(tokens.loss(logits, target), expected)
    # Labels that a token may have, as booleans.
    assert torch.allclose(tokens.loss(logits[:1], target[:1].astype(bool)), -logs[0, 0])
    assert tokens.counts(target) and tokens.counts(target[2:3]) and not tokens.counts(target[3:])
