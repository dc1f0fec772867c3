"""One adapter for all heads: the trunk and every head are trained together, with batches of one task after another.

An interrupted run resumes where it stopped, and the same seed draws the same batches. The losses are those of the
heads' tasks. In addition, the mean of the last layer is kept near that of the frozen trunk (Hinton et al. 2015), so
that the same forward also serves ``embedding`` and ``similarity``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from transformers import BertModel

from training import moderation, pairs, tokens
from training.linking import ClusterMix, cluster_loss, pronoun_loss
from training.reading import Reader, Source, Unit, collate, flat
from workers.encoder.pooling import reduced
from workers.learning.fit import Softmax, new_head
from workers.models import adapter

RANK = 32
TOKENS_PER_BATCH = 1280
BATCHES_PER_STEP = 3
SAVE_EVERY = 100
RATES = {"lora": 6e-4, "mix": 1e-2, "case": 2e-3, "norm": 3e-4, "head": 1e-3}
WARM_UP = 0.06


def new_heads(layers: int, size: int) -> nn.ModuleDict:
    token = {"kind": "token", "reduce": 128, "hidden": 160, "context": 2}
    sequence = {"kind": "sequence", "hidden": 128, "pooling": ("mean", "first")}
    pair = {"kind": "sequence", "reduce": 128, "hidden": 128, "pooling": ("first", "sides")}
    make = {
        "ner": new_head(tokens.NER_LABELS, layers, size, aggregation="max", **token),  # type: ignore[arg-type]
        "pos": new_head(tokens.POS_LABELS, layers, size, **token),  # type: ignore[arg-type]
        "pii": new_head(tokens.PII_LABELS, layers, size, aggregation="max", **token),  # type: ignore[arg-type]
        "sentiment": new_head(["negative", "neutral", "positive"], layers, size, **sequence),  # type: ignore[arg-type]
        "moderation": new_head(moderation.LABELS, layers, size, multi_label=True, **sequence),  # type: ignore[arg-type]
        "nli": new_head(pairs.NLI_LABELS, layers, size, **pair),  # type: ignore[arg-type]
        "zero-shot": new_head(["entailment", "not_entailment"], layers, size, **pair),  # type: ignore[arg-type]
        "absa": new_head(pairs.ABSA_LABELS, layers, size, **pair),  # type: ignore[arg-type]
        "question-answering": new_head(["start", "end"], layers, size, kind="token", hidden=128),
        "coreference": ClusterMix(layers, size),
    }
    for head in make.values():
        head.requires_grad_(True)
        parametrize.register_parametrization(head, "mix", Softmax())
    return nn.ModuleDict(make)


def dropped(heads: nn.ModuleDict, rate: float) -> None:
    """Add dropout before every linear layer of the heads that are a sequence of linear layers."""
    for name, head in heads.items():
        if name != "coreference":
            for module in head.modules():
                if isinstance(module, nn.Linear):
                    module.register_forward_pre_hook(
                        lambda layer, args: (functional.dropout(args[0], rate, layer.training),)
                    )


class Learner(nn.Module):
    """The adapted trunk and all heads."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        # Without dropout, eager attention is a third faster on a CPU than the fused kernel.
        self.trunk = BertModel.from_pretrained(
            folder, add_pooling_layer=False, dtype=torch.float32, attn_implementation="eager",
            attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        self.original = {name: value.clone() for name, value in self.trunk.state_dict().items()}
        adapter.attach(self.trunk, RANK, case=True)
        config = self.trunk.config
        self.heads = new_heads(config.num_hidden_layers + 1, config.hidden_size)
        dropped(self.heads, 0.15)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return hidden states without padding, the starts of the sequences, and the sides of the tokens."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            output = self.trunk(input_ids=ids, token_type_ids=types, attention_mask=mask, output_hidden_states=True)
        return flat(output.hidden_states, types, mask)

    def loss(self, head: str, units: Sequence[Unit], random: np.random.Generator) -> Tensor:
        items = [item for unit in units for item in unit.items]
        hidden, starts, sides = self(*collate(items, None if head == "embedding" else random))
        weights = torch.tensor([unit.weight for unit in units])
        if head == "tokens":
            return self._tokens(hidden, starts, units)
        if head == "embedding":
            return self._embedding(hidden, starts, units)
        if head == "coreference":
            return self._coreference(hidden, units)
        logits = self.heads[head](hidden, starts, sides)
        if head == "question-answering":
            return self._span(logits, starts, units, weights)
        if head == "zero-shot":
            return self._among(logits, units, weights)
        targets = [unit.target for unit in units]
        if head == "moderation":
            each = moderation.loss(logits, torch.from_numpy(np.stack(targets)))
        elif head == "sentiment":
            each = -(torch.from_numpy(np.stack(targets)) * logits.log_softmax(1)).sum(1)
        else:
            each = functional.cross_entropy(logits, torch.tensor(targets), reduction="none", label_smoothing=0.05)
        return (each * weights).mean()

    def _tokens(self, hidden: list[Tensor], starts: Tensor, units: Sequence[Unit]) -> Tensor:
        loss = torch.zeros(())
        for name in ("ner", "pos", "pii"):
            if not any(name in unit.target for unit in units):
                continue
            logits = self.heads[name](hidden, starts)
            free = np.ones((1, logits.shape[1]), dtype=bool)
            target = np.concatenate([unit.target.get(name, free.repeat(len(unit), 0)) for unit in units])
            if tokens.counts(target):
                loss = loss + tokens.loss(logits, target)
        return loss

    @staticmethod
    def _embedding(hidden: list[Tensor], starts: Tensor, units: Sequence[Unit]) -> Tensor:
        mean = reduced(hidden[-1][0].float(), starts, "mean")
        student = functional.normalize(mean, dim=1)
        teacher = torch.from_numpy(np.stack([unit.target for unit in units]))
        near = 1 - (student * teacher).sum(1).mean()
        return 4 * near + 10 * functional.mse_loss(student @ student.T, teacher @ teacher.T)

    @staticmethod
    def _span(logits: Tensor, starts: Tensor, units: Sequence[Unit], weights: Tensor) -> Tensor:
        each = []
        for row, unit in enumerate(units):
            logs = logits[starts[row] : starts[row + 1]].log_softmax(0)
            pairs = torch.tensor(unit.target)
            each.append(-(logs[pairs[:, 0], 0] + logs[pairs[:, 1], 1]).logsumexp(0) / 2)
        return (torch.stack(each) * weights).mean()

    @staticmethod
    def _among(logits: Tensor, units: Sequence[Unit], weights: Tensor) -> Tensor:
        """The loss of the right label against the others, and of each label against not being entailed."""
        at, each = 0, []
        for unit in units:
            unit_logits = logits[at : at + len(unit.items)]
            at += len(unit.items)
            truth = torch.arange(len(unit_logits)) != unit.target
            each.append(
                functional.cross_entropy(unit_logits[None, :, 0], torch.tensor([unit.target]))
                + functional.cross_entropy(unit_logits, truth.long())
            )
        return (torch.stack(each) * weights).mean()

    def _coreference(self, hidden: list[Tensor], units: Sequence[Unit]) -> Tensor:
        mix: Any = self.heads["coreference"]
        states, losses, at = mix.states(hidden), [], 0
        for unit in units:
            part = states[at : at + len(unit)]
            at += len(unit)
            loss_of = pronoun_loss if "gap" in unit.target else cluster_loss
            if (loss := loss_of(mix.head, part, unit.target)) is not None:
                losses.append(loss)
        return torch.stack(losses).mean() if losses else states.sum() * 0


def teach(learner: Learner, texts: Sequence[str], reader: Reader) -> list[Unit]:
    """Texts with the sentence vectors of the frozen trunk: before training, the adapter changes nothing."""
    units = [Unit([reader.text(text)[0]], None) for text in texts]
    learner.eval()
    order = sorted(range(len(units)), key=lambda index: len(units[index]))
    with torch.no_grad():
        for first in range(0, len(order), 64):
            part = order[first : first + 64]
            ids, types, mask = collate([units[index].items[0] for index in part], None)
            hidden, starts, _ = learner(ids, types % 2, mask)
            mean = reduced(hidden[-1][0], starts, "mean")
            for index, vector in zip(part, functional.normalize(mean, dim=1).numpy(), strict=True):
                units[index].target = vector
    return units


def _groups(learner: Learner) -> list[dict[str, Any]]:
    kinds: dict[str, list[nn.Parameter]] = {kind: [] for kind in RATES}
    for name, value in learner.named_parameters():
        if not value.requires_grad:
            continue
        kind = (
            "mix" if "mix" in name else "head" if name.startswith("heads.") else "lora" if ".lora_" in name
            else "case" if name.endswith(".case") else "norm"
        )  # fmt: skip
        kinds[kind].append(value)
    return [
        {
            "params": values,
            "lr": RATES[kind],
            "peak": RATES[kind],
            "weight_decay": 0.01 if kind in {"head", "lora"} else 0.0,
        }
        for kind, values in kinds.items()
    ]


def rate(step: int, steps: int) -> float:
    """Return the share of the peak rate at ``step``: it rises at first, then falls to almost nothing."""
    warm = max(1, int(WARM_UP * steps))
    return step / warm if step < warm else max(0.02, (steps - step) / (steps - warm))


def train(
    learner: Learner, parts: Sequence[Source], checkpoint: Path, progress: Progress, *, seed: int = 0, peak: float = 1.0
) -> None:
    """Train ``learner`` in place. ``checkpoint`` is written regularly; if it exists, training resumes from it.

    ``peak`` is the highest rate, as a share of ``RATES``.
    """
    random = np.random.default_rng(seed)
    plan = [(source, batch) for source in parts for batch in source.batches(random, TOKENS_PER_BATCH)]
    plan = [plan[index] for index in random.permutation(len(plan))]
    steps = len(plan) // BATCHES_PER_STEP
    optimizer = torch.optim.AdamW(_groups(learner))
    first = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        learner.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["step"]
        progress.console.print(f"resuming at step {first:,} of {steps:,}")
    bar = progress.add_task("all heads", total=steps, completed=first)
    running: dict[str, float] = {}
    begun, read = time.monotonic(), 0
    learner.train()
    for step in range(first, steps):
        torch.manual_seed(seed * 1_000_003 + step)
        chance = np.random.default_rng((seed, step))
        factor = peak * rate(step, steps)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        for source, batch in plan[step * BATCHES_PER_STEP : (step + 1) * BATCHES_PER_STEP]:
            units = [source.units[index] for index in batch]
            loss = learner.loss(source.head, units, chance)
            (loss / BATCHES_PER_STEP).backward()  # type: ignore[no-untyped-call]
            read += sum(map(len, units))
            value = float(loss.detach())
            running[source.name] = value if source.name not in running else 0.95 * running[source.name] + 0.05 * value
        nn.utils.clip_grad_norm_([p for p in learner.parameters() if p.requires_grad], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        progress.advance(bar)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            part = checkpoint.with_suffix(".part")
            torch.save({"model": learner.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}, part)
            part.rename(checkpoint)
            scores = ", ".join(f"{name} {value:.3f}" for name, value in sorted(running.items()))
            progress.console.print(
                f"step {step + 1:,} of {steps:,}, {read / (time.monotonic() - begun):,.0f} tokens/s: {scores}"
            )
    progress.remove_task(bar)
    learner.eval()
