"""Linear layers on the CPU whose weights are reordered for oneDNN once, instead of at every product.

The float32 arithmetic is the same, in another order. PyTorch's own compiler does this to models it freezes
(torch/_inductor/fx_passes/mkldnn_fusion.py). The gain depends on the processor, so it is measured.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

# The number of rows the layout is optimized for; any other number works too.
_ROWS = 512


class ReorderedLinear(nn.Module):
    """Replaces an ``nn.Linear`` during inference. It cannot be moved to another device or saved."""

    def __init__(self, linear: nn.Linear) -> None:
        """Reorder the weights of ``linear``. Raises RuntimeError or AttributeError if this build of torch cannot."""
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, rows: Tensor) -> Tensor:
        """Compute ``[..., in]`` -> ``[..., out]``."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, "none", [], "")
        return out


def reorder(model: nn.Module) -> Callable[[], None]:
    """Replace all linear layers of ``model`` by reordered ones; return a function that puts the old ones back.

    Raises RuntimeError or AttributeError if this build of torch cannot do it; ``model`` is then unchanged.
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
