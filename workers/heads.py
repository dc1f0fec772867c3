"""Heads: what turns a trunk's hidden states into scores. None is re-implemented; each is the model's own."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from tokenizers import Encoding
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from schemas.errors import ModelError
from workers.encoder import States, embedding_rows, probe
from workers.models import Checkpoint
from workers.packing import PackedBatch
from workers.starter.heads import StarterHead, reduced
from workers.tasks.base import HeadKind

Gather = Literal["first", "mean", "whole"]


class Head(ABC):
    """Scores before activation: ``[N, labels]`` for sequence heads and embeddings, ``[T, labels]`` for token heads.

    - ``labels``: in the order of the outputs; empty for an embedding.
    - ``multi_label``, ``thresholds``, ``aggregation``: see ``HeadInfo``.
    - ``every_layer``: whether it reads all hidden states or the last alone.
    - ``mix``: the weights of all hidden states, for a head that reads nothing but their sum.
    """

    every_layer: bool = False
    mix: Tensor | None = None
    labels: tuple[str, ...] = ()
    multi_label: bool = False
    thresholds: dict[str, float] | None = None
    aggregation: str | None = None

    @abstractmethod
    def __call__(self, states: States, batch: PackedBatch) -> Tensor: ...

    def settle(self, states: Sequence[Tensor], windows: Sequence[list[Encoding]], texts: Sequence[str]) -> Any:
        """What a head that reads whole inputs finds in each of them, from what ``__call__`` gave for its windows.

        ``states``: of each input ``[tokens, H]``, its windows laid end to end.
        """
        raise NotImplementedError


class CheckpointHead(Head):
    """The head of a checkpoint: the model's own forward, its trunk replaced by states already computed.

    A sequence head is given what it pools and no more: each sequence's first token, or the mean of its
    tokens, as a sequence of one. Which of them is found by trying; a head that pools in another way gets
    whole sequences.
    """

    def __init__(self, model: PreTrainedModel, kind: HeadKind, checkpoint: Checkpoint) -> None:
        """Leaves the trunk in ``model.base_model`` for the caller to take; ``place`` then lets go of it.

        Raises ModelError for a head that cannot run on hidden states alone.
        """
        config = model.config
        # A span head's outputs are start and end, whatever labels its configuration was born with.
        named = {} if kind == "span" else config.id2label or {}
        self.labels = tuple(str(label) for _, label in sorted(named.items()))
        self.multi_label = config.problem_type == "multi_label_classification"
        if config.problem_type == "regression":
            raise ModelError(f'model "{checkpoint.name}" predicts a number, not labels, which is not supported')
        self._model = model
        self._kind = kind
        self._stub = _Stub(base_model(model))
        self._gather: Gather = "whole"
        self._settle(checkpoint)

    def place(self, device: torch.device, dtype: torch.dtype) -> None:
        nn.Module.to(self._model, device=device, dtype=dtype)

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
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
        self._stub.states = states
        return self._scores(self._model())

    def _scores(self, output: Any) -> Tensor:
        if self._kind == "span":
            return torch.stack((output.start_logits, output.end_logits), dim=-1)
        return output.logits  # type: ignore[no-any-return]

    @torch.inference_mode()
    def _settle(self, checkpoint: Checkpoint) -> None:
        """Tries the ways of pooling, the cheap ones first, against the whole model's answer."""
        model, trunk = self._model, base_model(self._model)
        if trunk is model:
            raise ModelError(f'model "{checkpoint.name}": its head cannot be told from its trunk')
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
            except Exception:  # noqa: S112, the next way may do
                continue
            if logits.shape == expected.shape and torch.allclose(logits, expected, rtol=1e-3, atol=1e-5):
                return
        raise ModelError(f'model "{checkpoint.name}": its head needs more than hidden states, which is not supported')


class EmbeddingHead(Head):
    """A sequence as one vector: the mean of its hidden states, special tokens included, or its first one."""

    def __init__(self, pooling: Literal["mean", "cls"]) -> None:
        self._pool: Callable[[Tensor, PackedBatch], Tensor] = means if pooling == "mean" else first_tokens

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        return self._pool(states[-1], batch)


class LayersHead(Head):
    """A head of a pack: it mixes the hidden states of every layer."""

    def __init__(self, module: StarterHead) -> None:
        self._module = module
        self.mix = module.mix
        self.labels = module.labels
        self.multi_label = module.multi_label
        self.thresholds = module.thresholds or None
        self.aggregation = module.aggregation

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        device = states[-1].device
        starts = torch.from_numpy(batch.starts).to(device, torch.int64)
        sides = None if batch.sides is None else torch.from_numpy(batch.sides).to(device)
        return self._module.read(states[-1][0], starts, sides).flatten(0, -2)


class _Stub(nn.Module):
    """Stands where the trunk was and returns the states it is given, pooled by the trunk's own pooler."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        pooler: Any = getattr(trunk, "pooler", None)
        if isinstance(pooler, nn.Linear):  # ALBERT's is no module of its own
            pooler = nn.Sequential(_First(), pooler, getattr(trunk, "pooler_activation", nn.Identity()))
        self.pooler: nn.Module | None = pooler
        self.states: Tensor | None = None

    def forward(self, *_: Any, **__: Any) -> BaseModelOutputWithPooling:
        states, self.states = self.states, None
        pooled = self.pooler(states) if self.pooler is not None else None
        return BaseModelOutputWithPooling(last_hidden_state=states, pooler_output=pooled)


class _First(nn.Module):
    def forward(self, states: Tensor) -> Tensor:
        return states[:, 0]


def base_model(model: PreTrainedModel) -> PreTrainedModel:
    """The trunk within a model."""
    return model.base_model  # type: ignore[return-value]


def first_tokens(states: Tensor, batch: PackedBatch) -> Tensor:
    """[1, T, H] -> [N, H]"""
    return states[0, torch.from_numpy(batch.starts[:-1]).to(states.device)]


def means(states: Tensor, batch: PackedBatch) -> Tensor:
    """[1, T, H] -> [N, H], summed in float32."""
    starts = torch.from_numpy(batch.starts).to(states.device, torch.int64)
    return reduced(states[0].float(), starts, "mean").to(states.dtype)


def pooling_of(checkpoint: Checkpoint) -> Literal["mean", "cls"]:
    """How the checkpoint's sentence-transformers files pool; mean where it has none.

    Raises ModelError for poolings and extra layers we do not run: the vectors would be wrong.
    """
    modules = checkpoint.folder / "modules.json"
    pooling = checkpoint.folder / "1_Pooling" / "config.json"
    try:
        kinds = [str(module["type"]).rpartition(".")[2] for module in json.loads(modules.read_bytes())]
        says = json.loads(pooling.read_bytes())
    except FileNotFoundError:
        return "mean"
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f'model "{checkpoint.name}": its sentence-transformers files cannot be read') from error
    strange = [kind for kind in kinds if kind not in {"Transformer", "Pooling", "Normalize"}]
    chosen = [key for key, value in says.items() if key.startswith("pooling_mode_") and value is True]
    if strange or chosen not in (["pooling_mode_mean_tokens"], ["pooling_mode_cls_token"]):
        what = ", ".join(strange or chosen) or "no pooling"
        raise ModelError(f'model "{checkpoint.name}" makes its vectors with {what}, which is not supported')
    return "mean" if chosen == ["pooling_mode_mean_tokens"] else "cls"
