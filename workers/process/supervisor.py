"""Several workers on one machine: starts them, passes signals and output on, starts again what died.

One thread, one loop: signals, ended workers and output all arrive at one selector. torch is never imported here.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from schemas.errors import OffsetError, every_error

NEEDS_PERSON = frozenset({2, *(kind.exit_status for kind in every_error() if not kind.restart)})
"""Exit statuses after which a restart cannot help; 2 is a wrong command line."""

_SET_PDEATHSIG = 1  # linux/prctl.h
_Command = Callable[[int], Sequence[str]]
_LONGEST_LINE = 1 << 16
_LAST_WAIT = 5.0  # seconds between SIGKILL and giving up on a process the kernel does not let go

# Opened before any fork: a child between fork and exec should do as little as possible.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Backoff:
    """Seconds until the next start: ``first``, doubled up to ``longest``; anew after a life of ``quiet`` seconds."""

    def __init__(self, first: float = 1.0, longest: float = 60.0, quiet: float = 300.0) -> None:
        self._first, self._longest, self._quiet = first, longest, quiet
        self._next = first

    def after(self, lived: float) -> float:
        """The wait after a worker that lived so many seconds."""
        wait = self._first if lived >= self._quiet else self._next
        self._next = min(2 * wait, self._longest)
        return wait


def worst(statuses: Sequence[int]) -> int:
    """Return the status that matters most: lost events, then any that needs a person, then the highest."""
    return max(statuses, key=lambda status: (status == OffsetError.exit_status, status in NEEDS_PERSON, status))


def again(arguments: Sequence[str]) -> Callable[[int], list[str]]:
    """A command for ``supervise``: this program, started as it was started, with ``arguments`` and ``--slot``."""
    program = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv[1:])]
    return lambda slot: [sys.executable, *program, *arguments, "--slot", str(slot)]


def cuda_devices() -> list[str]:
    """The devices a worker would see, as CUDA_VISIBLE_DEVICES names them; empty without a GPU.

    A CUDA_VISIBLE_DEVICES that is set already is the whole list. A GPU cut into MIG instances counts as these.
    """
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name for name in map(str.strip, chosen.split(",")) if name not in ("", "-1")]
    try:
        query = ("nvidia-smi", "-L")
        listing = subprocess.check_output(query, stderr=subprocess.DEVNULL, text=True, timeout=30)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        with contextlib.suppress(OSError):
            return [str(index) for index, _ in enumerate(Path("/proc/driver/nvidia/gpus").iterdir())]
        return []
    # MIG instances stand indented below their GPU, and are used in its place.
    return re.findall(r"UUID: (MIG-[^)]+|GPU-[^)]+(?=\)(?!\n +MIG)))", listing)


def share(place: int, count: int, devices: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of worker ``place`` of ``count``: one of the devices, or else its share of the cores.

    OMP_NUM_THREADS stays as it is where it is set; ``compute.threads`` wins over it in the worker itself.
    """
    if devices:
        return {**environment, "CUDA_VISIBLE_DEVICES": devices[place % len(devices)]}
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return {"OMP_NUM_THREADS": str(max(1, cores // count)), **environment}


def supervise(
    command: _Command,
    count: int,
    *,
    devices: Sequence[str],
    log: logging.Logger,
    grace: float = 45.0,
    first: int = 0,
    prefixed: bool = True,
    backoff: Callable[[], Backoff] = Backoff,
) -> int:
    """Runs ``command(slot)`` for ``count`` slots from ``first`` on until told to stop; returns the exit status.

    - A worker that ends unasked, even with status 0, is started again after its ``backoff``; if its status is in
      ``NEEDS_PERSON``, all the others are stopped gracefully instead.
    - The first SIGTERM or SIGINT passes SIGTERM on to each; what has not ended ``grace`` seconds later (the drain
      timeout and some) is killed. The second kills all at once. SIGHUP is passed on.
    - Output passes line by line, each with its slot in front if ``prefixed``.
    - If the supervisor itself dies, Linux sends SIGTERM to its workers (prctl(2), PR_SET_PDEATHSIG).

    Returns 128 + the number of a second signal; else the ``worst`` of the slots' last statuses, where death by a
    signal counts as 128 + its number, and death by our SIGTERM (the worker had not begun yet) as 0. Must be called
    on the main thread of a process that has no other.
    """
    slots = [
        _Slot(first + place, share(place, count, devices, os.environ), backoff(), log, prefixed)
        for place in range(count)
    ]
    return _Supervisor(command, slots, log, grace).run()


class _Lines:
    """Copies a pipe to a descriptor of ours in whole lines; too long ones are cut."""

    def __init__(self, pipe: IO[bytes], target: int, prefix: str) -> None:
        self.pipe, self._target, self._prefix = pipe, target, prefix.encode()
        self._rest = b""
        os.set_blocking(pipe.fileno(), False)

    def copy(self) -> int | None:
        """Copies what is there. Returns how much that was: None when there was nothing, 0 at the end."""
        try:
            got = os.read(self.pipe.fileno(), _LONGEST_LINE)
        except BlockingIOError:
            return None
        *lines, self._rest = (self._rest + got).split(b"\n")
        if len(self._rest) >= _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        self._write(lines)
        return len(got)

    def close(self) -> None:
        while self.copy():
            pass
        self._write([self._rest] if self._rest else [])
        self.pipe.close()

    def _write(self, lines: Sequence[bytes]) -> None:
        data = b"".join(self._prefix + line + b"\n" for line in lines)
        with contextlib.suppress(OSError):  # nobody reads our output any more: the workers go on without
            while data:
                data = data[os.write(self._target, data) :]


class _Slot:
    """One worker at a time, and when the next one is ``due``; ``status`` is the last one's, for a shell."""

    def __init__(
        self, number: int, environment: Mapping[str, str], backoff: Backoff, log: logging.Logger, prefixed: bool
    ) -> None:
        self._prefix = f"[slot {number}] " if prefixed else ""
        self.number, self._environment, self._backoff, self._log = number, environment, backoff, log
        self.process: subprocess.Popen[bytes] | None = None
        self.due: float | None = time.monotonic()
        self.status, self._started = 0, 0.0
        self._outputs: list[_Lines] = []

    def start(self, command: Sequence[str], selector: selectors.BaseSelector) -> None:
        """Leaves ``process`` None, and the slot due again, where the system has no room for one."""
        self._started, self.due = time.monotonic(), None
        parent = os.getpid()

        def prepare() -> None:
            # Before the worker has its own handler, a SIGHUP would end it.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            if _libc is not None:
                _libc.prctl(_SET_PDEATHSIG, signal.SIGTERM)
                if os.getppid() != parent:  # it died before it could be watched
                    os._exit(143)

        try:
            # A process group of its own: Ctrl-C at a terminal would reach the worker twice, and twice means at once.
            self.process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                env=self._environment, process_group=0, preexec_fn=prepare,  # noqa: PLW1509 - there are no threads
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            self.status = 71
            self._again(f"cannot be started ({type(error).__name__})")
            return
        self._outputs = []
        for pipe, target in ((self.process.stdout, 1), (self.process.stderr, 2)):
            assert pipe is not None
            self._outputs.append(_Lines(pipe, target, self._prefix))
            selector.register(pipe, selectors.EVENT_READ, self._outputs[-1])
        device = self._environment.get("CUDA_VISIBLE_DEVICES")
        self._log.info("slot %d: process %d%s", self.number, self.process.pid, f" on {device}" if device else "")

    def reap(self, selector: selectors.BaseSelector, stopping: bool) -> bool:
        """Whether the worker has just ended; then it has a ``status``, and is due again unless ``stopping``."""
        if self.process is None or (code := self.process.poll()) is None:
            return False
        self.send(signal.SIGKILL)  # to what it may have left behind
        self.process = None
        for lines in self._outputs:
            with contextlib.suppress(KeyError):  # was at its end before
                selector.unregister(lines.pipe)
            lines.close()
        self.status = 128 - code if code < 0 else code
        how = f"killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"ended with status {code}"
        if stopping:
            self._log.info("slot %d: %s", self.number, how)
            if code == -signal.SIGTERM:
                self.status = 0
        elif code in NEEDS_PERSON:
            self._log.error("slot %d: %s, which no restart mends: stopping the others", self.number, how)
        else:
            self._again(how)
        return True

    def _again(self, how: str) -> None:
        wait = self._backoff.after(time.monotonic() - self._started)
        self.due = time.monotonic() + wait
        self._log.warning("slot %d: %s; starting it again in %g s", self.number, how, wait)

    def send(self, number: int) -> None:
        """SIGKILL goes to the worker's whole group, others to the worker, which looks after its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.process is not None:
                (os.killpg if number == signal.SIGKILL else os.kill)(self.process.pid, number)


class _Supervisor:
    def __init__(self, command: _Command, slots: list[_Slot], log: logging.Logger, grace: float) -> None:
        self._command, self._slots, self._log, self._grace = command, slots, log, grace
        self._arrived: list[int] = []
        self._deadline: float | None = None  # set once all are stopping
        self._asked, self._killed, self._at_once = False, False, 0

    def run(self) -> int:
        wake, poke = socket.socketpair()
        poke.setblocking(False)
        with wake, poke, selectors.DefaultSelector() as selector, contextlib.ExitStack() as undo:
            selector.register(wake, selectors.EVENT_READ)
            undo.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(poke.fileno(), warn_on_full_buffer=False))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                # The numbers are not read from the socket: a child just forked could write there, too.
                undo.callback(signal.signal, number, signal.signal(number, lambda n, _: self._arrived.append(n)))
            undo.callback(self._send, signal.SIGKILL)
            while self._deadline is None or any(slot.process for slot in self._slots):
                self._turn(selector, wake)
                if self._deadline is None or time.monotonic() < self._deadline:
                    continue
                if self._killed:
                    break
                self._log.error("%g s are over: killing what has not ended", self._grace)
                self._kill()
        return self._at_once or worst([137 if slot.process else slot.status for slot in self._slots])

    def _turn(self, selector: selectors.BaseSelector, wake: socket.socket) -> None:
        """Starts what is due, waits for something to happen, and handles it."""
        times = [self._deadline]
        if self._deadline is None:
            for slot in self._slots:
                if slot.due is not None and slot.due <= time.monotonic():
                    slot.start(self._command(slot.number), selector)
            times = [slot.due for slot in self._slots]
        soonest = min((at for at in times if at is not None), default=None)
        for key, _ in selector.select(None if soonest is None else max(0.0, soonest - time.monotonic())):
            if key.fileobj is wake:
                wake.recv(4096)
            elif key.data.copy() == 0:
                selector.unregister(key.fileobj)
        while self._arrived:
            self._handle(self._arrived.pop(0))
        for slot in self._slots:
            if slot.reap(selector, self._deadline is not None) and slot.status in NEEDS_PERSON:
                self._stop()

    def _handle(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._send(number)
        elif number in (signal.SIGTERM, signal.SIGINT):
            name = signal.Signals(number).name
            if self._asked:
                self._log.warning("%s again: killing all workers", name)
                self._at_once = 128 + number
                self._kill()
            else:
                self._log.info("%s: stopping all workers; once more to kill them", name)
                self._asked = True
                self._stop()

    def _stop(self) -> None:
        """Does something the first time only: a worker would take a second SIGTERM for an order to leave at once."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._grace
            self._send(signal.SIGTERM)

    def _kill(self) -> None:
        self._killed, self._deadline = True, time.monotonic() + _LAST_WAIT
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        for slot in self._slots:
            slot.send(number)
