"""Heads that fail on some texts, in models that are otherwise as good as any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from schemas.errors import ForwardError
from tests.workers import naive
from workers.encoder.packing import PackedBatch
from workers.encoder.trunk import States
from workers.heads.base import Head
from workers.models.library import Library

KINDS = ("raises", "strange", "doubts", "who")
"""The kinds of ``naive`` that are flawed."""
MARK = "\N{PILE OF POO}"
"""Of a sequence that contains it, a head makes nothing."""
LONGEST = 60
"""The most characters in which ``who`` finds clusters."""


class Flawed(Head):
    """A head that raises, or returns scores that are no numbers, for sequences with ``MARK``."""

    def __init__(self, head: Head, kind: str, trunk: Any, mark: int) -> None:
        self._head, self._kind, self._trunk, self._mark = head, kind, trunk, mark
        self.per, self.labels, self.multi_label = head.per, head.labels, head.multi_label

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        scores = self._head(states, batch)
        tokens = np.flatnonzero(self._trunk.last_ids == self._mark)
        marked = np.unique(np.searchsorted(batch.starts, tokens, side="right") - 1)
        if len(marked) and self._kind != "strange":
            raise RuntimeError("the head fails")
        scores = scores.clone()
        scores[marked] = float("nan")
        return scores


class Who(Head):
    """A head that links the first two characters of a text, if it is not too long."""

    per = "input"

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        return states[-1][0]

    def resolve_clusters(self, states: Any, windows: Any, texts: Any) -> list[Any]:
        if any(len(text) > LONGEST for text in texts):
            raise ForwardError("too long")
        return [[[(0, 1), (1, 2)]] if len(text) > 1 else [] for text in texts]


def kind_of(model: str | None) -> str | None:
    return next((kind for kind in KINDS if model == naive.flawed(kind)), None)


@contextmanager
def installed() -> Iterator[None]:
    """Break the heads of the checkpoints of ``KINDS`` when they are loaded."""
    load = Library.load

    def flawed_load(library: Library, config: Any, kind: Any) -> Any:
        flaw = kind_of(config.model)
        if flaw is None:
            return load(library, config, kind)
        model = load(library, config, "embedding" if flaw == "who" else kind)
        trunk: Any = model.trunk
        if not hasattr(trunk, "last_ids"):
            forward = trunk.forward

            def remember(batch: Any, ids: Any, *rest: Any) -> Any:
                trunk.last_ids = ids[batch.tokens]
                return forward(batch, ids, *rest)

            trunk.last_ids, trunk.forward = None, remember
        mark = model.tokenizer.tokenizer.encode(MARK, add_special_tokens=False).ids[0]
        # One flawed head for each head, so that tasks still share them.
        head = Who() if flaw == "who" else Flawed(model.head, flaw, trunk, mark)
        return replace(model, head=vars(model.head).setdefault("flawed", head))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Library, "load", flawed_load)
        yield
