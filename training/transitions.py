"""The transitions of the starter's head of names: which label follows which (``workers/learning/transitions.py``).

81 numbers need few texts, and take three minutes on one core, most of them forwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from training import tokens
from training.calibration import logits
from training.data import Data
from training.reading import Reader, Unit
from training.shipped import LearnerLike
from workers.encoder.reading import HeadInfo
from workers.learning import transitions
from workers.learning.transitions import Words

STORIES = 700
_INFO = HeadInfo(word_aware=True)


def learn(learner: LearnerLike, data: Data, reader: Reader) -> None:
    """Give the head of names its transitions; it must have its temperature and aggregation."""
    head: Any = learner.heads["ner"]

    def words(units: Sequence[Unit]) -> list[Words]:
        units = [unit for unit in units if not all(unit.target["encoding"].special_tokens_mask)]
        return [
            transitions.words(
                unit.target["encoding"],
                unit.target["text"],
                rows,
                torch.from_numpy(unit.target["ner"]),
                head=head,
                info=_INFO,
            )
            for unit, rows in zip(units, logits(learner, "ner", units), strict=True)
        ]

    once = [
        *tokens.named(data, reader, "uner_ewt", "train"), *tokens.named(data, reader, "wnut17", "train"),
        *tokens.in_runs(data, reader, "wikigold", "train"), *tokens.told(reader, STORIES),
    ]  # fmt: skip
    texts = words(once) + 2 * words(tokens.named(data, reader, "wikigold", "train"))
    head.transitions = transitions.fitted(transitions.in_batches(texts))
