"""How many tokens a forward should have on this machine: measured, because nobody could know."""

from __future__ import annotations

import time

import numpy as np
import torch

from workers.encoder.packing import flat_starts, pack
from workers.encoder.trunk import Trunk

_CPU = (512, 1024, 2048, 4096)
_CUDA = (4096, 8192, 16384, 32768, 65536)
_CLOSE = 0.95
"""No measure is truer than that, and a smaller forward leaves more of the caches, or of the memory, to the heads."""


def tune(trunk: Trunk, most: int, size: int | None = None, seconds: float = 3.0) -> None:
    """Sets ``trunk.forward_tokens`` to the smallest size up to ``most`` that is as good as the fastest, of those that
    could be tried in ``seconds``.

    ``size``: the one that was asked for, so that nothing is tried.

    On a CPU small forwards win while they fit its caches; on a GPU large ones do, until they fill it.
    """
    sizes = [size for size in (_CPU if trunk.device.type == "cpu" else _CUDA) if size <= most] or [most]
    rates: dict[int, float] = {}
    trunk.forward_tokens = sizes[0]
    trunk.quicken(lambda: max(_rate(trunk, min(most, 512)) for _ in range(3)))
    trunk.tuned = True
    if size is not None:
        trunk.forward_tokens = size
        return
    deadline = time.monotonic() + seconds
    for _ in range(3):
        for one in sizes:
            # A size whose rate is not known yet takes at most as long per token as the one before it.
            rate = rates.get(one) or max(rates.values(), default=0.0)
            if rate and time.monotonic() + one / rate > deadline:
                break
            try:
                rates[one] = max(rates.get(one, 0.0), _rate(trunk, one, warm=one in rates))
            except torch.OutOfMemoryError:
                sizes = sizes[: sizes.index(one)]
                break
    if rates:
        enough = _CLOSE * max(rates.values())
        trunk.forward_tokens = min(one for one, rate in rates.items() if rate >= enough)


def _rate(trunk: Trunk, size: int, warm: bool = False) -> float:
    """Tokens per second of a forward of about ``size`` tokens, lengths mixed as posts and articles mix.

    ``warm``: one of that size has run before.
    """
    lengths = np.random.default_rng(0).lognormal(3.5, 0.8, size // 8).astype(np.int64)
    lengths = np.clip(lengths, 4, min(size, trunk.capacity or size))
    lengths = lengths[np.cumsum(lengths) <= size]
    starts = flat_starts(lengths)
    batch = pack(lengths, starts, np.arange(len(lengths)), size, padded=not trunk.packed)[0]
    ids = np.random.default_rng(0).integers(0, trunk.vocabulary, starts[-1])
    if not warm:
        trunk.forward(batch, ids)
    began = time.perf_counter()
    trunk.forward(batch, ids)
    if trunk.device.type == "cuda":
        torch.cuda.synchronize(trunk.device)
    return len(batch.tokens) / (time.perf_counter() - began)
