"""Transitions: what follows what in labelled texts is learnt, and only that."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from schemas.pipeline.config import Compute
from tests.workers import tiny
from workers.learning import transitions
from workers.learning.examples import Example
from workers.learning.fit import new_head
from workers.learning.rows import Row
from workers.learning.states import Kept
from workers.learning.targets import head_labels, targets
from workers.learning.trunks import make_windows, open_trunk

OUTSIDE, PERSON, INSIDE = range(3)
LABELS = 3


def batch(*texts: list[set[int]]) -> transitions.Batch:
    """Texts whose words may be these labels; the scores of the words tell nothing."""
    rows = []
    for text in texts:
        allowed = torch.zeros(len(text), LABELS, dtype=torch.bool)
        for word, labels in enumerate(text):
            allowed[word, sorted(labels)] = True
        rows.append(transitions.Words(torch.full((len(text), LABELS), -1.0), allowed))
    return transitions.padded(rows)


def test_what_follows_what_is_learnt() -> None:
    texts = [
        [{OUTSIDE}, {PERSON}, {INSIDE}, {OUTSIDE}],
        [{PERSON}, {INSIDE}],
        [{OUTSIDE}, {OUTSIDE}, {PERSON}, {INSIDE}],
    ]
    learnt = transitions.fitted([batch(*texts)] * 100)
    assert learnt.shape == (LABELS, LABELS)
    assert learnt[PERSON].argmax() == INSIDE
    assert learnt[OUTSIDE].argmin() == INSIDE
    assert learnt[INSIDE].argmax() == OUTSIDE


def test_a_word_that_may_be_anything_teaches_nothing() -> None:
    anything = {OUTSIDE, PERSON, INSIDE}
    assert transitions.fitted([batch([anything, anything], [anything])] * 20).abs().max() < 0.02


def test_the_total_is_that_of_all_allowed_paths_and_padding_adds_nothing() -> None:
    torch.manual_seed(3)
    matrix = torch.randn(LABELS, LABELS)
    texts = [[{OUTSIDE, PERSON}, {PERSON, INSIDE}, {OUTSIDE, INSIDE}], [{PERSON, INSIDE}]]
    logs, allowed, real = batch(*texts)
    logs = logs + torch.randn(logs.shape)
    totals = transitions.total(logs, allowed, real, matrix)
    for row, text in enumerate(texts):
        paths = [
            sum(float(logs[row, word, label]) for word, label in enumerate(path))
            + sum(float(matrix[pair]) for pair in itertools.pairwise((OUTSIDE, *path, OUTSIDE)))
            for path in itertools.product(*text)
        ]
        assert float(totals[row]) == pytest.approx(float(torch.tensor(paths).logsumexp(0)), abs=1e-4)


def test_a_head_learns_from_the_words_of_its_texts() -> None:
    """The parts here are always one word, which its first token labels, so no word continues a part."""
    texts = [f"{'the ' * (number % 3)}unbelievable pump {number}" for number in range(24)]
    examples = [
        Example(Row(number, f"f:{number}", {}), text, spans=((text.index("un"), text.index(" pump"), "PART"),))
        for number, text in enumerate(texts)
    ]
    base = open_trunk(str(tiny.checkpoint("bert", "embedding")), Compute(device="cpu"))
    windows = make_windows(base.stage, examples)
    chosen = np.arange(len(windows))
    kept = Kept(base.stage, windows, "token", Path())
    torch.manual_seed(0)
    head = new_head(head_labels("ner", ["PART"]), kept.layers, kept.size, kind="token")
    learnt = transitions.learn(head, kept, targets("ner", ["PART"], examples, windows, chosen), chosen, base.info)
    assert learnt[OUTSIDE].argmin() == INSIDE
    assert learnt[PERSON].argmax() == OUTSIDE
