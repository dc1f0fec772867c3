"""Settings of the whole process that must be made before torch is imported."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from schemas.errors import SettingError
from workers.process import memory
from workers.process.cores import usable_cores


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
    use_temporary_folder(_spare_folders())


def use_temporary_folder(spares: Iterable[Path]) -> None:
    """Use the first of ``spares`` that can be written for temporary files, if none of the usual folders can be.

    torch and other libraries need such a folder when they are imported, and fail without one: in a container with a
    read-only root, say, that has no tmpfs at ``/tmp``.

    Raises SettingError if none of ``spares`` can be written either.
    """
    try:
        tempfile.gettempdir()
        return
    except FileNotFoundError:
        pass
    for spare in spares:
        try:
            spare.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=spare):
                pass
        except OSError:
            continue
        os.environ["TMPDIR"] = tempfile.tempdir = str(spare)
        return
    raise SettingError(
        "no folder can be written for temporary files, which libraries need: mount one at /tmp (for a container, "
        "--tmpfs /tmp), or let the environment variable TMPDIR name one"
    )


def _spare_folders() -> list[Path]:
    """Return where temporary files may be in a container with a read-only root: the state folder, or shared memory.

    Shared memory comes last, because it usually has only 64 MiB there.
    """
    state = os.environ.get("GLOSSATOR_STATE")
    return [*([Path(state) / "tmp"] if state else []), Path("/dev/shm")]  # noqa: S108 - tempfile makes the files
