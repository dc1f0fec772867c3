"""Training of the coreference head, on a mix of all layers: from clusters, or from the antecedents of pronouns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.heads.fcoref import CoreferenceHead

COREFERENCE = {
    "max_segment_len": 256, "max_span_length": 20, "top_lambda": 0.25, "max_doc_len": None, "activation": "gelu",
    "layer_norm_eps": 1e-5,
}  # fmt: skip
INNER = 160


class ClusterMix(nn.Module):
    """F-coref's head on a mix of all layers."""

    def __init__(self, layers: int, size: int) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.full((layers,), 1 / layers))
        self.head = CoreferenceHead(COREFERENCE, _random(size))

    def states(self, hidden: Sequence[Tensor]) -> Tensor:
        return torch.stack([layer[0].float() * weight for layer, weight in zip(hidden, self.mix, strict=True)]).sum(0)


def _random(size: int) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}

    def linear(name: str, inputs: int, outputs: int) -> None:
        tensors[f"{name}.weight"] = torch.randn(outputs, inputs) / math.sqrt(inputs)
        tensors[f"{name}.bias"] = torch.zeros(outputs)

    for name in ("start_mention", "end_mention", "start_coref", "end_coref"):
        linear(f"{name}_mlp.dense", size, INNER)
        tensors[f"{name}_mlp.layer_norm.weight"] = torch.ones(INNER)
        tensors[f"{name}_mlp.layer_norm.bias"] = torch.zeros(INNER)
    for name in ("mention_start", "mention_end"):
        linear(f"{name}_classifier", INNER, 1)
    for name in ("mention_s2e", "antecedent_s2s", "antecedent_e2e", "antecedent_s2e", "antecedent_e2s"):
        linear(f"{name}_classifier", INNER, INNER)
    # These are products of two normalised vectors; without a small start the first scores would be in the tens.
    for name in ("mention_s2e", "antecedent_s2s", "antecedent_e2e", "antecedent_s2e", "antecedent_e2s"):
        tensors[f"{name}_classifier.weight"] /= math.sqrt(INNER)
    return tensors


def pronoun_loss(head: CoreferenceHead, states: Tensor, target: dict[str, Any]) -> Tensor | None:
    """Return the loss of a pronoun's antecedent, which is the first name, the second, or neither.

    None if a mention is too long for the head.
    """
    spans = target["gap"]
    if any(last - first >= head.max_span_length for first, last in spans):
        return None
    order = sorted(range(3), key=lambda number: spans[number])
    ordered = torch.tensor([(spans[number][0], spans[number][1] + 1) for number in order])
    scores = head.mention_scores(states, [len(states)])[ordered[:, 0], ordered[:, 1] - ordered[:, 0] - 1]
    ((_, _, block),) = head.antecedent_scores(states, ordered, scores, [3])
    ranks = [order.index(number) for number in range(3)]
    logits = [torch.zeros(())] + [block[max(ranks[0], name), min(ranks[0], name)] for name in ranks[1:]]
    # Every name and every pronoun is a mention.
    mentions = functional.softplus(-scores).mean()
    return functional.cross_entropy(torch.stack(logits)[None], torch.tensor([target["target"]])) + 0.2 * mentions


def cluster_loss(head: CoreferenceHead, states: Tensor, target: dict[str, Any]) -> Tensor:
    """The marginal likelihood of the right antecedents (Lee et al. 2017, eq. 4), and of the mentions."""
    width = head.max_span_length
    table = head.mention_scores(states, [len(states)])
    truth = torch.zeros_like(table)
    cluster_of = {}
    for number, cluster in enumerate(target["clusters"]):
        for first, last in cluster:
            if last - first < width:
                truth[first, last - first] = 1
                cluster_of[first, last + 1] = number
    valid = table.isfinite()
    mentions = functional.binary_cross_entropy_with_logits(
        table[valid], truth[valid], pos_weight=torch.tensor(3.0), reduction="sum"
    ) / max(1, len(cluster_of))
    spans, scores, counts = head.candidates(states, [len(states)])
    numbers = torch.tensor([cluster_of.get((start, end), -1) for start, end in spans.tolist()])
    losses = []
    for at, _, block in head.antecedent_scores(states, spans, scores, counts):
        rows, columns = block.shape
        row_numbers, column_numbers = numbers[at : at + rows, None], numbers[None, :columns]
        right = (row_numbers == column_numbers) & (row_numbers >= 0) & block.isfinite()
        none = torch.cat([torch.zeros(rows, 1), block], dim=1)
        right = torch.cat([~right.any(1, keepdim=True), right], dim=1)
        losses.append(none.logsumexp(1) - none.masked_fill(~right, -torch.inf).logsumexp(1))
    if not losses:  # can happen with an untrained head
        return 0.1 * mentions
    linked = torch.cat(losses)
    weight = torch.where(numbers >= 0, 1.0, 0.3)
    return (linked * weight).sum() / weight.sum() + 0.1 * mentions
