"""Labelled texts of the sentence tasks: soft targets and weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Texts:
    """Labelled texts: ``targets`` are probabilities over the labels, ``weight`` counts in loss and measures."""

    name: str
    texts: list[str] = field(default_factory=list)
    targets: list[tuple[float, ...]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, text: str, target: Sequence[float], weight: float = 1.0) -> None:
        self.texts.append(text)
        self.targets.append(tuple(target))
        self.weights.append(weight)

    def limit(self, count: int, seed: int = 0) -> Texts:
        """Return at most ``count`` of the texts, drawn with a fixed seed."""
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self.texts))[:count])
        cut = Texts(self.name)
        for index in chosen:
            cut.add(self.texts[index], self.targets[index], self.weights[index])
        return cut
