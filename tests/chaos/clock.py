"""A wall clock of a process's own, which can jump: libfaketime, where it is installed.

It stands between the process and the C library, so Python and librdkafka see the same time. The monotonic clock goes
on as it is, as it does when an administrator or NTP sets a machine's clock.

It does not know cnd_timedwait(3), by which librdkafka waits, and always by the wall clock. Where the clock is ahead, a
wait that nothing ends early lasts so much longer: that is what setting a true clock back does to a wait that has begun
(librdkafka issue 2145). Where it is behind, waits end at once.
"""

from __future__ import annotations

import os
import select
import time
from pathlib import Path


def library() -> Path | None:
    """Debian's libfaketime, of the kind for programs with threads."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


def environment(file: Path) -> dict[str, str]:
    """What lets ``set_clock`` set the clock of a process that is started with it; empty without the library."""
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
    """To be called in such a process: the library refuses clock_nanosleep(2), which ``time.sleep`` is on Linux."""
    if "FAKETIME_TIMESTAMP_FILE" in os.environ:
        time.sleep = lambda seconds: select.select((), (), (), float(seconds)) and None


def set_clock(file: Path, seconds: int) -> None:
    """So far ahead of the true time, or behind it, are the processes that look at ``file``."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+d}\n")
    new.replace(file)


def forget(process: int) -> None:
    """Takes away what the library leaves in shared memory when its process is killed."""
    for name in (f"faketime_shm_{process}", f"sem.faketime_sem_{process}"):
        Path("/dev/shm", name).unlink(missing_ok=True)
