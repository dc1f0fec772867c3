"""How the C library hands memory out: kept between forwards, instead of given back to the system after each.

A forward takes and frees the same blocks of some ten megabytes again and again. By default glibc returns such blocks to
the system at once, and a thread that is not the first gets an arena of its own that is returned piece by piece: each
forward would then have every page cleared anew (mallopt(3), "M_ARENA_MAX", "M_TRIM_THRESHOLD").
"""

from __future__ import annotations

import ctypes
import os

_KEPT = 128 << 20
_DOCUMENTED = 32 << 20
"""The most that mallopt(3) allows for a threshold; a glibc that allows no more refuses the second try."""
_SETTINGS = (
    ("MALLOC_ARENA_MAX", -8, 1),
    ("MALLOC_MMAP_THRESHOLD_", -3, _DOCUMENTED),
    ("MALLOC_MMAP_THRESHOLD_", -3, _KEPT),
    ("MALLOC_TRIM_THRESHOLD_", -1, _KEPT),
)


def keep() -> None:
    """To be called before there are threads. What the environment sets stays; does nothing without glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return
    for variable, number, value in _SETTINGS:
        if variable not in os.environ:
            mallopt(number, value)
