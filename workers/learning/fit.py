"""Fitting a head: the very module that runs later, with its mix kept a softmax while it learns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from workers.heads.pack_heads import StarterHead

Batch = Any


class Softmax(nn.Module):
    """A mix that stays positive and sums to one."""

    def forward(self, logits: Tensor) -> Tensor:
        return logits.softmax(0)

    def right_inverse(self, mix: Tensor) -> Tensor:
        return mix.log()


def new_head(
    labels: list[str], layers: int, size: int, *, kind: str, hidden: int = 0, reduce: int = 0, context: int = 0,
    pooling: tuple[str, ...] = (), multi_label: bool = False, aggregation: str | None = None,
) -> StarterHead:  # fmt: skip
    """A head with random weights, ready to be trained; ``hidden`` and ``reduce`` of 0 leave that layer out."""
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
    return StarterHead(entry, tensors)


def fit(
    head: StarterHead,
    epochs: Sequence[Sequence[Batch]],
    loss: Callable[[StarterHead, Batch], Tensor],
    score: Callable[[StarterHead], float],
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
    """AdamW; leaves ``head`` at the epoch that scored best on dev, and returns that score.

    ``epochs``: the batches of each, of any kind that ``loss(head, batch)`` takes, which is minimised; ``score`` is
    larger for better heads. After ``patience`` epochs without a better one it ends. The rate rises over a tenth of
    the steps and falls with the cosine (Smith and Topin 2019).
    ``trunk``: what of it wants gradients learns, too, at ``trunk_rate``.
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
    best, kept, since = -math.inf, _learnt(learning), 0
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
            now = score(head)
        on_epoch(epoch, now)
        since += 1
        if now > best:
            best, kept, since = now, _learnt(learning), 0
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
    """What learns, at its rate: the mix fast, and without decay."""
    mix = [value for name, value in head.named_parameters() if "mix" in name]
    rest = [value for name, value in head.named_parameters() if "mix" not in name]
    groups: list[dict[str, Any]] = [
        {"params": mix, "lr": rate * 10, "weight_decay": 0.0}, {"params": rest, "lr": rate, "weight_decay": decay}
    ]  # fmt: skip
    if trunk is not None:
        own = [value for value in trunk.parameters() if value.requires_grad]
        groups.append({"params": own, "lr": trunk_rate, "weight_decay": 0.0})
    return groups


def _learnt(modules: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in modules.named_parameters() if value.requires_grad}


def tensors(head: StarterHead) -> dict[str, Any]:
    """What goes into the file: float16, except the mix."""
    return {
        name: value.detach().contiguous().to(torch.float32 if name == "mix" else torch.float16)
        for name, value in head.state_dict().items()
        if name != "temperature"
    }
