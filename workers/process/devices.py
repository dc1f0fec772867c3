"""Divides the CUDA devices or the cores of a machine among several workers."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from workers.process.cores import usable_cores


def cuda_devices() -> list[str]:
    """Return the devices a worker would see, as CUDA_VISIBLE_DEVICES names them; empty without a GPU.

    If CUDA_VISIBLE_DEVICES is set, it is the whole list. A GPU divided into MIG instances is replaced by these.
    """
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name for name in map(str.strip, chosen.split(",")) if name not in ("", "-1")]
    try:
        query = ("nvidia-smi", "-L")
        listing = subprocess.check_output(query, stderr=subprocess.DEVNULL, text=True, timeout=30)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        with contextlib.suppress(OSError):
            return [str(index) for index, _ in enumerate(Path("/proc/driver/nvidia/gpus").iterdir())]
        return []
    # MIG instances are listed indented below their GPU and replace it.
    return re.findall(r"UUID: (MIG-[^)]+|GPU-[^)]+(?=\)(?!\n +MIG)))", listing)


def share(place: int, count: int, devices: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of worker ``place`` of ``count``: one of the devices, or else its share of the cores.

    If ``environment`` sets OMP_NUM_THREADS, it is kept. In the worker itself ``compute.threads`` overrides it.
    """
    if devices:
        return {**environment, "CUDA_VISIBLE_DEVICES": devices[place % len(devices)]}
    return {"OMP_NUM_THREADS": str(max(1, usable_cores() // count)), **environment}
