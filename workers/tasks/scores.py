"""Scores in annotations: merged over windows, and turned into plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from workers.encoder.reading import Scores

DECIMALS = 6
"""Decimals of every score in an annotation."""


def merge_windows(windows: Sequence[Encoding], scores: Sequence[Scores], how: Literal["mean", "max"]) -> Scores:
    """Merge the rows of a text's windows into one row.

    Args:
        windows: the tokenizer's encodings, at least one.
        scores: one row ``[labels]`` (or ``[dimensions]``) per window.
        how: "max" per label, or "mean", weighted by the number of tokens that are not special, so that a short last
            window counts little.

    Returns:
        ``[labels]``, float32. With a single window this is its own row: do not change it in place.
    """
    if len(scores) == 1:
        return scores[0]
    rows = np.stack(scores)
    if how == "max":
        return rows.max(axis=0)  # type: ignore[no-any-return]
    # A text may have special tokens only (if it is all control characters), and weights must not all be zero.
    weights = [max(1, len(window) - sum(window.special_tokens_mask)) for window in windows]
    return np.average(rows, axis=0, weights=weights).astype(np.float32)


def numbers(scores: Scores | NDArray[np.float64]) -> list[float]:
    """Return ``[n]`` scores as floats with ``DECIMALS`` decimals, which halves the JSON and loses nothing useful."""
    scale = 10.0**DECIMALS
    return (np.rint(np.multiply(scores, scale, dtype=np.float64)) / scale).tolist()  # type: ignore[no-any-return]


def minimum_scores(threshold: float | Mapping[str, float], default: float) -> Callable[[str], float]:
    """Return a function from a label to its threshold.

    Args:
        threshold: one for all labels, or one per label, with ``default`` for the rest.
        default: of the labels that ``threshold`` leaves out.
    """
    if isinstance(threshold, Mapping):
        thresholds, rest = dict(threshold), threshold.get("default", default)
        return lambda label: thresholds.get(label, rest)
    return lambda _: threshold
