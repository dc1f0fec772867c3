"""Texts with their antecedents or clusters, for ``coreference``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data import Data
from training.reading import Reader, Unit


def pieces(spans: NDArray[np.int64], start: int, end: int) -> tuple[int, int] | None:
    """Return the first and the last token that overlap the characters from ``start`` to ``end``."""
    inside = np.flatnonzero((spans[:, 0] < end) & (spans[:, 1] > start))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


def named_by_pronoun(data: Data, reader: Reader, split: str) -> list[Unit]:
    units = []
    for example in data.read(f"coref/gap.{split}"):
        items, spans = reader.segments(example["text"])
        mentions = [pieces(spans, *example[key]) for key in ("pronoun", "a", "b")]
        if all(mentions):
            target = 1 if example["a_coref"] else 2 if example["b_coref"] else 0
            units.append(Unit(items, {"gap": mentions, "target": target}))
    return units


def litbank(data: Data, reader: Reader, split: str, segments: int = 3) -> list[Unit]:
    """Return LitBank in pieces of ``segments`` segments, with the mentions of each cluster in them."""
    units = []
    for example in data.read(f"coref/litbank.{split}"):
        items, spans = reader.segments(example["text"])
        clusters = [
            [mention for start, end in cluster if (mention := pieces(spans, start, end))]
            for cluster in example["clusters"]
        ]
        for first in range(0, len(items), segments):
            chosen = items[first : first + segments]
            low = sum(map(len, items[:first]))
            high = low + sum(map(len, chosen))
            inside = [[(a - low, b - low) for a, b in cluster if low <= a and b < high] for cluster in clusters]
            units.append(Unit(chosen, {"clusters": [cluster for cluster in inside if cluster]}))
    return units
