"""What the encoder reads and what it gives back: inputs, readings, and what a head says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

Scores: TypeAlias = NDArray[np.float32]
HeadKind = Literal["sequence", "token", "span", "embedding", "coreference"]
Activation = Literal["softmax", "sigmoid", "none"]
Input: TypeAlias = str | tuple[str, str]
"""What the encoder reads at once: a text, or a pair of texts."""
Side = Literal[0, 1]


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a loaded head says of itself.

    - ``labels``: the head's labels in the order of its outputs; empty for an embedding.
    - ``multi_label``: whether the checkpoint was trained with one sigmoid per label.
    - ``thresholds``: label -> calibrated threshold, where the head ships them.
    - ``word_aware``: the tokenizer marks continued words (WordPiece), so that a token's length
      against its text tells whether it starts a word.
    - ``aggregation``: how its tokens' labels become spans best, where the head says so.
    - ``unk_id``: the tokenizer's unknown token, which always starts a word; None where it has none.
    """

    labels: tuple[str, ...] = ()
    multi_label: bool = False
    thresholds: dict[str, float] | None = None
    word_aware: bool = False
    unk_id: int | None = None
    aggregation: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One input of a task as the model has read it.

    - ``windows``: the tokenizer's encodings, at least one, in text order; offsets count code points.
    - ``scores``: one for each window: ``[tokens, labels]`` of a token head (special tokens included;
      of a span head the two columns are start and end), ``[labels]`` of a sequence head, ``[dimensions]``
      of an embedding. All are finite: a document whose model gave anything else does not get here.
      Of a coreference head one for all windows: its clusters.
    """

    windows: Sequence[Encoding]
    scores: Sequence[Scores]
