"""Fitting of a head: the module that is used at run time, its layer mix parametrized as a softmax for training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from workers.heads.pack_heads import ScoreMix

Batch = Any
IN_FLOAT32 = {"mix", "transitions"}
"""The tensors that are written in float32, because they have few numbers; the others in float16."""


class Softmax(nn.Module):
    """A parametrization that keeps a mix of layers positive, with a sum of one."""

    def forward(self, logits: Tensor) -> Tensor:
        """Return the mix ``[layers]`` for unconstrained ``logits`` ``[layers]``."""
        return logits.softmax(0)

    def right_inverse(self, mix: Tensor) -> Tensor:
        """Return logits for ``mix``; called when the parametrization is registered."""
        return mix.log()


def new_head(
    labels: list[str], layers: int, size: int, *, kind: str, hidden: int = 0, reduce: int = 0, context: int = 0,
    pooling: tuple[str, ...] = (), multi_label: bool = False, aggregation: str | None = None,
) -> ScoreMix:  # fmt: skip
    """Create a head with random weights.

    Args:
        labels: in the order of the outputs.
        layers: the number of hidden states of the trunk that the head mixes (its layers and the embeddings).
        size: the width of a hidden state.
        kind: "sequence" or "token".
        hidden: the width of the hidden layer; 0 leaves it out.
        reduce: the width that states are reduced to first; 0 leaves that layer out.
        context: for a token head, how many tokens on either side are put next to each token.
        pooling: for a sequence head, the poolings that are put side by side.
        multi_label: whether the labels do not exclude each other.
        aggregation: how word pieces are joined; None if the head says nothing about it.
    """
    tensors = {"mix": torch.full((layers,), 1 / layers)}

    def linear(name: str, inputs: int, outputs: int) -> int:
        tensors[f"{name}.weight"] = torch.randn(outputs, inputs) / math.sqrt(inputs)
        tensors[f"{name}.bias"] = torch.zeros(outputs)
        return outputs

    width = linear("reduce", size, reduce) if reduce else size
    width *= sum({"sides": 4}.get(part, 1) for part in pooling) or 2 * context + 1
    width = linear("hidden", width, hidden) if hidden else width
    linear("out", width, len(labels))
    entry = {
        "kind": kind, "labels": labels, "multi_label": multi_label, "thresholds": {}, "aggregation": aggregation,
        "pooling": list(pooling), "context": context, "sha256": "", "temperature": 1.0,
    }  # fmt: skip
    return ScoreMix(entry, tensors)


def fit(
    head: ScoreMix,
    epochs: Sequence[Sequence[Batch]],
    loss: Callable[[ScoreMix, Batch], Tensor],
    score: Callable[[ScoreMix], float],
    *,
    rate: float,
    decay: float,
    dropout: float,
    patience: int,
    on_epoch: Callable[[int, float], object],
    on_step: Callable[[], object],
    trunk: nn.Module | None = None,
    trunk_rate: float = 0.0,
) -> float:
    """Train ``head`` with AdamW, leave it as it was after its best epoch on dev, and return the score of that epoch.

    The rate rises during a tenth of the steps and then falls along a cosine (Smith and Topin 2019).

    Args:
        head: trained in place.
        epochs: the batches of each epoch, of any type that ``loss`` takes.
        loss: ``loss(head, batch)`` is minimised.
        score: measures the head on dev after each epoch; higher is better.
        rate: the peak learning rate of the head; the mix of layers learns ten times as fast.
        decay: the weight decay of the head, except for its mix.
        dropout: the probability of dropping an input of a linear layer.
        patience: how many epochs may pass without a better score.
        on_epoch: called with the number of the epoch, from 1, and its score.
        on_step: called after every batch.
        trunk: its parameters that require gradients are trained as well.
        trunk_rate: their peak learning rate.
    """
    head.requires_grad_(True)
    parametrize.register_parametrization(head, "mix", Softmax())
    hooks = [
        layer.register_forward_pre_hook(lambda _, args: (nn.functional.dropout(args[0], dropout, head.training),))
        for layer in head.modules()
        if isinstance(layer, nn.Linear)
    ]
    learning = nn.ModuleList([head] if trunk is None else [head, trunk])
    optimizer = torch.optim.AdamW(_groups(head, trunk, rate, trunk_rate, decay))
    peaks = [group["lr"] for group in optimizer.param_groups]
    steps = sum(map(len, epochs))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, total_steps=steps, pct_start=0.1)
    best, kept, since = -math.inf, _trained(learning), 0
    for epoch, batches in enumerate(epochs, 1):
        learning.train()
        for batch in batches:
            optimizer.zero_grad()
            loss(head, batch).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([value for value in learning.parameters() if value.requires_grad], 1.0)
            optimizer.step()
            schedule.step()
            on_step()
        learning.eval()
        with torch.no_grad():
            current = score(head)
        on_epoch(epoch, current)
        since += 1
        if current > best:
            best, kept, since = current, _trained(learning), 0
        if since >= patience:
            break
    learning.load_state_dict(kept, strict=False)
    for hook in hooks:
        hook.remove()
    parametrize.remove_parametrizations(head, "mix")
    head.requires_grad_(False)
    head.eval()
    return best


def _groups(
    head: nn.Module, trunk: nn.Module | None, rate: float, trunk_rate: float, decay: float
) -> list[dict[str, Any]]:
    """Return the parameter groups of the optimizer: the mix learns faster, and without decay."""
    mix = [value for name, value in head.named_parameters() if "mix" in name]
    rest = [value for name, value in head.named_parameters() if "mix" not in name]
    groups: list[dict[str, Any]] = [
        {"params": mix, "lr": rate * 10, "weight_decay": 0.0}, {"params": rest, "lr": rate, "weight_decay": decay}
    ]  # fmt: skip
    if trunk is not None:
        adapter = [value for value in trunk.parameters() if value.requires_grad]
        groups.append({"params": adapter, "lr": trunk_rate, "weight_decay": 0.0})
    return groups


def _trained(modules: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in modules.named_parameters() if value.requires_grad}


def tensors(head: ScoreMix) -> dict[str, Any]:
    """Return the head's tensors as they are written to its file: float16, except two that have few numbers."""
    return {
        name: value.detach().contiguous().to(torch.float32 if name in IN_FLOAT32 else torch.float16)
        for name, value in head.state_dict().items()
        if name != "temperature"
    }
