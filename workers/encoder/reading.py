"""The words of the encoder: its inputs, the readings it gives back, and the properties of a head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

Scores: TypeAlias = NDArray[np.float32]
HeadKind = Literal["sequence", "token", "span", "embedding", "coreference"]
"""The kind of head a task needs: scores per sequence, per token, start and end of a span, vectors, or clusters."""
Activation = Literal["softmax", "sigmoid", "none"]
"""The function that turns logits into scores."""
Input: TypeAlias = str | tuple[str, str]
"""What the encoder reads at once: a text, or a pair of texts."""
Side = Literal[0, 1]
"""One of the two texts of a pair."""


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """The properties of a loaded head and its tokenizer.

    - ``labels``: the labels in the order of the scores' columns; empty for an embedding.
    - ``multi_label``: whether the head was trained with one sigmoid per label.
    - ``thresholds``: label -> the calibrated probability from which it counts; None if the head has none.
    - ``word_aware``: whether the tokenizer marks continued words (WordPiece). A token that is longer than its text
      then continues a word.
    - ``unk_id``: the id of the unknown token, which always starts a word; None if there is none.
    - ``aggregation``: how the labels of tokens are best joined into spans; None if the head does not know.
    - ``vote``: whether equal names of a text should be decided together.
    - ``transitions``: ``[labels, labels]``, what a label adds to the log-probability of the next one; None if the head
      has not learnt that.
    - ``symbols``: the emoji and symbols at which texts are split before they are tokenized.
    - ``window_margin``: of a span head, by how much more an answer must exceed "no answer" with each window; None if it
      is not calibrated for several windows (``workers/tasks/answers.py``).
    - ``reference``: how its annotations were distributed when it was trained, as in a pack's manifest; None if unknown.
    """

    labels: tuple[str, ...] = ()
    multi_label: bool = False
    thresholds: dict[str, float] | None = None
    word_aware: bool = False
    unk_id: int | None = None
    aggregation: str | None = None
    symbols: str = ""
    reference: Mapping[str, Any] | None = None
    window_margin: float | None = None
    vote: bool = False
    transitions: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The model's scores for one input.

    - ``windows``: the encodings of the input, at least one, in text order; offsets count code points.
    - ``scores``: one array per window: ``[labels]`` from a sequence head, ``[tokens, labels]`` from a token head
      (special tokens included), ``[tokens, 2]`` from a span head (start and end), ``[dimensions]`` from an embedding.
      All are finite; a document with other scores has failed before. From a coreference head, one item for all
      windows: the list of clusters.
    - ``unknown``: the share of the text that the tokenizer does not know, by characters, 0 to 1; of a pair, the
      larger share.
    """

    windows: Sequence[Encoding]
    scores: Sequence[Scores]
    unknown: float = 0.0
