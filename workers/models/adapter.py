"""Low-rank adapters (LoRA, Hu et al. 2021) on a BERT trunk, merged into its weights when it is loaded.

An adapter is: for each linear layer of the encoder ``lora_a`` ``[rank, in]`` and ``lora_b`` ``[out, rank]``, whose
product is added to the weight; for each bias and layer norm the difference to the trunk's own; and ``case``
``[2, hidden]``, what is added to the token type of a token with capitals (see ``workers.encoder.casing``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from workers.encoder.casing import CASES, SIDES


class LoraLinear(nn.Module):
    """A linear layer whose weight stays, and the two thin ones beside it that learn."""

    bias: Tensor | None

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach(), requires_grad=False)
        # ModernBERT's layers, and some of DeBERTa's, have none.
        bias: Tensor | None = linear.bias
        self.register_parameter("bias", None if bias is None else nn.Parameter(bias.detach().clone()))
        self.lora_a = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features**0.5)
        self.lora_b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """``[..., in]`` -> ``[..., out]``"""
        return nn.functional.linear(x, self.weight, self.bias) + (x @ self.lora_a.T) @ self.lora_b.T


class CasedTypes(nn.Module):
    """Token types of side and case; a token without capitals has what the trunk gave its side."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.sides = nn.Parameter(embedding.weight.detach(), requires_grad=False)
        self.case = nn.Parameter(torch.zeros(CASES - 1, embedding.embedding_dim))

    def forward(self, types: Tensor) -> Tensor:
        cased = nn.functional.pad(self.case, (0, 0, 1, 0))
        return self.sides[types % SIDES] + cased[types // SIDES]


def attach(model: PreTrainedModel, rank: int, *, case: bool = False) -> None:
    """Puts an adapter that changes nothing yet on every layer of ``model``, whose own weights are frozen.

    ``case``: the trunk learns to read capitals, too, from the token types of ``workers.encoder.casing``.
    """
    model.requires_grad_(False)
    for name, linear in _linears(model):
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, LoraLinear(linear, rank))
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.requires_grad_(True)
    if case:
        embeddings = model.get_submodule("embeddings")
        embeddings.token_type_embeddings = CasedTypes(embeddings.token_type_embeddings)  # type: ignore[arg-type]


def extract(model: PreTrainedModel, original: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The adapter that was trained on ``model``, in float16. ``original``: the trunk's own state dict."""
    out = {}
    for name, value in model.named_parameters():
        if not value.requires_grad:
            continue
        if name.endswith("token_type_embeddings.case"):
            out["case"] = value.detach().half()
        elif name.endswith((".lora_a", ".lora_b")):
            out[name] = value.detach().half().contiguous()
        else:
            out[name] = (value.detach() - original[name]).half()
    return out


@torch.no_grad()
def merge(model: PreTrainedModel, adapter: Mapping[str, Tensor]) -> None:
    """Adds ``adapter`` to the weights of ``model``, which then takes the token types of ``workers.encoder.casing``.

    Raises KeyError, AttributeError or RuntimeError when it is not one of this model.
    """
    parameters = dict(model.named_parameters())
    for name, value in adapter.items():
        if name == "case":
            continue
        if name.endswith(".lora_a"):
            layer = name.removesuffix(".lora_a")
            parameters[f"{layer}.weight"].add_(adapter[f"{layer}.lora_b"].float() @ value.float())
        elif not name.endswith(".lora_b"):
            parameters[name].add_(value.float())
    if "case" not in adapter:
        return
    embeddings = model.get_submodule("embeddings")
    sides = embeddings.token_type_embeddings.weight  # type: ignore[union-attr]
    cased = nn.functional.pad(adapter["case"].float(), (0, 0, 1, 0))
    # Row side + 2 * case.
    rows = (cased[:, None, :] + sides[None, :, :]).flatten(0, 1)  # type: ignore[index]
    embeddings.token_type_embeddings = nn.Embedding(CASES * SIDES, rows.shape[1], _weight=rows, _freeze=True)
    model.config.type_vocab_size = CASES * SIDES
    model.config.reads_case = True


def _linears(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and not name.startswith("pooler"):
            yield name, module
