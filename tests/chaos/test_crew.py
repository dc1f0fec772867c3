"""What the crew does to a process takes effect: on its clock, memory and standard error. No broker is needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import clock
from tests.chaos.crew import UNFINISHED, Crew
from tests.chaos.node import java_hash

HUNGRY = """
import sys
print("up", flush=True)
for line in sys.stdin:
    try:
        print(len(bytearray(int(line))), flush=True)
    except MemoryError:
        print("none", flush=True)
"""


def child(program: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip


def ask(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


@pytest.fixture
def crew(tmp_path: Path) -> Crew:
    return Crew({}, 0.0, tmp_path, None, 0.0)


def test_a_starved_process_gets_no_memory_until_it_is_fed(crew: Crew) -> None:
    with child(HUNGRY) as process:
        member: Any = process
        crew.members[0] = member
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        assert ask(process, "9000000") == "9000000"
        feed = crew.starve(0)
        assert ask(process, "9000000") == "none"
        feed()
        assert ask(process, "9000000") == "9000000"
        process.communicate()
        feed()  # for a process that has ended


@pytest.mark.skipif(clock.library() is None, reason="libfaketime is not installed")
def test_a_clock_jumps_for_its_process_alone_and_only_the_wall_clock(tmp_path: Path) -> None:
    program = """
import sys, time
from tests.chaos import clock
clock.mend_sleep()
for line in sys.stdin:
    time.sleep(0.01)
    print(round(time.time()), round(time.monotonic()), flush=True)
"""
    file = tmp_path / "clock"
    with child(program, **clock.environment(file)) as process:

        def offsets() -> tuple[float, float]:
            wall, monotonic = map(int, ask(process, "").split())
            return wall - time.time(), monotonic - time.monotonic()

        for seconds in (0, 3600, -3600):
            clock.set_clock(file, seconds)
            deadline = time.monotonic() + 30
            while abs(offsets()[0] - seconds) > 60:
                assert time.monotonic() < deadline, "it never jumped"
                time.sleep(0.1)
            assert abs(offsets()[1]) < 60
        process.kill()
    clock.forget(process.pid)
    assert not [left for left in Path("/dev/shm").iterdir() if left.name.endswith(f"_{process.pid}")]


STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


def test_who_does_not_leave_in_time_is_counted_and_killed(tmp_path: Path) -> None:
    crew = Crew({}, 0.0, tmp_path, None, 0.0, within=0.5)
    with child(STUBBORN) as process:
        member: Any = process
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        crew.members[0] = member
        crew.stop(0)
        crew.send(0, signal.SIGSTOP)
        time.sleep(0.6)
        crew.look_after()
        assert crew.overdue == 0, "who is frozen cannot leave"
        crew.send(0, signal.SIGCONT)
        crew.look_after()
        assert crew.overdue == 0, "it was given no time"
        crew.dismiss()
    assert crew.overdue == 1
    assert crew.left_after == []


def test_what_is_logged_while_the_disk_is_full_reaches_the_harness_once(crew: Crew, tmp_path: Path) -> None:
    program = """
import logging, sys
from tests.chaos.member import StandardError
logging.basicConfig(level="INFO", stream=sys.stderr, format="%(message)s")
error = StandardError()
for number, what in enumerate(("free", "full", "full", "free", "full")):
    error.be(what)
    logging.info("lost %d", number)
error.be("free")
"""
    log = tmp_path / "member-001-slot-0.log"
    with log.open("w") as stderr:
        subprocess.run([sys.executable, "-c", program], stderr=stderr, check=True, timeout=60)
    assert all(f"lost {number}" in log.read_text() for number in range(5))
    assert UNFINISHED[0] == "lost "
    assert crew.disruptions() == 5


def test_a_transaction_is_kept_where_java_says() -> None:
    # From java.lang.String's documentation: s[0]*31^(n-1) + ... in 32 bits.
    assert [java_hash(text) for text in ("", "a", "ab", "polygenelubricants")] == [0, 97, 3105, -(2**31)]
