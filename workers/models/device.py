"""The device and the precision that a pipeline's models run in."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import torch

from schemas.errors import NoDeviceError
from schemas.pipeline.config import Compute

log = logging.getLogger("glossator")

_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""The instructions that multiply bfloat16, as torch names them: of x86, then of ARM."""


def choose_device(compute: Compute) -> tuple[torch.device, torch.dtype]:
    """Return the device and dtype for ``compute``.

    The defaults are CUDA in bfloat16 (float16 before Ampere) if there is a CUDA device, else the CPU in float32, which
    ``chooses_precision`` may change. Raises NoDeviceError if the configured device does not exist.
    """
    name = compute.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if compute.attention == "flash" and device.type == "cpu":
        log.warning("compute.attention is flash, which needs a CUDA device; this CPU runs without it")
    if device.type == "cuda":
        if not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count():
            count = torch.cuda.device_count()
            build = "" if torch.version.cuda else "; this build of torch is for CPUs only"
            devices = f"{count or 'no'} CUDA device{'s' * (count != 1)}"
            raise NoDeviceError(f"there is no device {name}: torch sees {devices}{build}")
        # cuDNN's attention compiles a plan per shape, and nearly every packed batch has a new shape.
        torch.backends.cuda.enable_cudnn_sdp(False)
    if compute.dtype != "auto":
        return device, getattr(torch, compute.dtype)
    if device.type == "cpu":
        return device, torch.float32
    return device, torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16


def chooses_precision(compute: Compute, device: torch.device) -> bool:
    """Whether trunks on ``device`` may turn to bfloat16 at warm-up: with ``dtype: auto`` if the processor has it."""
    if compute.dtype != "auto" or device.type != "cpu":
        return False
    # Older versions of torch do not say what a processor can do.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in _BFLOAT16)
