"""The trunk: the part of a model that heads share, run on packed batches."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from workers.encoder import attention
from workers.encoder.attention import Layout
from workers.encoder.linear import reorder
from workers.encoder.packing import Ints, PackedBatch, flat_starts, pack, rows_on_cpu
from workers.encoder.pool import Pool

States = tuple[Tensor, ...]
"""Hidden states of a packed batch, each ``[1, T, H]``: of every layer, embeddings first, or of the last layer only."""

_PROBE_LENGTHS = (5, 11, 11)


class Trunk:
    """A transformer without its head, on its device.

    ``forward`` keeps no state, so several threads may call it at once: the device thread, those of ``pool`` and, during
    a hot swap, the thread that tries the new chain. Everything else belongs to the thread that loads the model.

    Attributes:
        name: the model that it was loaded for, as in the pipeline file; the first one if several share it.
        packed: whether the model can run on packed batches; otherwise they are padded for the forward.
        capacity: the most tokens a sequence may have; None if the model has no limit.
        vocabulary: how many token ids have an embedding.
        weights: how many parameters the model has.
        device, dtype: where the parameters are, and their precision.
        reason: why it computes in this precision, if that has been chosen at warm-up; None before, and if it was set.
        forward_tokens: how many tokens a forward should have; reduced when the device runs out of memory.
        tuned: whether ``forward_tokens`` has been measured or configured.
        token_seconds: seconds that a forward takes per token, as measured by ``encoder.tuning``; 0 before.
        pool: runs several forwards at a time, if ``encoder.tuning`` has found that faster; else None.
        fingerprint: the hash of the weights and the configuration; None if it was not given.
        cased: whether it needs the token types of ``workers.encoder.casing``.
    """

    def __init__(
        self, model: PreTrainedModel, device: torch.device, dtype: torch.dtype, fingerprint: str | None = None
    ) -> None:
        """Move ``model`` to ``device`` and find out whether it can run on packed batches.

        ``model`` is a bare transformer in float32 on the CPU. The trunk changes it, so nobody else may use it.
        """
        self.name = ""
        self.fingerprint = fingerprint
        if hasattr(model, "pooler"):
            model.pooler = None  # type: ignore[assignment]  # heads that need it have a reference of their own
        self._model = model
        self._offset, self.capacity = _positions(model)
        self._ordinary: str = model.config._attn_implementation
        self.cased: bool = getattr(model.config, "reads_case", False)
        self._takes_types = "token_type_ids" in inspect.signature(model.forward).parameters
        self._heads: int | None = getattr(model.config, "num_attention_heads", None)
        self._pad = model.config.pad_token_id or 0
        self.vocabulary = embedding_rows(model)
        self.weights = sum(parameter.numel() for parameter in model.parameters())
        self.device = torch.device("cpu")
        self.dtype = torch.float32
        self.reason: str | None = None
        self.forward_tokens = 1024
        self.tuned = False
        self.token_seconds = 0.0
        self.pool: Pool | None = None
        # First on the CPU in float32, which tests the model's code; then where it will run, which tests the kernels.
        self.packed = self._packs(1e-4)
        self._place(device, dtype)
        if self.packed and (device.type != "cpu" or dtype != torch.float32):
            self.packed = self._packs(self._tolerance)

    @property
    def precision(self) -> str:
        """The name of ``dtype``, such as "float32"."""
        return str(self.dtype).removeprefix("torch.")

    @torch.inference_mode()
    def forward(self, batch: PackedBatch, ids: Ints, types: Ints | None = None, every_layer: bool = False) -> States:
        """Compute the hidden states of ``batch``.

        Args:
            batch: N sequences of T tokens, packed from flat arrays of L tokens.
            ids: int64 ``[L]``, the token ids, all below ``vocabulary``.
            types: int64 ``[L]``, the token types; None for all zeros. Ignored if the model takes none.
            every_layer: whether to return every layer, embeddings first, or only the last.

        Returns:
            For each layer ``[1, T, H]`` on ``device`` in ``dtype``; the tokens are in the order of the batch.

        Raises:
            Exception: whatever torch raises: torch.OutOfMemoryError or RuntimeError if memory is short,
                torch.AcceleratorError if the device is lost.
        """
        run = self._forward_packed if self.packed else self._forward_padded
        return run(batch, ids, types if self._takes_types else None, every_layer)

    def quicken(self, rate: Callable[[], float]) -> None:
        """Reorder the weights for this CPU, and keep that if it is faster.

        ``rate`` measures tokens per second. Does nothing on other devices.
        """
        if self.device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            return
        ids, batch = probe(self.vocabulary, self._pad, _PROBE_LENGTHS, self.capacity)
        (expected,) = self.forward(batch, ids)
        before = rate()
        try:
            undo = reorder(self._model)
        except (RuntimeError, AttributeError):
            return
        if not _close(self.forward(batch, ids)[0], expected, self._tolerance) or rate() <= before:
            undo()

    def converted(self, dtype: torch.dtype) -> Trunk:
        """Return an untuned copy in a half precision; this trunk must be in float32, not tuned, and is not changed.

        Raises whatever torch raises if memory is short or the model cannot run in ``dtype``.
        """
        # What is already copied is not copied again, so there is never a second copy in float32.
        weights = {id(weight): _weight(weight, dtype) for weight in self._model.parameters()}
        copy: Trunk = deepcopy(self, weights)
        copy.dtype = dtype
        if copy.packed:
            copy.packed = copy._packs(copy._tolerance)
        return copy

    def _forward_packed(self, batch: PackedBatch, ids: Ints, types: Ints | None, every_layer: bool) -> States:
        tokens = len(batch.tokens)
        rows = rows_on_cpu(tokens) if self.device.type == "cpu" else tokens

        def row(values: Ints, fill: int) -> Tensor:
            padded = np.pad(values, (0, rows - tokens), constant_values=fill)
            return torch.from_numpy(padded).to(self.device).unsqueeze(0)

        inputs = {
            "input_ids": row(ids[batch.tokens], self._pad),
            "position_ids": row(batch.positions + self._offset, self._offset),
            "layout": Layout.of(batch, self.device, self.dtype, self._heads, rows),
        }
        if types is not None:
            inputs["token_type_ids"] = row(types[batch.tokens], 0)
        states = _states(self._model(**inputs, output_hidden_states=every_layer), every_layer)
        return states if rows == tokens else tuple(layer[:, :tokens] for layer in states)

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

    @property
    def _tolerance(self) -> float:
        """How far hidden states may be apart, relative to their norm, and still count as equal."""
        return 1e-4 if self.dtype == torch.float32 else 3e-2

    def _place(self, device: torch.device, dtype: torch.dtype) -> None:
        # Buffers keep their type: rotary frequencies that are rounded turn far positions by the wrong angle.
        nn.Module.to(self._model, device=device)
        for weight in self._model.parameters():
            weight.data = weight.data.to(dtype)
        self.device, self.dtype = device, dtype

    @torch.inference_mode()
    def _packs(self, tolerance: float) -> bool:
        """Whether packed forwards equal the model's ordinary ones; sets the model's attention accordingly.

        Some models cannot use the packed attention, others use it but ignore positions, windows or a bias. Comparing
        results tells them apart, also for models that do not exist yet.
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


