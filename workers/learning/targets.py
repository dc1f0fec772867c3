"""What a head should say of each window, and how wrong it is."""

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
"""The target of a token that is nobody's: special tokens."""
MOST_WEIGHT = 4.0


def head_labels(task: Task, labels: Sequence[str]) -> list[str]:
    """The labels of the logits: for ``ner`` two a label (``B-``, ``I-``) and ``O``."""
    if task == "ner":
        return ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]
    return list(labels)


@dataclass(frozen=True)
class Targets:
    """``values``: the label's number ``[W]``, of moderation 0 or 1 each ``[W, labels]``, of ner of each token ``[L]``.

    - ``weights`` [W]: windows of one text count as one text, and rare labels more (by the root of how rare).
    - ``positive`` [labels]: what a label that is there counts for against one that is not; moderation alone.
    """

    task: Task
    read: Windows
    values: Tensor
    weights: Tensor
    positive: Tensor

    def loss(self, logits: Tensor, chosen: Ints) -> Tensor:
        """The mean over the ``chosen`` windows, whose ``logits`` are in their order."""
        if self.task == "ner":
            values = self.values[torch.from_numpy(self.read.tokens(chosen))].to(logits.device)
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
        """What the logits of ``chosen`` should become, of their shape, and which rows count."""
        if self.task == "ner":
            values = self.values[torch.from_numpy(self.read.tokens(chosen))]
            known = values != IGNORED
            return functional.one_hot(values.clamp(min=0), labels).float(), known
        values = self.values[torch.from_numpy(chosen)]
        if self.task != "moderation":
            values = functional.one_hot(values, labels).float()
        return values, torch.ones(len(values), dtype=torch.bool)


def targets(task: Task, labels: Sequence[str], examples: Sequence[Example], read: Windows, trained: Ints) -> Targets:
    """``trained``: the windows that are learnt from, which alone decide what is rare."""
    number = {label: index for index, label in enumerate(head_labels(task, labels))}
    share = torch.from_numpy(1 / read.shares).float()
    positive = torch.ones(len(number))
    if task == "ner":
        rows = [bio(read.encodings[n], examples[read.owners[n]].spans, number) for n in range(len(read))]
        return Targets(task, read, torch.tensor([value for row in rows for value in row]), share, positive)
    texts = np.unique(read.owners[trained])
    said = np.zeros((len(examples), len(number)), np.float32)
    for text, example in enumerate(examples):
        said[text, [number[label] for label in example.labels]] = 1
    count = said[texts].sum(0).clip(1)
    if task == "moderation":
        positive = torch.from_numpy(np.sqrt((len(texts) - count).clip(1) / count).clip(1, MOST_WEIGHT))
        return Targets(task, read, torch.from_numpy(said[read.owners]), share, positive)
    rare = np.sqrt(len(texts) / (len(number) * count)).clip(1 / MOST_WEIGHT, MOST_WEIGHT)
    values = said[read.owners].argmax(1)
    return Targets(task, read, torch.from_numpy(values), share * torch.from_numpy(rare)[values], positive)


def bio(window: Encoding, spans: Sequence[Span], number: dict[str, int]) -> list[int]:
    """The label of each token of a window: the first of a span begins it, unless an earlier window has its start."""
    out = [IGNORED if special else number["O"] for special in window.special_tokens_mask]
    places = [None if value == IGNORED else window.offsets[token] for token, value in enumerate(out)]
    at = 0
    for start, end, label in spans:
        # Both are in text order; a token that touches two spans is the first one's.
        while at < len(places) and ((place := places[at]) is None or place[1] <= start):
            at += 1
        begun = at < len(places) and _holds_start(places, at, start)
        prefix = "B" if begun else "I"
        while at < len(places) and (place := places[at]) is not None and place[0] < end:
            out[at] = number[f"{prefix}-{label}"]
            prefix = "I"
            at += 1
    return out


def _holds_start(places: Sequence[tuple[int, int] | None], token: int, start: int) -> bool:
    """Whether a span's start lies in the window that has ``token`` as the span's first."""
    place = places[token]
    before = places[token - 1] if token else None
    return place is not None and (place[0] <= start or before is not None)
