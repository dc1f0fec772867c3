"""Linear layers on the CPU with weights laid out once for oneDNN, instead of at every product.

The same float32 arithmetic in another order. PyTorch's own compiler does it to models it freezes
(torch/_inductor/fx_passes/mkldnn_fusion.py); the gain depends on the processor, so it is measured.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

# Rows the layout is chosen for; others are computed as well.
_ROWS = 512


class ReorderedLinear(nn.Module):
    """Stands for a ``nn.Linear`` in inference, and is not to be moved or saved."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, rows: Tensor) -> Tensor:
        """``[..., in]`` -> ``[..., out]``"""
        out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, "none", [], "")
        return out


def reorder(model: nn.Module) -> Callable[[], None]:
    """Puts reordered layers in the place of all linear ones; the result puts the old ones back.

    Raises RuntimeError or AttributeError where this build of torch cannot, the model being as it was.
    """
    replaced: list[tuple[nn.Module, str, nn.Linear]] = []

    def undo() -> None:
        for parent, name, linear in replaced:
            setattr(parent, name, linear)

    try:
        for parent in list(model.modules()):
            for name, child in parent.named_children():
                if type(child) is nn.Linear:
                    setattr(parent, name, ReorderedLinear(child))
                    replaced.append((parent, name, child))
    except (RuntimeError, AttributeError):
        undo()
        raise
    return undo
