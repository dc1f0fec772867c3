"""What all tasks do with scores: merge those of windows, and turn them into plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from workers.encoder.reading import Scores

DECIMALS = 6


def merge_windows(windows: Sequence[Encoding], scores: Sequence[Scores], how: Literal["mean", "max"]) -> Scores:
    """One row for a document from the rows of its windows, ``[labels]`` each.

    The mean is weighted by the windows' tokens without special ones, so that a short last window counts little.
    """
    if len(scores) == 1:
        return scores[0]
    rows = np.stack(scores)
    if how == "max":
        return rows.max(axis=0)  # type: ignore[no-any-return]
    # A text can have no token of its own (control characters alone), and weights must not all be zero.
    weights = [max(1, len(window) - sum(window.special_tokens_mask)) for window in windows]
    return np.average(rows, axis=0, weights=weights).astype(np.float32)


def numbers(scores: Scores | NDArray[np.float64]) -> list[float]:
    """``[n]`` scores as plain floats with six decimals: half the JSON, and no reader can use more."""
    scale = 10.0**DECIMALS
    return (np.rint(np.multiply(scores, scale, dtype=np.float64)) / scale).tolist()  # type: ignore[no-any-return]
