"""The head of a checkpoint: the model's own modules, run on hidden states that are already computed."""

from __future__ import annotations

import threading
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from schemas.errors import ModelError
from workers.encoder.packing import PackedBatch
from workers.encoder.pooling import first_tokens, means
from workers.encoder.reading import HeadKind
from workers.encoder.trunk import States, base_model, embedding_rows, probe
from workers.heads.base import Head

Gather = Literal["first", "mean", "whole"]


class CheckpointHead(Head):
    """Runs a model's own forward with its trunk replaced by hidden states that are already computed.

    A sequence head gets only what it pools: the first token of each sequence, or the mean of its tokens, as a sequence
    of length one. Which of the two is found by trying. A head that pools in another way gets whole sequences.
    """

    def __init__(self, model: PreTrainedModel, kind: HeadKind, name: str) -> None:
        """Separate the head of ``model`` from its trunk, on the CPU in float32.

        The caller has to take the trunk out with ``base_model`` before: it is no longer part of ``model`` afterwards.

        Args:
            model: a model with a head of ``kind``, in evaluation mode.
            kind: "sequence", "token" or "span".
            name: the model's name, for error messages.

        Raises:
            ModelError: if the head predicts a number, or needs more than hidden states.
        """
        config = model.config
        self.per = "sequence" if kind == "sequence" else "token"
        # The outputs of a span head are start and end; the labels in its configuration are leftovers.
        named = {} if kind == "span" else config.id2label or {}
        self.labels = tuple(str(label) for _, label in sorted(named.items()))
        self.multi_label = config.problem_type == "multi_label_classification"
        if config.problem_type == "regression":
            raise ModelError(f'model "{name}" predicts a number instead of labels, which is not supported')
        self._model = model
        self._kind = kind
        self._stub = _Stub(base_model(model))
        self._gather: Gather = "whole"
        self._find_pooling(name)

    def place(self, device: torch.device) -> None:
        """Move the head to ``device``. It stays in float32: it is small, and rounding there changes scores most."""
        nn.Module.to(self._model, device=device)

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        """Compute logits: ``[T, labels]`` for a token head, ``[T, 2]`` for a span head, else ``[N, labels]``."""
        last = states[-1]
        if self._kind in ("token", "span"):
            return self._logits(last)[0]
        if self._gather == "first":
            return self._logits(first_tokens(last, batch).unsqueeze(1))
        if self._gather == "mean":
            return self._logits(means(last, batch).unsqueeze(1))
        return torch.cat([
            self._logits(last[0, group.at : group.end].view(group.count, group.length, -1)) for group in batch.groups
        ])  # fmt: skip

    def _logits(self, states: Tensor) -> Tensor:
        self._stub.give(states.float())
        return self._scores(self._model())

    def _scores(self, output: Any) -> Tensor:
        if self._kind == "span":
            return torch.stack((output.start_logits, output.end_logits), dim=-1)
        return output.logits  # type: ignore[no-any-return]

    @torch.inference_mode()
    def _find_pooling(self, name: str) -> None:
        """Find the cheapest way of pooling that gives the logits of the whole model."""
        model, trunk = self._model, base_model(self._model)
        if trunk is model:
            raise ModelError(f'model "{name}": its head cannot be separated from its trunk')
        pad = model.config.pad_token_id or 0
        ids, batch = probe(embedding_rows(trunk), pad, (5, 9, 9), None)
        rows = [torch.from_numpy(row).unsqueeze(0) for row in np.split(ids, batch.starts[1:-1])]
        expected = torch.cat([self._scores(model(input_ids=row)).flatten(0, -2) for row in rows])
        states = (torch.cat([trunk(input_ids=row).last_hidden_state for row in rows], dim=1),)
        setattr(model, model.base_model_prefix, self._stub)
        ways: tuple[Gather, ...] = ("first", "mean", "whole") if self._kind == "sequence" else ("whole",)
        for self._gather in ways:
            try:
                logits = self(states, batch)
            except Exception:  # noqa: S112, the next way may work
                continue
            if logits.shape == expected.shape and torch.allclose(logits, expected, rtol=1e-3, atol=1e-5):
                return
        raise ModelError(f'model "{name}": its head needs more than hidden states, which is not supported')


class _Stub(nn.Module):
    """Takes the place of the trunk; returns given states, and their pooling by the trunk's own pooler."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        pooler: Any = getattr(trunk, "pooler", None)
        if isinstance(pooler, nn.Linear):  # ALBERT has a bare layer instead of a pooler module
            pooler = nn.Sequential(_First(), pooler, getattr(trunk, "pooler_activation", nn.Identity()))
        self.pooler: nn.Module | None = pooler
        self._given = threading.local()  # forwards may run side by side

    def give(self, states: Tensor) -> None:
        """Let the next ``forward`` on this thread return ``states``."""
        self._given.states = states

    def forward(self, *_: Any, **__: Any) -> BaseModelOutputWithPooling:
        """Return the states that were given, once, whatever the arguments are."""
        states, self._given.states = self._given.states, None
        pooled = self.pooler(states) if self.pooler is not None else None
        return BaseModelOutputWithPooling(last_hidden_state=states, pooler_output=pooled)


class _First(nn.Module):
    """Takes the first token of each sequence."""

    def forward(self, states: Tensor) -> Tensor:
        """``[N, T, H]`` -> ``[N, H]``."""
        return states[:, 0]
