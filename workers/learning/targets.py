"""Training targets of each window, and the loss against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Encoding
from torch import Tensor
from torch.nn import functional

from workers.encoder.packing import Ints
from workers.learning.examples import Example, Span, Task
from workers.learning.trunks import Windows

IGNORED = -100
"""The target of special tokens, which have no label."""
MOST_WEIGHT = 4.0
"""The most that a rare label is weighted up, and a frequent one down."""


def head_labels(task: Task, labels: Sequence[str]) -> list[str]:
    """Return the labels of the head's logits: for ``ner`` ``O``, and ``B-`` and ``I-`` of each label."""
    if task == "ner":
        return ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]
    return list(labels)


@dataclass(frozen=True)
class Targets:
    """The targets of W windows with L tokens in all.

    - ``values``: ``[W]`` the label's number; for moderation ``[W, labels]`` 0 or 1; for ner ``[L]`` the number of each
      token's label, or ``IGNORED``.
    - ``weights`` [W]: the windows of one text weigh as much as one text; rare labels weigh more, by the square root of
      their rarity.
    - ``positive`` [labels]: for moderation, the weight of a label that is present, relative to one that is absent.
    """

    task: Task
    windows: Windows
    values: Tensor
    weights: Tensor
    positive: Tensor

    def loss(self, logits: Tensor, chosen: Ints) -> Tensor:
        """Return the mean loss over the ``chosen`` windows; ``logits`` are in their order (see ``Source.logits``)."""
        if self.task == "ner":
            values = self.values[torch.from_numpy(self.windows.tokens(chosen))].to(logits.device)
            return functional.cross_entropy(logits, values, ignore_index=IGNORED)
        rows = torch.from_numpy(chosen)
        values, weights = self.values[rows].to(logits.device), self.weights[rows].to(logits.device)
        if self.task == "moderation":
            positive = self.positive.to(logits.device)
            each = functional.binary_cross_entropy_with_logits(
                logits, values, reduction="none", pos_weight=positive
            ).sum(1)
        else:
            each = functional.cross_entropy(logits, values, reduction="none")
        return (each * weights).sum() / weights.sum()

    def probabilities(self, chosen: Ints, labels: int) -> tuple[Tensor, Tensor]:
        """Return the target probabilities for the logits of ``chosen``, in their shape, and which rows count."""
        if self.task == "ner":
            values = self.values[torch.from_numpy(self.windows.tokens(chosen))]
            known = values != IGNORED
            return functional.one_hot(values.clamp(min=0), labels).float(), known
        values = self.values[torch.from_numpy(chosen)]
        if self.task != "moderation":
            values = functional.one_hot(values, labels).float()
        return values, torch.ones(len(values), dtype=torch.bool)


def targets(task: Task, labels: Sequence[str], examples: Sequence[Example], windows: Windows, trained: Ints) -> Targets:
    """Return the targets of all windows.

    Args:
        task: the task of the head.
        labels: its labels, without prefixes.
        examples: the texts with their labels.
        windows: the windows of ``examples``.
        trained: the numbers of the windows in the training split, which decide how rare a label is.
    """
    number = {label: index for index, label in enumerate(head_labels(task, labels))}
    share = torch.from_numpy(1 / windows.shares).float()
    positive = torch.ones(len(number))
    if task == "ner":
        rows = [bio(windows.encodings[n], examples[windows.owners[n]].spans, number) for n in range(len(windows))]
        return Targets(task, windows, torch.tensor([value for row in rows for value in row]), share, positive)
    texts = np.unique(windows.owners[trained])
    gold = np.zeros((len(examples), len(number)), np.float32)
    for text, example in enumerate(examples):
        gold[text, [number[label] for label in example.labels]] = 1
    count = gold[texts].sum(0).clip(1)
    if task == "moderation":
        positive = torch.from_numpy(np.sqrt((len(texts) - count).clip(1) / count).clip(1, MOST_WEIGHT))
        return Targets(task, windows, torch.from_numpy(gold[windows.owners]), share, positive)
    rare = np.sqrt(len(texts) / (len(number) * count)).clip(1 / MOST_WEIGHT, MOST_WEIGHT)
    values = gold[windows.owners].argmax(1)
    return Targets(task, windows, torch.from_numpy(values), share * torch.from_numpy(rare)[values], positive)


def bio(window: Encoding, spans: Sequence[Span], number: dict[str, int]) -> list[int]:
    """Return, for each token of one window, the index of its label; ``IGNORED`` for special tokens.

    A span's first token gets ``B-``, unless the span's start is in an earlier window; the others get ``I-``. Tokens
    outside all spans get ``O``.

    Args:
        window: the tokens of a text or of a part of it, with their offsets in code points.
        spans: (start, end, label) in text order, half-open, in code points of the whole text.
        number: ``O`` and every ``B-LABEL`` and ``I-LABEL`` -> its index. A label that is missing raises KeyError.
    """
    out = [IGNORED if special else number["O"] for special in window.special_tokens_mask]
    places = [None if value == IGNORED else window.offsets[token] for token, value in enumerate(out)]
    at = 0
    for start, end, label in spans:
        # Tokens and spans are in text order; a token that overlaps two spans belongs to the first.
        while at < len(places) and ((place := places[at]) is None or place[1] <= start):
            at += 1
        prefix = "B" if at < len(places) and _holds_start(places, at, start) else "I"
        while at < len(places) and (place := places[at]) is not None and place[0] < end:
            out[at] = number[f"{prefix}-{label}"]
            prefix = "I"
            at += 1
    return out


def _holds_start(places: Sequence[tuple[int, int] | None], token: int, start: int) -> bool:
    """Return whether a span's start is in the window, where ``token`` is the first token of the span."""
    place = places[token]
    before = places[token - 1] if token else None
    return place is not None and (place[0] <= start or before is not None)
