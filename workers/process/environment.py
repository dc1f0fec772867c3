"""Settings of the whole process that must be made before torch is imported."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from schemas.errors import SettingError
from workers.process import memory
from workers.process.cores import usable_cores

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only used for files that tempfile makes
"""A folder in memory that Linux, and containers with a read-only root, usually have."""


def prepare_process() -> None:
    """Set up OpenMP and the allocator for forwards that share their cores with other work.

    For entry points only: it changes an environment variable and the C library's allocator, which belong to the
    program, not to a library. Call it once, before torch is imported and before threads are started. Settings that
    the environment already makes are kept.

    Raises SettingError if there is no folder for temporary files.
    """
    # OpenMP's threads sleep while they wait for each other instead of spinning. Beside a broker, or our own threads,
    # spinning can halve the speed of the forwards; on idle cores, sleeping costs about a tenth. libgomp reads the
    # variable once, when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A container with a CPU quota sees all cores of the machine. Threads on all of them would use the quota up at once.
    if (cores := usable_cores()) < (os.cpu_count() or 1):
        os.environ.setdefault("OMP_NUM_THREADS", str(cores))
    memory.keep()
    use_temporary_folder(SHARED_MEMORY)


def use_temporary_folder(spare: Path) -> None:
    """Use ``spare`` for temporary files if none of the usual folders can be written.

    torch and other libraries need such a folder when they are imported, and fail without one: in a container with a
    read-only root, say, that has a tmpfs at ``/dev/shm`` but none at ``/tmp``.

    Raises SettingError if ``spare`` cannot be written either.
    """
    try:
        tempfile.gettempdir()
        return
    except FileNotFoundError:
        pass
    try:
        with tempfile.TemporaryFile(dir=spare):
            pass
    except OSError:
        raise SettingError(
            "no folder can be written for temporary files, which libraries need: mount one at /tmp (for a container, "
            "--tmpfs /tmp), or let the environment variable TMPDIR name one"
        ) from None
    os.environ["TMPDIR"] = tempfile.tempdir = str(spare)
