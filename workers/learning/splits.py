"""Which texts are learnt from, which decide, and which only measure."""

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
"""Texts that dev and test must have at least."""


def split_of(text: str) -> Split:
    """Eight texts in ten train; decided by the text alone, so that equal ones stay together in every file."""
    digest = hashlib.sha256(normalised(text).encode("utf-8", "surrogatepass")).digest()
    return _TENTHS[int.from_bytes(digest[:8], "big") % len(_TENTHS)]


def split(labelled: Labelled) -> dict[Split, list[Example]]:
    """Raises LabelsError when there are too few texts to learn from or to measure on."""
    parts: dict[Split, list[Example]] = {name: [] for name in SPLITS}
    for example in labelled.examples:
        parts[split_of(example.text)].append(example)
    small = {name: len(parts[name]) for name in ("dev", "test") if len(parts[name]) < FEWEST}
    if small:
        said = " and ".join(f"{count} for {name}" for name, count in small.items())
        raise LabelsError(
            f"{len(labelled.examples)} texts are too few: one in ten is for dev and one in ten for test, which gives "
            f"{said}, and {FEWEST} each are the least; label more (200 texts are a beginning)"
        )
    missing = [label for label in labelled.labels if label not in _named(parts["train"])]
    if missing:
        raise LabelsError(
            f"no text with the label {missing[0]!r} is among the eight in ten that train"
            + (f" ({len(missing)} labels have that problem)" if len(missing) > 1 else "")
            + "; label more texts with it"
        )
    return parts


def _named(examples: Sequence[Example]) -> set[str]:
    return {label for example in examples for label in example.named}
