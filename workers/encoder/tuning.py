"""Measures how many forwards should run side by side on this machine, and how many tokens each should have."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np
import torch

from workers.encoder.packing import flat_starts, pack
from workers.encoder.pool import Pool, shared
from workers.encoder.trunk import Trunk

_CPU = (512, 1024, 2048, 4096)
_CUDA = (4096, 8192, 16384, 32768, 65536)
_GOOD_ENOUGH = 0.98
"""Share of the best rate that counts as equal. Of equal sizes the smallest is best, because it leaves more of the
caches, or of the memory, to the heads."""
_BEHIND = 0.9
"""Share of the best rate below which larger sizes are not tried: timings are noisy to about 5 %."""
_TRIED = 512
"""Tokens of the forwards whose rates are compared before their size is known."""
_TURNS = 5


def tune(trunk: Trunk, most: int, size: int | None = None, seconds: float = 1.5) -> None:
    """Set ``trunk.pool``, and ``trunk.forward_tokens`` to the smallest size that is as fast as any; reorder weights.

    Also sets ``trunk.token_seconds``. Weights are reordered if that helps, and forwards run side by side if that is
    faster, which is tried on a CPU only: with as many threads in all as operations of the calling thread use.

    On a CPU small forwards win, while they fit its caches; on a GPU large ones do, until they fill it.

    Args:
        trunk: the trunk to measure; nobody else may use it meanwhile.
        most: the largest size to try, in tokens: that of a micro-batch, which is shared by forwards side by side.
        size: the configured size, in tokens; no sizes are tried then.
        seconds: about how long trying sizes may take, and how long trying forwards side by side.
    """
    sizes = [size for size in (_CPU if trunk.device.type == "cpu" else _CUDA) if size <= most] or [most]
    trunk.forward_tokens = sizes[0]
    trunk.quicken(lambda: max(speed(trunk, min(most, _TRIED), warm=again > 0) for again in range(3)))
    trunk.pool = _best_pool(trunk, most, min(most, size or _TRIED, _TRIED), seconds)
    at_once = trunk.pool.forwards if trunk.pool else 1
    trunk.tuned = True
    if size is not None:
        trunk.forward_tokens = size
        trunk.token_seconds = at_once / speed(trunk, min(most, _TRIED))
    else:
        sizes = [size for size in sizes if size * at_once <= most] or sizes[:1]
        if rates := measure(sizes, lambda tokens, warm: speed(trunk, tokens, warm), seconds):
            enough = _GOOD_ENOUGH * max(rates.values())
            trunk.forward_tokens = min(tokens for tokens, rate in rates.items() if rate >= enough)
            trunk.token_seconds = at_once / rates[trunk.forward_tokens]
    trunk.pool = trunk.pool and shared(trunk.pool)


def _best_pool(trunk: Trunk, most: int, size: int, seconds: float) -> Pool | None:
    """Return the pool with which forwards of ``size`` tokens are fastest; None if they are one at a time.

    No other trunk uses it yet: behind the forwards of a worker that keeps working, all pools would look slow.
    """
    pools: dict[int, Pool | None] = {1: None}
    if trunk.device.type == "cpu":
        cores = torch.get_num_threads()
        for count in side_by_side(cores, most // size):
            with suppress(RuntimeError):  # a container may have no more threads
                pools[count] = Pool(count, cores // count)

    def rate(count: int, warm: bool) -> float:
        trunk.pool = pools[count]
        return speed(trunk, size, warm)

    return pools[choose(list(pools), rate, seconds)]


def side_by_side(cores: int, most: int) -> list[int]:
    """Return how many forwards are worth trying at a time on ``cores``: powers of 2, and one for each core.

    At most half of ``most``, the forwards in a micro-batch, so that all of them end at about the same time.
    """
    powers = {1 << power for power in range(1, cores.bit_length())}
    return sorted(count for count in powers | {cores} if 1 < count <= min(cores, most // 2))


def choose(counts: list[int], rate: Callable[[int, bool], float], seconds: float) -> int:
    """Return the one of ``counts`` whose rate is best, the smallest of equal ones.

    They are measured in turns, so that other load on the machine affects all of them alike, and the best rate of each
    counts: twice, and a few times more within about ``seconds``. The second argument of ``rate`` says whether that
    count has run before.
    """
    rates: dict[int, float] = dict.fromkeys(counts, 0.0)
    began = time.monotonic()
    for turn in range(_TURNS if len(counts) > 1 else 0):
        if turn >= 2 and (time.monotonic() - began) * (turn + 1) / turn > seconds:
            break
        for count in counts:
            rates[count] = max(rates[count], rate(count, turn > 0))
    return max(rates, key=rates.__getitem__)


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
            if rates[tokens] < _BEHIND * max(rates.values()):
                sizes = sizes[: sizes.index(tokens) + 1]
                break
    return rates


def speed(trunk: Trunk, size: int, warm: bool = False) -> float:
    """Return the tokens per second of forwards of about ``size`` tokens, as many at a time as the trunk's pool runs.

    The lengths of their texts are those of posts and articles.
    ``warm``: whether forwards of that size have run before; else they run once unmeasured.
    """
    lengths = np.random.default_rng(0).lognormal(3.5, 0.8, size // 8).astype(np.int64)
    lengths = np.clip(lengths, 4, min(size, trunk.capacity or size))
    lengths = lengths[np.cumsum(lengths) <= size]
    starts = flat_starts(lengths)
    batch = pack(lengths, starts, np.arange(len(lengths)), size, padded=not trunk.packed)[0]
    ids = np.random.default_rng(0).integers(0, trunk.vocabulary, starts[-1])
    pool = trunk.pool

    def run() -> int:
        if pool is None:
            trunk.forward(batch, ids)
            return len(batch.tokens)
        # Two for each thread: waiting for the last one, which a worker does once a micro-batch, counts less then.
        for future in [pool.submit(partial(trunk.forward, batch, ids)) for _ in range(2 * pool.forwards)]:
            future.result()
        return 2 * pool.forwards * len(batch.tokens)

    if not warm:
        run()
    began = time.perf_counter()
    tokens = run()
    if trunk.device.type == "cuda":
        torch.cuda.synchronize(trunk.device)
    return tokens / (time.perf_counter() - began)
