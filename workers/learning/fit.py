"""Fitting a head: the very module that runs later, with its mix kept a softmax while it learns."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn.utils import parametrize

from workers.starter.heads import StarterHead

Batch = tuple[Tensor, ...]


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

    width = size * max(1, len(pooling))
    width = linear("reduce", width, reduce) if reduce else width
    width *= 2 * context + 1
    width = linear("hidden", width, hidden) if hidden else width
    linear("out", width, len(labels))
    entry = {
        "kind": kind, "labels": labels, "multi_label": multi_label, "thresholds": {}, "aggregation": aggregation,
        "pooling": list(pooling), "context": context, "sha256": "", "temperature": 1.0,
    }  # fmt: skip
    return StarterHead(entry, tensors)


def fit(
    head: StarterHead,
    batches: Callable[[], Iterable[Batch]],
    loss: Callable[..., Tensor],
    score: Callable[[StarterHead], float],
    *,
    steps: int,
    epochs: int,
    rate: float,
    decay: float,
    dropout: float,
    progress: Progress,
    name: str,
    quiet: bool = False,
) -> float:
    """AdamW with a one-cycle rate; leaves ``head`` at the epoch that scored best on dev, and returns that score.

    ``batches()`` yields one epoch of ``steps`` batches, ``loss(head, *batch)`` is minimised, ``score`` is larger
    for better heads.
    """
    head.requires_grad_(True)
    parametrize.register_parametrization(head, "mix", Softmax())
    hooks = [
        layer.register_forward_pre_hook(lambda _, args: (nn.functional.dropout(args[0], dropout, head.training),))
        for layer in head.modules()
        if isinstance(layer, nn.Linear)
    ]
    mix = [parameter for name_, parameter in head.named_parameters() if "mix" in name_]
    rest = [parameter for name_, parameter in head.named_parameters() if "mix" not in name_]
    optimizer = torch.optim.AdamW(
        [{"params": mix, "lr": rate * 10, "weight_decay": 0.0}, {"params": rest, "lr": rate, "weight_decay": decay}]
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [rate * 10, rate], total_steps=epochs * steps)
    best, kept = -math.inf, copy.deepcopy(head.state_dict())
    bar = progress.add_task(f"fit {name}", total=epochs * steps)
    for epoch in range(epochs):
        head.train()
        for batch in batches():
            optimizer.zero_grad()
            loss(head, *batch).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            progress.advance(bar)
        head.eval()
        with torch.no_grad():
            now = score(head)
        if now > best:
            best, kept = now, copy.deepcopy(head.state_dict())
        if not quiet:
            progress.console.print(f"{name} epoch {epoch + 1}: dev {now:.4f}")
    progress.remove_task(bar)
    head.load_state_dict(kept)
    for hook in hooks:
        hook.remove()
    parametrize.remove_parametrizations(head, "mix")
    head.requires_grad_(False)
    head.eval()
    return best


def tensors(head: StarterHead) -> dict[str, Any]:
    """What goes into the file: float16, except the mix."""
    return {
        name: value.detach().contiguous().to(torch.float32 if name == "mix" else torch.float16)
        for name, value in head.state_dict().items()
        if name != "temperature"
    }
