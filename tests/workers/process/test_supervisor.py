"""Real supervisors of real, small processes, which are observed through their output."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.process.devices import cuda_devices, share
from workers.process.supervisor import Backoff, worst

# A worker that prints the signals it gets. SIGTERM ends it with 0 if it is polite; SIGRTMIN, which is delivered after
# all others, ends it with the given status.
WORKER = """
import os, signal, sys
def say(*words):
    os.write(1, " ".join(map(str, words)).encode() + b"\\n")
orders = {{signal.SIGTERM, signal.SIGRTMIN, signal.SIGHUP}}
signal.pthread_sigmask(signal.SIG_BLOCK, orders)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
slot = int(sys.argv[-1])
polite = True
{more}
say("ready", os.getpid())
while True:
    order = signal.sigwait(orders)
    if order == signal.SIGRTMIN:
        os._exit({status})
    elif order == signal.SIGHUP:
        say("reloading")
    elif polite:
        say("leaving")
        os._exit(0)
    else:
        say("refusing")
"""


def worker(more: str = "", status: int = 70) -> str:
    return WORKER.format(more=more, status=status)


SUPERVISOR = """
import logging, sys
from workers.process.supervisor import Backoff, supervise
logging.basicConfig(level="INFO", stream=sys.stderr, format="supervisor: %(message)s")
sys.exit(supervise(
    lambda slot: [{program!r}, "-S", "-E", "-c", {code!r}, "--slot", str(slot)], {count},
    log=logging.getLogger(), backoff=lambda: Backoff(0.01, 0.04), **{settings},
))
"""


class Running:
    """A supervisor whose output, and that of its workers, is read line by line."""

    def __init__(self, code: str, program: str, count: int, **settings: object) -> None:
        code = SUPERVISOR.format(code=code, program=program, count=count, settings=settings)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def until(self, wanted: str, times: int = 1) -> list[str]:
        """Read until enough lines contain ``wanted`` and return these; fails if the supervisor ends first."""
        assert self.process.stdout is not None
        matching: list[str] = []
        while len(matching) < times:
            line = self.process.stdout.readline()
            assert line, f"ended without {wanted!r}: {self.lines}"
            self.lines.append(line.rstrip("\n"))
            if wanted in line:
                matching.append(self.lines[-1])
        return matching

    def ready(self, count: int) -> dict[int, int]:
        """Return slot -> process of the next workers that report they are ready."""
        words = [line.split() for line in self.until("] ready ", count)]
        return {int(slot.rstrip("]")): int(pid) for _, slot, _, pid in words}

    def end(self) -> int:
        """Return the exit status after reading all remaining lines into ``lines``."""
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait()


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Running] = []

    def start(code: str, program: str = sys.executable, count: int = 1, **settings: object) -> Running:
        started.append(Running(code, program, count, **{"devices": [], "grace": 60.0, **settings}))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            for process in psutil.Process(running.process.pid).children(recursive=True):
                process.kill()
            running.process.kill()
        running.process.wait()
        assert running.process.stdout is not None
        running.process.stdout.close()


def gone(pid: int) -> None:
    """Wait for the end of a process that is not our child; its new parent may be slow to notice."""
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_ends_every_worker_gracefully(start: Start, number: int) -> None:
    running = start(worker(), count=2)
    workers = running.ready(2)
    running.process.send_signal(number)
    assert running.end() == 0
    assert sorted(line for line in running.lines if "leaving" in line) == ["[slot 0] leaving", "[slot 1] leaving"]
    assert not any(map(psutil.pid_exists, workers.values()))


def test_a_second_signal_kills_at_once(start: Start) -> None:
    running = start(worker("polite = False"), count=2)
    workers = running.ready(2)
    running.process.send_signal(signal.SIGTERM)
    running.until("refusing", 2)
    running.process.send_signal(signal.SIGINT)
    assert running.end() == 130
    assert not any(map(psutil.pid_exists, workers.values()))


def test_a_worker_that_ignores_the_order_is_killed_after_the_grace(start: Start) -> None:
    running = start(worker("polite = False"), grace=0.05)
    running.ready(1)
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == 137
    assert any("slot 0: killed by signal 9" in line for line in running.lines)


def test_ctrl_c_at_a_terminal_reaches_the_supervisor_alone(start: Start) -> None:
    running = start(worker())
    running.ready(1)
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.end() == 0
    assert "[slot 0] leaving" in running.lines


def test_workers_go_on_when_nobody_reads_their_output(start: Start) -> None:
    running = start(worker(), count=2)
    workers = running.ready(2)
    assert running.process.stdout is not None
    running.process.stdout.close()
    running.process.send_signal(signal.SIGHUP)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait() == 0
    assert not any(map(psutil.pid_exists, workers.values()))


def test_a_worker_stopped_before_it_could_begin_ended_cleanly(start: Start) -> None:
    running = start("import os, signal; print('ready', os.getpid(), flush=True); signal.pause()")
    running.ready(1)
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == 0


def test_hang_up_goes_to_every_worker_and_ends_none(start: Start) -> None:
    running = start(worker(), count=2)
    running.ready(2)
    running.process.send_signal(signal.SIGHUP)
    assert sorted(running.until("reloading", 2)) == ["[slot 0] reloading", "[slot 1] reloading"]
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == 0
    assert not any("again in" in line for line in running.lines)


def test_a_hang_up_harms_no_worker_that_has_not_begun(start: Start) -> None:
    running = start("import os, signal; print('ready', os.getpid(), flush=True); signal.pause()")
    running.ready(1)
    running.process.send_signal(signal.SIGHUP)
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == 0
    assert not any("killed by signal 1 " in line for line in running.lines)


@pytest.mark.parametrize("ending", ["os._exit(69)", "os._exit(75)", "os._exit(1)", "os._exit(0)", "os.abort()"])
def test_a_worker_that_died_is_started_again_later_and_later(start: Start, ending: str) -> None:
    running = start(worker(ending))
    waits = [line.rpartition(" in ")[2] for line in running.until("starting it again", 4)]
    assert waits == ["0.01 s", "0.02 s", "0.04 s", "0.04 s"]


def test_a_worker_that_cannot_be_started_is_tried_again_later_and_later(start: Start) -> None:
    running = start(worker(), program="/nowhere/python")
    waits = [line.rpartition(" in ")[2] for line in running.until("starting it again", 4)]
    assert waits == ["0.01 s", "0.02 s", "0.04 s", "0.04 s"]


def test_only_the_worker_that_died_is_started_again(start: Start) -> None:
    running = start(worker(), count=2)
    before = running.ready(2)
    os.kill(before[1], signal.SIGKILL)
    ((slot, after),) = running.ready(1).items()
    assert slot == 1
    assert after != before[1]
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == 0
    assert [line for line in running.lines if "again in" in line] == [
        "supervisor: slot 1: killed by signal 9 (Killed); starting it again in 0.01 s"
    ]


@pytest.mark.parametrize("status", [2, 65, 66, 74, 76, 77, 78])
def test_what_no_restart_mends_stops_the_others_gracefully(start: Start, status: int) -> None:
    running = start(worker(status=status), count=2)
    os.kill(running.ready(2)[0], signal.SIGRTMIN)
    assert running.end() == status
    assert "[slot 1] leaving" in running.lines
    assert not any("again in" in line for line in running.lines)


def test_a_signal_while_the_others_are_stopping_is_no_second_one_for_them(start: Start) -> None:
    running = start(worker("polite = slot == 0", status=78), count=2)
    workers = running.ready(2)
    os.kill(workers[0], signal.SIGRTMIN)
    running.until("refusing")
    running.process.send_signal(signal.SIGTERM)
    running.until("send it again to kill them")
    running.process.send_signal(signal.SIGHUP)
    running.until("reloading")
    os.kill(workers[1], signal.SIGRTMIN)
    assert running.end() == 78
    assert sum("refusing" in line for line in running.lines) == 1


def test_no_worker_outlives_its_supervisor(start: Start) -> None:
    running = start(worker(), count=2)
    workers = running.ready(2)
    running.process.kill()
    for pid in workers.values():
        gone(pid)
    assert running.end() == -signal.SIGKILL


def test_what_a_worker_leaves_behind_is_ended_with_it(start: Start) -> None:
    running = start(worker("say('child', os.posix_spawn('/bin/sleep', ['sleep', '1000'], {}))"))
    (said,) = running.until("] child")
    running.ready(1)
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == 0
    gone(int(said.split()[-1]))


def test_a_line_is_never_mixed_with_another_workers(start: Start) -> None:
    code = """
