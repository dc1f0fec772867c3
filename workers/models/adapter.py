"""Low-rank adapters (LoRA, Hu et al. 2021) for a BERT trunk, merged into its weights when it is loaded.

An adapter consists of ``lora_a`` ``[rank, in]`` and ``lora_b`` ``[out, rank]`` for each linear layer of the encoder,
whose product is added to the weight; of a difference for each bias and layer norm; and of ``case`` ``[2, hidden]``,
which is added to the token type of a token with capitals (see ``workers.encoder.casing``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from workers.encoder.casing import CASES, SIDES


class LoraLinear(nn.Module):
    """A linear layer whose weight is frozen, with a trainable low-rank update and a trainable bias."""

    bias: Tensor | None

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        """Wrap ``linear``; the update starts at zero."""
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach(), requires_grad=False)
        # ModernBERT's layers, and some of DeBERTa's, have no bias.
        bias: Tensor | None = linear.bias
        self.register_parameter("bias", None if bias is None else nn.Parameter(bias.detach().clone()))
        self.lora_a = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features**0.5)
        self.lora_b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """Compute ``[..., in]`` -> ``[..., out]``."""
        return nn.functional.linear(x, self.weight, self.bias) + (x @ self.lora_a.T) @ self.lora_b.T


class CasedTypes(nn.Module):
    """The embedding of token types made of side and case; that of a token without capitals is the trunk's own."""

    def __init__(self, embedding: nn.Embedding) -> None:
        """Freeze the rows of ``embedding``, one per side; the trainable rows of cases start at zero."""
        super().__init__()
        self.sides = nn.Parameter(embedding.weight.detach(), requires_grad=False)
        self.case = nn.Parameter(torch.zeros(CASES - 1, embedding.embedding_dim))

    def forward(self, types: Tensor) -> Tensor:
        """Compute ``[...]`` token types -> ``[..., hidden]``."""
        cased = nn.functional.pad(self.case, (0, 0, 1, 0))
        return self.sides[types % SIDES] + cased[types // SIDES]


def attach(model: PreTrainedModel, rank: int, *, case: bool = False) -> None:
    """Put a new adapter of ``rank`` on every layer of ``model``, and freeze the model's own weights.

    The adapter changes nothing before it is trained. With ``case``, the trunk can also learn to read capitals, from the
    token types of ``workers.encoder.casing``.
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
    """Return the adapter that was trained on ``model``, in float16. ``original``: the trunk's own state dict."""
    adapter = {}
    for name, value in model.named_parameters():
        if not value.requires_grad:
            continue
        if name.endswith("token_type_embeddings.case"):
            adapter["case"] = value.detach().half()
        elif name.endswith((".lora_a", ".lora_b")):
            adapter[name] = value.detach().half().contiguous()
        else:
            adapter[name] = (value.detach() - original[name]).half()
    return adapter


@torch.no_grad()
def merge(model: PreTrainedModel, adapter: Mapping[str, Tensor]) -> None:
    """Add ``adapter`` to the weights of ``model``.

    If it has a ``case``, the model takes the token types of ``workers.encoder.casing`` from now on. Raises KeyError,
    AttributeError or RuntimeError if the adapter does not fit the model.
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
