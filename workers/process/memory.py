"""Make the C library keep freed memory for the next forward instead of returning it to the system.

A forward allocates and frees the same blocks of tens of megabytes again and again. By default glibc returns such blocks
to the system at once, and gives every thread but the first an arena that shrinks as soon as its end is free: the kernel
would clear every page anew for each forward (mallopt(3), "M_ARENA_MAX", "M_TRIM_THRESHOLD").
"""

from __future__ import annotations

import ctypes
import os

_KEPT = 128 << 20
_DOCUMENTED = 32 << 20
"""The largest threshold that mallopt(3) documents; it stays in effect where glibc refuses a larger one."""
_SETTINGS = (
    ("MALLOC_ARENA_MAX", -8, 1),
    ("MALLOC_MMAP_THRESHOLD_", -3, _DOCUMENTED),
    ("MALLOC_MMAP_THRESHOLD_", -3, _KEPT),
    ("MALLOC_TRIM_THRESHOLD_", -1, _KEPT),
)


def keep() -> None:
    """Set glibc's allocator to keep up to 128 MiB in one arena.

    Call it before threads are started. Settings made by the environment are kept; without glibc this does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return
    for variable, number, value in _SETTINGS:
        if variable not in os.environ:
            mallopt(number, value)