import os, signal, sys
mark = sys.argv[-1].encode()
for length in range(1, 300):
    for part in (mark * length, b"\\n"):
        os.write(1 + length % 2, part)
os.write(1, b"done\\nno end")
signal.pause()
"""
    running = start(code, count=2)
    running.until("] done", 2)
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == 0
    others = [line for line in running.lines if not line.startswith("supervisor: ")]
    for slot in "01":
        expected = [*(slot * length for length in range(1, 300)), "done", "no end"]
        assert sorted(line for line in others if f"[slot {slot}]" in line) == sorted(
            f"[slot {slot}] {text}" for text in expected
        )
    assert len(others) == 2 * 301


def test_a_line_without_end_is_cut(start: Start) -> None:
    running = start("import os; [os.write(1, b'x' * 1000) for _ in range(1000)]; os._exit(78)")
    assert running.end() == 78
    pieces = [line.removeprefix("[slot 0] ") for line in running.lines if line.startswith("[slot 0] ")]
    assert len(pieces) > 1
    assert "".join(pieces) == "x" * 1_000_000


def test_workers_are_told_their_slot_and_device(start: Start) -> None:
    running = start(worker("say('on', os.environ['CUDA_VISIBLE_DEVICES'])"), count=3, first=4, devices=["5", "7"])
    assert sorted(running.until("] on ", 3)) == [
        "[slot 4] on 5",
        "[slot 5] on 7",
        "[slot 6] on 5",
    ]


def test_cores_are_divided_where_there_is_no_device() -> None:
    cores = len(os.sched_getaffinity(0))
    assert share(0, 1, [], {"A": "b"}) == {"A": "b", "OMP_NUM_THREADS": str(cores)}
    assert share(1, 10 * cores, [], {}) == {"OMP_NUM_THREADS": "1"}
    assert share(0, 1, [], {"OMP_NUM_THREADS": "77"}) == {"OMP_NUM_THREADS": "77"}
    assert share(0, 2, ["0"], {"A": "b"}) == {"A": "b", "CUDA_VISIBLE_DEVICES": "0"}


# As the driver prints it: one whole GPU, and one divided into two instances.
LISTING = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-2b2c5d5b-d33d-a0d6-524d-8a779e3d8d2b)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 3g.20gb     Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
"""


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake nvidia-smi, the only program on the path."""
    (tmp_path / "listing").write_text(LISTING)
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\n[ "$1" = -L ] && exec /bin/cat {tmp_path}/listing\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return program


def test_devices_are_what_the_driver_lists_with_instances_in_place_of_their_gpu(driver: Path) -> None:
    assert cuda_devices() == [
        "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77",
        "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f",
        "MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb",
    ]


@pytest.mark.parametrize(("chosen", "devices"), [("", []), ("-1", []), ("3, 1", ["3", "1"]), ("GPU-5d", ["GPU-5d"])])
def test_devices_chosen_already_are_the_devices(
    driver: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, devices: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert cuda_devices() == devices


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="this machine has a GPU")
def test_no_driver_no_devices(driver: Path) -> None:
    driver.write_text("#!/bin/sh\nexit 9\n")
    assert cuda_devices() == []
    driver.unlink()
    assert cuda_devices() == []


def test_the_wait_doubles_up_to_the_longest_and_begins_anew_after_a_quiet_time() -> None:
    backoff = Backoff()
    assert [backoff.after(lived) for lived in [0, 299] + [0] * 6] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [backoff.after(lived) for lived in (300, 1, 1)] == [1, 2, 4]


@given(st.lists(st.integers(0, 255), min_size=1))
def test_the_worst_status_is_one_that_needs_a_person(statuses: list[int]) -> None:
    status = worst(statuses)
    assert status in statuses
    if persons := {2, 65, 66, 74, 76, 77, 78}.intersection(statuses):
        assert status in persons
    else:
        assert status == max(statuses)


def test_lost_events_are_worse_than_a_wrong_file() -> None:
    assert worst([0, 137, 2, 66, 78, 74]) == 74
    assert worst([0, 71, 2, 66, 78]) == 78


def test_this_program_is_started_as_it_was_started() -> None:
    code = "import sys, workers.process.supervisor as s; print('\\n'.join(s.again(['run', 'a.yaml'])(3)))"
    command = [sys.executable, "-X", "utf8", "-c", code]
    said = subprocess.run([*command, "run", "x", "--workers", "4"], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [*command, "run", "a.yaml", "--slot", "3"]


def test_the_supervisor_needs_no_torch() -> None:
    code = "import sys, workers.process.supervisor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
