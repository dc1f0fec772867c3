"""The split of labelled texts: train to learn from, dev to choose by, test only to measure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from schemas.errors import LabelsError
from workers.learning.examples import Example, Labelled, normalised

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
_TENTHS: tuple[Split, ...] = (*("train",) * 8, "dev", "test")
FEWEST = 5
"""The fewest texts that dev and test must have."""


def split_of(text: str) -> Split:
    """Return the split of a text: 80 % train, 10 % dev, 10 % test.

    A hash of the normalised text decides, so equal texts are in the same split in every file.
    """
    digest = hashlib.sha256(normalised(text).encode("utf-8", "surrogatepass")).digest()
    return _TENTHS[int.from_bytes(digest[:8], "big") % len(_TENTHS)]


def split(labelled: Labelled) -> dict[Split, list[Example]]:
    """Return the examples of each split.

    Raises:
        LabelsError: if dev or test has too few texts, or if a label does not occur in train.
    """
    parts: dict[Split, list[Example]] = {name: [] for name in SPLITS}
    for example in labelled.examples:
        parts[split_of(example.text)].append(example)
    small = {name: len(parts[name]) for name in ("dev", "test") if len(parts[name]) < FEWEST}
    if small:
        counts = " and ".join(f"{count} for {name}" for name, count in small.items())
        raise LabelsError(
            f"{len(labelled.examples)} texts are too few: dev and test get one in ten each, which gives {counts}, "
            f"and they need at least {FEWEST} each; label more texts (200 are a good start)"
        )
    missing = [label for label in labelled.labels if label not in _named(parts["train"])]
    if missing:
        raise LabelsError(
            f"no text with the label {missing[0]!r} is in the training split (eight texts in ten)"
            + (f"; {len(missing)} labels have this problem" if len(missing) > 1 else "")
            + "; label more texts with it"
        )
    return parts


def _named(examples: Sequence[Example]) -> set[str]:
    return {label for example in examples for label in example.named}