# Settings that do not concern the trunk: of the head, of training, or of where the checkpoint came from.
_NOT_OF_TRUNK = frozenset({
    "_name_or_path", "architectures", "classifier_dropout", "dtype", "finetuning_task", "id2label", "label2id",
    "num_labels", "problem_type", "return_dict", "task_specific_params", "torch_dtype", "transformers_version",
    "summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout", "classifier_pooling",
    "classifier_activation", "classifier_bias", "seq_classif_dropout", "qa_dropout", "coref_head",
})  # fmt: skip


def fingerprint(model: PreTrainedModel) -> str:
    """Return the SHA-256 of a trunk's configuration and tensors, in hex.

    Poolers are left out because they belong to heads. Buffers count only if they are saved.
    """
    config = {key: value for key, value in model.config.to_dict().items() if key not in _NOT_OF_TRUNK}
    digest = hashlib.sha256(f"{type(model).__name__} {json.dumps(config, sort_keys=True, default=str)}".encode())
    for name, tensor in sorted(model.state_dict().items()):
        if not name.startswith("pooler."):
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            digest.update(tensor.contiguous().view(-1).numpy().data)
    return digest.hexdigest()


def embedding_rows(model: PreTrainedModel) -> int:
    """Return how many token ids the model has embeddings for."""
    weight: Tensor = model.get_input_embeddings().weight  # type: ignore[assignment]
    return weight.shape[0]


def probe(vocabulary: int, pad: int, lengths: tuple[int, ...], capacity: int | None) -> tuple[Ints, PackedBatch]:
    """Return random but reproducible token ids, and the batch they make.

    Args:
        vocabulary: how many token ids there are.
        pad: the id of the padding token, which is not used.
        lengths: the lengths of the sequences, in tokens.
        capacity: the most tokens a sequence may have; None for any number.
    """
    sizes = np.minimum(np.array(lengths), capacity or max(lengths))
    ids = np.random.default_rng(0).integers(0, vocabulary - 1, int(sizes.sum()))
    ids += ids >= pad
    (batch,) = pack(sizes, flat_starts(sizes), np.arange(len(sizes)), int(sizes.sum()))
    return ids, batch


def _close(states: Tensor, expected: Tensor, tolerance: float) -> bool:
    return states.shape == expected.shape and float((states - expected).norm() / expected.norm()) < tolerance


def _weight(weight: nn.Parameter, dtype: torch.dtype) -> nn.Parameter:
    return nn.Parameter(weight.detach().to(dtype), requires_grad=False)


def _states(output: Any, every_layer: bool) -> States:
    return tuple(output.hidden_states) if every_layer else (output.last_hidden_state,)


def _positions(model: nn.Module) -> tuple[int, int | None]:
    """Return the first position id and how many there are; None for any number.

    Position tables with a padding row begin after it (RoBERTa).
    """
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            return first, module.num_embeddings - first
    return 0, getattr(model.config, "max_position_embeddings", None)


def base_model(model: PreTrainedModel) -> PreTrainedModel:
    """Return the trunk within a model; the model itself if it has no head."""
    return model.base_model  # type: ignore[return-value]
