"""Which label of a name follows which: a linear-chain conditional random field on top of a token head.

Only the matrix of transitions is learnt (Lafferty et al. 2001), from the finished head's probabilities of the words of
labelled texts. A matrix of 9 x 9 numbers needs few texts, and takes three minutes on one core, most of them forwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from training import tokens
from training.calibration import logits
from training.data import Data
from training.reading import Reader, Unit
from training.shipped import LearnerLike
from workers.encoder.reading import HeadInfo
from workers.heads.pack_heads import ScoreMix
from workers.tasks.schemes import scheme_of
from workers.tasks.word_tokens import word_scores, words_of

EPOCHS = 2
RATE = 0.05
BATCH = 128
SMALL = 1e-4
"""Weight of the squares of the transitions: without it, what never occurs would be forbidden."""
STORIES = 700
_IMPOSSIBLE = -1e4


class Batch(NamedTuple):
    """Texts as words: logs ``[texts, longest, labels]``; what each word may be, as labelled; and which words exist."""

    logs: Tensor
    allowed: Tensor
    real: Tensor


def learn(learner: LearnerLike, data: Data, reader: Reader) -> None:
    """Give the head of names its transitions; it must have its temperature and aggregation."""
    head: Any = learner.heads["ner"]

    def words(units: Sequence[Unit]) -> list[tuple[Tensor, Tensor]]:
        units = [unit for unit in units if not all(unit.target["encoding"].special_tokens_mask)]
        return [_words(unit, rows, head) for unit, rows in zip(units, logits(learner, "ner", units), strict=True)]

    once = [
        *tokens.named(data, reader, "uner_ewt", "train"), *tokens.named(data, reader, "wnut17", "train"),
        *tokens.in_runs(data, reader, "wikigold", "train"), *tokens.told(reader, STORIES),
    ]  # fmt: skip
    texts = words(once) + 2 * words(tokens.named(data, reader, "wikigold", "train"))
    texts.sort(key=lambda text: len(text[0]))
    batches = [padded(texts[first : first + BATCH]) for first in range(0, len(texts), BATCH)]
    head.transitions = fitted(batches)


def fitted(batches: Sequence[Batch]) -> Tensor:
    """Return ``[labels, labels]``, by which the labels of ``batches`` are most probable; label 0 is outside texts."""
    matrix = torch.zeros(batches[0].logs.shape[2], batches[0].logs.shape[2], requires_grad=True)
    optimizer = torch.optim.Adam([matrix], RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.05, total_iters=EPOCHS * len(batches))
    random = np.random.default_rng(0)
    for _ in range(EPOCHS):
        for number in random.permutation(len(batches)):
            logs, allowed, real = batches[number]
            everything = real[:, :, None].expand_as(allowed)
            lost = total(logs, everything, real, matrix) - total(logs, allowed, real, matrix)
            loss = lost.mean() + SMALL * matrix.square().sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return matrix.detach()


def _words(unit: Unit, rows: Tensor, head: ScoreMix) -> tuple[Tensor, Tensor]:
    """Return the logs of the words' scores, as ``Spans`` has them, and which labels each word may have."""
    encoding, allowed = unit.target["encoding"], unit.target["ner"]
    content = [token for token, special in enumerate(encoding.special_tokens_mask) if not special]
    words = words_of(content, encoding, HeadInfo(word_aware=True), unit.target["text"])
    first, last = np.array(words).T
    table = rows.softmax(1).numpy()
    scores = word_scores(table, words, head.aggregation or "first")
    scores = scheme_of(head.labels).of_words(scores, table[first], table[last])
    return torch.from_numpy(np.log(np.maximum(scores, 1e-9))), torch.from_numpy(allowed[first])


def padded(texts: Sequence[tuple[Tensor, Tensor]]) -> Batch:
    """Return a batch of texts, each as its logs and what its words may be, ``[words, labels]``."""
    logs, allowed = (pad_sequence(list(part), batch_first=True) for part in zip(*texts, strict=True))
    real = pad_sequence([torch.ones(len(text), dtype=torch.bool) for text, _ in texts], batch_first=True)
    return Batch(logs, allowed, real)


def total(logs: Tensor, allowed: Tensor, real: Tensor, matrix: Tensor) -> Tensor:
    """Return the log of the sum over all allowed paths of each text, ``[texts]`` (the forward algorithm)."""
    worth = (logs[:, 0] + matrix[0]).masked_fill(~allowed[:, 0], _IMPOSSIBLE)
    for word in range(1, logs.shape[1]):
        after = torch.logsumexp(worth[:, :, None] + matrix, 1) + logs[:, word]
        after = after.masked_fill(~allowed[:, word], _IMPOSSIBLE)
        worth = torch.where(real[:, word, None], after, worth)
    return torch.logsumexp(worth + matrix[:, 0], 1)
