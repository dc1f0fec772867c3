"""Settings of the whole process that must be made before torch is imported."""

from __future__ import annotations

import os

from workers.process import memory


def prepare_process() -> None:
    """Set up OpenMP and the allocator for forwards that share their cores with other work.

    For entry points only: it changes an environment variable and the C library's allocator, which belong to the
    program, not to a library. Call it once, before torch is imported and before threads are started. Settings that
    the environment already makes are kept.
    """
    # OpenMP's threads sleep while they wait for each other instead of spinning. Beside a broker, or our own threads,
    # spinning can halve the speed of the forwards; on idle cores, sleeping costs about a tenth. libgomp reads the
    # variable once, when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    memory.keep()
