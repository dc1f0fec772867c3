"""One trunk: the part of a model that many heads share, run on packed batches."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from workers.encoder import attention
from workers.encoder.attention import Layout
from workers.encoder.linear import reorder
from workers.encoder.packing import Ints, PackedBatch, flat_starts, pack

States = tuple[Tensor, ...]
"""Hidden states [1, T, H] of a packed batch: of every layer, embeddings first, or of the last alone."""

_PROBE_LENGTHS = (5, 11, 11)


class Trunk:
    """A transformer without its head, on its device.

    - ``packed``: the model runs on packed batches as they are; else they are padded and packed again.
    - ``capacity``: tokens a sequence may have, None where the model has no limit.
    - ``vocabulary``: token ids it has embeddings for; ``weights``: how many numbers it has learnt.
    - ``forward_tokens``: tokens a forward should have; smaller after the device ran out of memory.
    - ``tuned``: ``forward_tokens`` was measured.
    - ``fingerprint``: equal for equal models.
    - ``cased``: it wants the token types of ``workers.encoder.casing``.
    """

    def __init__(
        self, model: PreTrainedModel, device: torch.device, dtype: torch.dtype, fingerprint: str | None = None
    ) -> None:
        """Takes ``model`` over, a bare transformer in float32 on the CPU, and probes what it can."""
        self.fingerprint = fingerprint
        if hasattr(model, "pooler"):
            model.pooler = None  # type: ignore[assignment]  # heads that need it keep it
        self._model = model
        self._offset, self.capacity = _positions(model)
        self._ordinary: str = model.config._attn_implementation
        self.cased: bool = getattr(model.config, "reads_case", False)
        self._takes_types = "token_type_ids" in inspect.signature(model.forward).parameters
        self._pad = model.config.pad_token_id or 0
        self.vocabulary = embedding_rows(model)
        self.weights = sum(parameter.numel() for parameter in model.parameters())
        self.device = torch.device("cpu")
        self.dtype = torch.float32
        self.forward_tokens = 1024
        self.tuned = False
        # Once where arithmetic is exact, for the model's code, and once where it will run, for the kernels.
        self.packed = self._packs(1e-4)
        self._place(device, dtype)
        if self.packed and (device.type != "cpu" or dtype != torch.float32):
            self.packed = self._packs(1e-4 if dtype == torch.float32 else 3e-2)

    @torch.inference_mode()
    def forward(self, batch: PackedBatch, ids: Ints, types: Ints | None = None, every_layer: bool = False) -> States:
        """Hidden states of ``batch``, given the flat arrays it was packed from."""
        run = self._forward_packed if self.packed else self._forward_padded
        return run(batch, ids, types if self._takes_types else None, every_layer)

    def quicken(self, rate: Callable[[], float]) -> None:
        """Reorders the weights for the CPU at hand, and keeps that if it raises ``rate``, in tokens per second."""
        if self.device.type != "cpu" or self.dtype != torch.float32 or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            return
        ids, batch = probe(self.vocabulary, self._pad, _PROBE_LENGTHS, self.capacity)
        (expected,) = self.forward(batch, ids)
        before = rate()
        try:
            undo = reorder(self._model)
        except (RuntimeError, AttributeError):
            return
        if not _close(self.forward(batch, ids)[0], expected, 1e-4) or rate() <= before:
            undo()

    def _forward_packed(self, batch: PackedBatch, ids: Ints, types: Ints | None, every_layer: bool) -> States:
        inputs = {
            "input_ids": self._row(ids[batch.tokens]),
            "position_ids": self._row(batch.positions + self._offset),
            "layout": Layout.of(batch, self.device),
        }
        if types is not None:
            inputs["token_type_ids"] = self._row(types[batch.tokens])
        return _states(self._model(**inputs, output_hidden_states=every_layer), every_layer)

    def _forward_padded(self, batch: PackedBatch, ids: Ints, types: Ints | None, every_layer: bool) -> States:
        sizes = np.diff(batch.starts)
        real = np.arange(batch.longest) < sizes[:, None]
        mask = torch.from_numpy(real).to(self.device)

        def rectangle(flat: Ints, fill: int) -> Tensor:
            rows = np.full(real.shape, fill, np.int64)
            rows[real] = flat[batch.tokens]
            return torch.from_numpy(rows).to(self.device)

        inputs = {"input_ids": rectangle(ids, self._pad), "attention_mask": mask.long()}
        if types is not None:
            inputs["token_type_ids"] = rectangle(types, 0)
        states = _states(self._model(**inputs, output_hidden_states=every_layer), every_layer)
        return tuple(layer[mask].unsqueeze(0) for layer in states)

    def _row(self, values: Ints) -> Tensor:
        return torch.from_numpy(values).to(self.device).unsqueeze(0)

    def _place(self, device: torch.device, dtype: torch.dtype) -> None:
        nn.Module.to(self._model, device=device, dtype=dtype)
        self.device, self.dtype = device, dtype

    @torch.inference_mode()
    def _packs(self, tolerance: float) -> bool:
        """Whether packed forwards equal the model's ordinary ones; leaves its attention set accordingly.

        Some models cannot take the packed attention, some take it and ignore positions, windows or a
        bias. Trying tells them apart, and goes on doing so for models nobody has written yet.
        """
        model = self._model
        model.set_attn_implementation(self._ordinary)
        window = getattr(model.config, "sliding_window", None)
        lengths = _PROBE_LENGTHS if not window else (*_PROBE_LENGTHS, 3 * window + 7)
        ids, batch = probe(self.vocabulary, self._pad, lengths, self.capacity)
        expected = self._forward_padded(batch, ids, None, False)[0]
        try:
            model.set_attn_implementation(attention.PACKED)
            states = self._forward_packed(batch, ids, None, False)[0]
            close = _close(states, expected, tolerance)
        except Exception:
            close = False
        if not close:
            model.set_attn_implementation(self._ordinary)
        return close


# What a configuration says of the head, of training, or of where it came from, and not of the trunk.
_BESIDE = frozenset({
    "_name_or_path", "architectures", "classifier_dropout", "dtype", "finetuning_task", "id2label", "label2id",
    "num_labels", "problem_type", "return_dict", "task_specific_params", "torch_dtype", "transformers_version",
    "summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout", "classifier_pooling",
    "classifier_activation", "classifier_bias", "seq_classif_dropout", "qa_dropout", "coref_head",
})  # fmt: skip


def fingerprint(model: PreTrainedModel) -> str:
    """The SHA-256 of a trunk's configuration and tensors; poolers, which belong to heads, left out.

    Buffers count only where they are saved.
    """
    config = {key: value for key, value in model.config.to_dict().items() if key not in _BESIDE}
    digest = hashlib.sha256(f"{type(model).__name__} {json.dumps(config, sort_keys=True, default=str)}".encode())
    for name, tensor in sorted(model.state_dict().items()):
        if not name.startswith("pooler."):
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            digest.update(tensor.contiguous().view(-1).numpy().data)
    return digest.hexdigest()


def embedding_rows(model: PreTrainedModel) -> int:
    """Token ids the model has embeddings for."""
    weight: Tensor = model.get_input_embeddings().weight  # type: ignore[assignment]
    return weight.shape[0]


def probe(vocabulary: int, pad: int, lengths: tuple[int, ...], capacity: int | None) -> tuple[Ints, PackedBatch]:
    """Random tokens, always the same, and the batch they pack into."""
    sizes = np.minimum(np.array(lengths), capacity or max(lengths))
    ids = np.random.default_rng(0).integers(0, vocabulary - 1, int(sizes.sum()))
    ids += ids >= pad
    (batch,) = pack(sizes, flat_starts(sizes), np.arange(len(sizes)), int(sizes.sum()))
    return ids, batch


def _close(states: Tensor, expected: Tensor, tolerance: float) -> bool:
    return states.shape == expected.shape and float((states - expected).norm() / expected.norm()) < tolerance


def _states(output: Any, every_layer: bool) -> States:
    return tuple(output.hidden_states) if every_layer else (output.last_hidden_state,)


def _positions(model: nn.Module) -> tuple[int, int | None]:
    """(the first position id, how many there are). Tables with a padding row begin after it (RoBERTa)."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            return first, module.num_embeddings - first
    return 0, getattr(model.config, "max_position_embeddings", None)


def base_model(model: PreTrainedModel) -> PreTrainedModel:
    """The trunk within a model."""
    return model.base_model  # type: ignore[return-value]
