"""Gives a process its own wall clock, which can jump. It uses libfaketime, if that is installed.

The library sits between the process and the C library, so Python and librdkafka see the same time. The monotonic clock
is not changed, just as when an administrator or NTP sets a machine's clock.

The library does not handle cnd_timedwait(3), with which librdkafka waits, always by the wall clock. If the clock is
ahead, a wait that nothing ends early lasts that much longer, as it does when a real clock is set back during a wait
(librdkafka issue 2145). If it is behind, waits end at once.
"""

from __future__ import annotations

import os
import select
import time
from pathlib import Path


def library() -> Path | None:
    """Return the path of Debian's libfaketime for programs with threads, or None."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return libraries[0] if libraries else None


def environment(file: Path) -> dict[str, str]:
    """Return the variables that let ``set_clock`` set a new process's clock; empty without the library."""
    if (preloaded := library()) is None:
        return {}
    set_clock(file, 0)
    return {
        "LD_PRELOAD": " ".join(filter(None, (str(preloaded), os.environ.get("LD_PRELOAD")))),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",  # seconds until a jump is seen
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def mend_sleep() -> None:
    """Call this in such a process: the library rejects clock_nanosleep(2), which ``time.sleep`` uses on Linux."""
    if "FAKETIME_TIMESTAMP_FILE" in os.environ:
        time.sleep = lambda seconds: select.select((), (), (), float(seconds)) and None


def set_clock(file: Path, seconds: int) -> None:
    """Set the clocks of the processes that read ``file`` to ``seconds`` ahead of the true time (negative: behind)."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+d}\n")
    new.replace(file)


def forget(process: int) -> None:
    """Remove what the library leaves in shared memory when its process is killed."""
    for name in (f"faketime_shm_{process}", f"sem.faketime_sem_{process}"):
        Path("/dev/shm", name).unlink(missing_ok=True)
