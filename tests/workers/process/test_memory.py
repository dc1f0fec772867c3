"""Freed memory is kept: using a large block again costs no new pages."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PREPARED = "from workers.process.environment import prepare_process; prepare_process()"
PROGRAM = """
import resource, threading
{first}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def use(taken):
    for _ in range(10):
        before = faults()
        blocks = [bytearray(40 << 20), bytearray(20 << 20)]
        del blocks
        taken.append(faults() - before)
first, other = [], []
use(first)
thread = threading.Thread(target=use, args=(other,))
thread.start()
thread.join()
print(sum(first[5:]), sum(other[5:]))
"""


def faults(first: str, **environment: str) -> list[int]:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first)], env=os.environ | environment, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return list(map(int, run.stdout.split()))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is set up")
def test_blocks_of_a_forward_are_kept_by_every_thread() -> None:
    pages = 5 * (60 << 20) // 4096
    assert max(faults(PREPARED)) < pages / 100
    assert max(faults("import workers")) > pages / 4, "this C library keeps them anyway"


@pytest.mark.parametrize(
    "environment",
    [
        {"MALLOC_TRIM_THRESHOLD_": "100000", "MALLOC_MMAP_THRESHOLD_": "100000"},
        {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=100000:glibc.malloc.mmap_threshold=100000"},
    ],
    ids=["variables", "tunables"],
)
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is set up")
def test_what_the_environment_sets_stays(environment: dict[str, str]) -> None:
    assert min(faults(PREPARED, **environment)) > 5 * (60 << 20) // 4096 / 4
