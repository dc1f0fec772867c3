"""Which label of a name follows which: a linear-chain conditional random field on top of a token head.

Only the matrix of transitions is learnt (Lafferty et al. 2001), from the finished head's probabilities of the words of
labelled texts. ``workers/tasks/decoding.py`` uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Encoding
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from workers.encoder.packing import Ints
from workers.encoder.reading import HeadInfo
from workers.heads.pack_heads import ScoreMix
from workers.learning.states import Source
from workers.learning.targets import Targets
from workers.learning.teaching import batches
from workers.learning.trunks import Windows
from workers.tasks.schemes import scheme_of
from workers.tasks.word_tokens import word_scores, words_of

EPOCHS = 2
RATE = 0.05
BATCH = 128
SMALL = 1e-4
"""Weight of the squares of the transitions: without it, what never occurs would be forbidden."""
_STEPS = 300
"""The fewest steps of a fit; with fewer, the matrix has not become what the texts say."""
_IMPOSSIBLE = -1e4


class Words(NamedTuple):
    """The words of a text: the logs of their scores, and whether each may have each label, ``[words, labels]``."""

    logs: Tensor
    allowed: Tensor


class Batch(NamedTuple):
    """Texts as words: logs ``[texts, longest, labels]``; what each word may be, as labelled; and which words exist."""

    logs: Tensor
    allowed: Tensor
    real: Tensor


def words(window: Encoding, text: str, logits: Tensor, allowed: Tensor, *, head: ScoreMix, info: HeadInfo) -> Words:
    """Return the words of a window, with the scores that ``Spans`` gives them.

    Args:
        window: the tokens, some of them not special.
        text: the text that its offsets refer to.
        logits: ``[tokens, labels]``.
        allowed: whether each token may have each label, ``[tokens, labels]``.
        head: has labels and an aggregation of words.
        info: how the tokenizer marks words.
    """
    content = [token for token, special in enumerate(window.special_tokens_mask) if not special]
    places = words_of(content, window, info, text)
    first, last = np.array(places).T
    table = logits.softmax(1).numpy()
    scores = word_scores(table, places, head.aggregation or "first")
    scores = scheme_of(head.labels).of_words(scores, table[first], table[last])
    return Words(torch.from_numpy(np.log(np.maximum(scores, 1e-9))), allowed[first])


@torch.no_grad()
def learn(head: ScoreMix, source: Source, targets: Targets, chosen: Ints, info: HeadInfo) -> Tensor:
    """Return the transitions ``[labels, labels]`` of a trained head of names, from the ``chosen`` windows.

    Args:
        head: has its temperature, and an aggregation of words.
        source: gives the logits of windows.
        targets: of the same windows.
        chosen: the numbers of the windows.
        info: how the tokenizer marks words.
    """
    texts = list(_texts(head, source, targets, chosen, info))
    with torch.enable_grad():
        return fitted(in_batches(texts), _STEPS)


def _texts(head: ScoreMix, source: Source, targets: Targets, chosen: Ints, info: HeadInfo) -> Iterator[Words]:
    windows: Windows = targets.windows
    sizes = np.diff(windows.starts)
    for batch in batches(chosen, sizes):
        expected, known = targets.probabilities(batch, len(head.labels))
        rows = source.logits(head, batch).float().cpu()
        lengths = sizes[batch].tolist()
        parts = (torch.split(part, lengths) for part in (rows, expected, known))
        each = zip(batch, *parts, strict=True)
        for number, logits, labels, content in each:
            if content.any():
                text = windows.documents[windows.owners[number]].text
                yield words(windows.encodings[number], text, logits, labels > 0, head=head, info=info)


def in_batches(texts: Sequence[Words]) -> list[Batch]:
    """Return ``texts`` in batches of similar length."""
    ordered = sorted(texts, key=lambda text: len(text.logs))
    return [padded(ordered[first : first + BATCH]) for first in range(0, len(ordered), BATCH)]


def padded(texts: Sequence[Words]) -> Batch:
    """Return a batch of texts."""
    logs, allowed = (pad_sequence(list(part), batch_first=True) for part in zip(*texts, strict=True))
    real = pad_sequence([torch.ones(len(text.logs), dtype=torch.bool) for text in texts], batch_first=True)
    return Batch(logs, allowed, real)


def fitted(batches: Sequence[Batch], steps: int = 0) -> Tensor:
    """Return ``[labels, labels]``, by which the labels of ``batches`` are most probable; label 0 is outside texts.

    ``steps``: the least number of steps; with few batches there are more than ``EPOCHS``.
    """
    matrix = torch.zeros(batches[0].logs.shape[2], batches[0].logs.shape[2], requires_grad=True)
    optimizer = torch.optim.Adam([matrix], RATE)
    epochs = max(EPOCHS, -(-steps // len(batches)))
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.05, total_iters=epochs * len(batches))
    random = np.random.default_rng(0)
    for _ in range(epochs):
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


def total(logs: Tensor, allowed: Tensor, real: Tensor, matrix: Tensor) -> Tensor:
    """Return the log of the sum over all allowed paths of each text, ``[texts]`` (the forward algorithm)."""
    worth = (logs[:, 0] + matrix[0]).masked_fill(~allowed[:, 0], _IMPOSSIBLE)
    for word in range(1, logs.shape[1]):
        after = torch.logsumexp(worth[:, :, None] + matrix, 1) + logs[:, word]
        after = after.masked_fill(~allowed[:, word], _IMPOSSIBLE)
        worth = torch.where(real[:, word, None], after, worth)
    return torch.logsumexp(worth + matrix[:, 0], 1)
