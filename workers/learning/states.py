"""Sources of hidden states for training a head: computed once and kept, or recomputed while an adapter learns."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from schemas.errors import LabelsError
from workers.chain.forward import Output
from workers.chain.stage import Stage
from workers.encoder.packing import Ints, PackedBatch
from workers.encoder.pooling import first_tokens, means, mixed
from workers.encoder.trunk import States
from workers.heads.base import Head
from workers.heads.pack_heads import ScoreMix
from workers.learning.trunks import Windows, chunks
from workers.models.adapter import attach

IN_MEMORY = 2 << 30
"""The most bytes of hidden states that are kept in memory; more go to a memory-mapped file."""
POOLING = ("mean", "first")
"""The poolings of a sequence head, in the order of its input."""
_HALF = 2


class Source(Protocol):
    """Computes a head's logits for chosen windows.

    - ``size``: the width of a hidden state; ``layers``: the number of hidden states, the embeddings included.
    - ``device``: where the head must be.
    """

    size: int
    layers: int
    device: torch.device

    def logits(self, head: ScoreMix, chosen: Ints) -> Tensor:
        """Return the logits of the windows with the numbers ``chosen``, in that order.

        These are ``[windows, labels]``, or ``[tokens, labels]`` for a token head.
        """


class Kept:
    """Hidden states of a frozen trunk in float16: of every token, or pooled per window for a sequence head.

    Pooling and mixing are both linear, so the pooled states of all layers can be mixed later.
    """

    def __init__(
        self, stage: Stage, windows: Windows, kind: str, folder: Path, advance: Callable[[int], object] = lambda _: None
    ) -> None:
        """Run the trunk over all windows.

        Args:
            stage: tokenized the windows.
            windows: of all texts.
            kind: "sequence" or "token".
            folder: gets a file with the states if they exceed ``IN_MEMORY``.
            advance: told how many texts have been read since its last call.

        Raises:
            LabelsError: if the model fails on a text, or if ``folder`` has not enough free space.
            DeviceError: if the device is lost.
        """
        model = stage.trunk
        self._windows, self._pooled = windows, kind == "sequence"
        keep = _Keep(self._pooled)
        stage = Stage(model, stage.tokenization, [Output(keep, "none")])
        rows = len(windows) if self._pooled else len(windows.ids)
        self._kept: NDArray[np.float16] | None = None
        at = 0
        for _, part in chunks(windows.documents):
            job = stage.pack(part, 0)
            stage.forward(job)
            failure = next(iter((*job.failed.values(), *job.failed_heads[0].values())), None)
            if failure is not None:
                raise LabelsError(f"the model fails on a text: {failure.message}")
            scores = job.scores[0]
            assert scores is not None
            if self._kept is None:
                self.layers, self.size = keep.layers, scores.shape[1] // keep.layers // (2 if self._pooled else 1)
                self._kept = _room((rows, scores.shape[1]), folder)
            # Float16 ends at 65,504; the rare state beyond that is clipped.
            self._kept[at : at + len(scores)] = np.clip(scores, -65504, 65504)
            at += len(scores)
            advance(len(part))
        self.device = model.device

    def logits(self, head: ScoreMix, chosen: Ints) -> Tensor:
        """Return the logits of ``chosen`` windows from the states that were kept; see ``Source.logits`` for shapes."""
        assert self._kept is not None
        rows = chosen if self._pooled else self._windows.tokens(chosen)
        kept = torch.from_numpy(self._kept[rows]).to(head.mix.device)
        layers = kept.view(len(rows), self.layers, -1).unbind(1)
        if self._pooled:
            return head.project(mixed([layer.unsqueeze(0) for layer in layers], head.mix))
        sizes = torch.from_numpy(np.diff(self._windows.starts)[chosen])
        starts = nn.functional.pad(sizes.cumsum(0), (1, 0)).to(head.mix.device)
        logits: Tensor = head([layer.unsqueeze(0) for layer in layers], starts)
        return logits


class _Keep(Head):
    """A head that returns all layers side by side: ``[T, layers * H]``, or pooled ``[N, layers * 2H]``."""

    every_layer = True

    def __init__(self, pooled: bool) -> None:
        self._pooled = pooled
        self.per = "sequence" if pooled else "token"
        self.layers = 0

    def __call__(self, states: States, batch: PackedBatch) -> Tensor:
        self.layers = len(states)
        if not self._pooled:
            return torch.cat([layer[0] for layer in states], dim=1)
        return torch.cat([pool((layer,)) for layer in states for pool in self._pools(batch)], dim=1)

    @staticmethod
    def _pools(batch: PackedBatch) -> Sequence[Callable[[States], Tensor]]:
        """Return the pooling functions, in the order of ``POOLING``."""
        return (lambda states: means(states[0], batch), lambda states: first_tokens(states[0], batch))


def _room(shape: tuple[int, int], folder: Path) -> NDArray[np.float16]:
    size = shape[0] * shape[1] * _HALF
    if size <= IN_MEMORY:
        return np.empty(shape, np.float16)
    free = shutil.disk_usage(folder).free
    if size > free * 0.9:
        raise LabelsError(
            f"the hidden states of these texts take {size / 2**30:.1f} GiB, but {folder} has {free / 2**30:.1f} GiB "
            "free; use fewer texts, choose another --out, or train with --adapt, which keeps no states"
        )
    return np.memmap(folder / "states.tmp", np.float16, "w+", shape=shape)


class Adapting:
    """Hidden states of a trunk whose adapter is trained with the head: padded forwards with gradients.

    - ``model``: the trunk with the adapter; ``original``: its state before that.
    """

    def __init__(self, model: PreTrainedModel, windows: Windows, rank: int, device: torch.device) -> None:
        """Attach an adapter of rank ``rank`` to ``model`` and move it to ``device``.

        A model that cannot take an adapter raises AttributeError, NotImplementedError, RuntimeError, TypeError or
        ValueError.
        """
        self.original = {name: value.clone() for name, value in model.state_dict().items()}
        # If the trunk reads case, the token types of the windows already contain it.
        attach(model, rank)
        self.model = model
        nn.Module.to(model, device)
        self._windows, self._pad, self.device = windows, model.config.pad_token_id or 0, device
        self.size = int(model.config.hidden_size)
        self.layers = int(model.config.num_hidden_layers) + 1

    def logits(self, head: ScoreMix, chosen: Ints) -> Tensor:
        """Return the logits of ``chosen`` windows, with gradients if they are enabled; see ``Source`` for shapes."""
        windows = self._windows
        sizes = windows.starts[chosen + 1] - windows.starts[chosen]
        real = np.arange(sizes.max()) < sizes[:, None]
        tokens = windows.tokens(chosen)

        def rectangle(values: Ints, fill: int) -> Tensor:
            rows = np.full(real.shape, fill, np.int64)
            rows[real] = values[tokens]
            return torch.from_numpy(rows).to(self.device)

        mask = torch.from_numpy(real).to(self.device)
        inputs = {"input_ids": rectangle(windows.ids, self._pad), "attention_mask": mask.long()}
        if windows.types is not None:
            inputs["token_type_ids"] = rectangle(windows.types, 0)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            states = self.model(**inputs, output_hidden_states=True).hidden_states
        starts = nn.functional.pad(mask.sum(1).cumsum(0), (1, 0))
        logits: Tensor = head([layer[mask].unsqueeze(0) for layer in states], starts)
        return logits
