"""The shipped starter: heads can be fitted on it instead of on a learner, and more training can start from it."""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from transformers import BertModel

from training.joint import Learner
from training.reading import flat
from workers.heads.pack_heads import ScoreMix
from workers.models import adapter
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

RENEWED = ("ner", "pos", "pii", "moderation")
"""The heads that ``polish`` and ``pooled`` fit again on the finished trunk."""


class Shipped(nn.Module):
    """The trunk with its adapter merged, and the heads that are fitted again."""

    def __init__(self) -> None:
        super().__init__()
        packed = HeadPack.open(STARTER, STARTER_FOLDER).trunk()
        self.trunk = BertModel.from_pretrained(packed.model, add_pooling_layer=False, dtype=torch.float32)
        for tensors in packed.adapters:
            adapter.merge(self.trunk, tensors)
        self.heads = nn.ModuleDict()

    def take(self, name: str) -> None:
        """Take the head ``name`` of the pack, to go on from it."""
        pack = HeadPack.open(STARTER, STARTER_FOLDER)
        entry = pack.manifest["heads"][name]
        self.heads[name] = ScoreMix({**entry, "temperature": 1.0}, pack.tensors(entry))

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return what ``Learner.forward`` returns, without gradients."""
        output = self.trunk(input_ids=ids, token_type_ids=types, attention_mask=mask, output_hidden_states=True)
        return flat(output.hidden_states, types, mask)


@torch.no_grad()
def resume(learner: Learner) -> None:
    """Give ``learner`` the adapter and the heads of the shipped pack; a head with other labels starts anew."""
    pack = HeadPack.open(STARTER, STARTER_FOLDER)
    trunk = dict(learner.trunk.named_parameters())
    for adapter_ in pack.trunk().adapters:
        for name, value in adapter_.items():
            if name == "case":
                trunk["embeddings.token_type_embeddings.case"].copy_(value)
            else:
                # Biases and layer norms are stored as differences.
                trunk[name].copy_(value if ".lora_" in name else learner.original[name] + value)
    for name, entry in pack.manifest["heads"].items():
        head: Any = learner.heads[name]
        tensors = pack.tensors(entry)
        inner = head.head if name == "coreference" else head
        wanted = {key: value for key, value in inner.named_parameters() if not key.startswith("parametrizations.")}
        if {key: value.shape for key, value in wanted.items()} != {
            key: value.shape for key, value in tensors.items() if key not in {"mix", "transitions"}
        }:
            continue
        for key, value in wanted.items():
            value.copy_(tensors[key])
        head.mix = tensors["mix"]


LearnerLike: TypeAlias = Learner | Shipped
"""A trunk with heads that can be fitted."""
