"""The shipped starter in place of a learner: some of its heads are fitted again, the adapter stays."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor, nn
from transformers import BertModel

from training.joint import Learner
from training.reading import flat
from workers.models import adapter
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

RENEWED = ("ner", "pos", "pii", "moderation")
"""The heads that ``polish`` and ``pooled`` fit again on the finished trunk."""


class Shipped(nn.Module):
    """The trunk with its adapter merged, and the heads that are fitted again."""

    def __init__(self) -> None:
        super().__init__()
        under = HeadPack.open(STARTER, STARTER_FOLDER).trunk()
        self.trunk = BertModel.from_pretrained(under.model, add_pooling_layer=False, dtype=torch.float32)
        for tensors in under.adapters:
            adapter.merge(self.trunk, tensors)
        self.heads = nn.ModuleDict()

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return what ``Learner.forward`` returns, without gradients."""
        output = self.trunk(input_ids=ids, token_type_ids=types, attention_mask=mask, output_hidden_states=True)
        return flat(output.hidden_states, types, mask)


Taught: TypeAlias = Learner | Shipped
