"""Make the C library keep freed memory for the next forward, and Python's garbage collector work less.

A forward allocates and frees the same blocks of tens of megabytes again and again. By default glibc returns such blocks
to the system at once, and gives every thread but the first an arena that shrinks as soon as its end is free: the kernel
would clear every page anew for each forward (mallopt(3), "M_ARENA_MAX", "M_TRIM_THRESHOLD").
"""

from __future__ import annotations

import ctypes
import gc
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
_USUAL = gc.get_threshold()
_YOUNG = 50_000
"""How many more objects are made than freed before the collector looks for cycles among them. Python's own number is
hundreds, but thousands of events in flight have no cycles, and looking at them took 7 % of the time without a model."""


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


def collect_rarely() -> None:
    """Let the garbage collector leave alone what is in memory now, and look for new cycles rarely.

    Call it when the models are loaded: they live as long as the process, as modules do.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG)


def collect_as_usual() -> None:
    """Undo ``collect_rarely``; otherwise libraries report leaks at exit."""
    gc.unfreeze()
    gc.set_threshold(*_USUAL)
