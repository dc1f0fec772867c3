"""Measures how many tokens a forward should have on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from workers.encoder.packing import flat_starts, pack
from workers.encoder.trunk import Trunk

_CPU = (512, 1024, 2048, 4096)
_CUDA = (4096, 8192, 16384, 32768, 65536)
_GOOD_ENOUGH = 0.95
"""Share of the best rate that counts as equal: timings are noisy to about 5 %.

Of equal sizes the smallest is best, because it leaves more of the caches, or of the memory, to the heads.
"""


def tune(trunk: Trunk, most: int, size: int | None = None, seconds: float = 1.5) -> None:
    """Set ``trunk.forward_tokens`` to the smallest size that is as fast as any, and reorder weights if that helps.

    Also sets ``trunk.token_seconds``.

    On a CPU small forwards win, while they fit its caches; on a GPU large ones do, until they fill it.

    Args:
        trunk: the trunk to measure; nobody else may use it meanwhile.
        most: the largest size to try, in tokens.
        size: the configured size, in tokens; no sizes are tried then.
        seconds: about how long trying sizes may take.
    """
    sizes = [size for size in (_CPU if trunk.device.type == "cpu" else _CUDA) if size <= most] or [most]
    trunk.forward_tokens = sizes[0]
    trunk.quicken(lambda: max(_rate(trunk, min(most, 512), warm=again > 0) for again in range(3)))
    trunk.tuned = True
    if size is not None:
        trunk.forward_tokens = size
        trunk.token_seconds = 1 / _rate(trunk, min(most, 512))
        return
    rates = measure(sizes, lambda tokens, warm: _rate(trunk, tokens, warm), seconds)
    if rates:
        enough = _GOOD_ENOUGH * max(rates.values())
        trunk.forward_tokens = min(tokens for tokens, rate in rates.items() if rate >= enough)
        trunk.token_seconds = 1 / rates[trunk.forward_tokens]


def measure(sizes: list[int], rate: Callable[[int, bool], float], seconds: float) -> dict[int, float]:
    """Return the best of up to three measurements of each of ``sizes`` that is worth it.

    The rate has one peak: up to it the device is not full, beyond it the caches or the memory are. So no size is tried
    that is larger than one already behind the best.

    Args:
        sizes: in tokens, ascending.
        rate: measures the tokens per second of a forward of some tokens; its second argument says whether one of that
            size has run before. May raise torch.OutOfMemoryError.
        seconds: about how long this may take.
    """
    rates: dict[int, float] = {}
    deadline = time.monotonic() + seconds
    for _ in range(3):
        for tokens in sizes:
            # A size that was not measured yet takes, per token, about as long as those before, and runs twice.
            expected = rates.get(tokens) or max(rates.values(), default=0.0) / 2
            if expected and time.monotonic() + tokens / expected > deadline:
                break
            try:
                rates[tokens] = max(rates.get(tokens, 0.0), rate(tokens, tokens in rates))
            except torch.OutOfMemoryError:
                sizes = sizes[: sizes.index(tokens)]
                break
            if rates[tokens] < _GOOD_ENOUGH * max(rates.values()):
                sizes = sizes[: sizes.index(tokens) + 1]
                break
    return rates


def _rate(trunk: Trunk, size: int, warm: bool = False) -> float:
    """Return the tokens per second of a forward of about ``size`` tokens.

    The lengths of its texts are those of posts and articles.
    ``warm``: whether a forward of that size has run before; else one runs first, unmeasured.
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
