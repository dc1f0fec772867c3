"""Runs several workers on one machine: starts them, forwards signals and output, and restarts those that died.

One thread runs one loop: signals, ended workers and output all arrive at one selector. torch is never imported here.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from schemas.errors import OffsetError, every_error
from workers.process.devices import share

NEEDS_PERSON = frozenset({2, *(kind.exit_status for kind in every_error() if not kind.restart)})
"""Exit statuses after which a restart cannot help; 2 is a wrong command line."""

_SET_PDEATHSIG = 1  # linux/prctl.h
_Command = Callable[[int], Sequence[str]]
_LONGEST_LINE = 1 << 16
"""Bytes of output after which a line is cut."""
_LAST_WAIT = 5.0
"""Seconds between SIGKILL and giving up on a process that the kernel does not end."""

# Loaded before any fork, because a child should do as little as possible between fork and exec.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Backoff:
    """How long to wait before a worker is started again.

    The wait is ``first`` seconds, doubled each time up to ``longest``. It is ``first`` again after a worker that lived
    for ``quiet`` seconds.
    """

    def __init__(self, first: float = 1.0, longest: float = 60.0, quiet: float = 300.0) -> None:
        self._first, self._longest, self._quiet = first, longest, quiet
        self._next = first

    def after(self, lived: float) -> float:
        """Return the seconds to wait after a worker that lived for ``lived`` seconds."""
        wait = self._first if lived >= self._quiet else self._next
        self._next = min(2 * wait, self._longest)
        return wait


def worst(statuses: Sequence[int]) -> int:
    """Return the one of ``statuses`` that the supervisor ends with.

    First 74, because events are missing from the log, then any that no restart can help with, then the highest number.
    Raises ValueError if there are none.
    """
    return max(statuses, key=lambda status: (status == OffsetError.exit_status, status in NEEDS_PERSON, status))


def again(arguments: Sequence[str]) -> Callable[[int], list[str]]:
    """Return a command for ``supervise``: this program as it was started, with ``arguments`` and ``--slot``."""
    program = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv[1:])]
    return lambda slot: [sys.executable, *program, *arguments, "--slot", str(slot)]


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
    """Run ``command(slot)`` for ``count`` slots until told to stop; return the exit status.

    - A worker that ends without being asked to, even with status 0, is started again after its ``backoff``. If its
      status is in ``NEEDS_PERSON``, all the others are stopped gracefully instead.
    - The first SIGTERM or SIGINT sends SIGTERM to each worker; those that have not ended ``grace`` seconds later are
      killed. The second kills all of them immediately. SIGHUP is forwarded.
    - Output is copied line by line.
    - If the supervisor itself dies, Linux sends SIGTERM to its workers (prctl(2), PR_SET_PDEATHSIG).

    Call it on the main thread of a process that has no other thread.

    Args:
        command: Makes the command line of the worker of a slot.
        count: The number of workers.
        devices: CUDA devices, given to the workers in turn; empty to share the cores instead.
        log: Where starts and ends are logged.
        grace: Seconds that workers have to end: the drain timeout and some more.
        first: The first slot.
        prefixed: Whether lines of output begin with their slot.
        backoff: Makes the waits of one slot.

    Returns:
        128 + the number of a second signal; otherwise the ``worst`` of the slots' last statuses. A worker that was
        killed by a signal counts as 128 + its number, and one ended by our SIGTERM before it handled signals as 0.
    """
    slots = [
        _Slot(first + place, share(place, count, devices, os.environ), backoff(), log, prefixed)
        for place in range(count)
    ]
    return _Supervisor(command, slots, log, grace).run()


class _Lines:
    """Copies a pipe to one of our file descriptors in whole lines; lines that are too long are cut."""

    def __init__(self, pipe: IO[bytes], target: int, prefix: str) -> None:
        self.pipe, self._target, self._prefix = pipe, target, prefix.encode()
        self._rest = b""
        os.set_blocking(pipe.fileno(), False)

    def copy(self) -> int | None:
        """Copy what is available; return the number of bytes, None if there were none, or 0 at the end."""
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
        with contextlib.suppress(OSError):  # our output is closed, and the workers continue without it
            while data:
                data = data[os.write(self._target, data) :]


class _Slot:
    """Runs one worker at a time.

    Attributes:
        due: When to start the next worker, on the monotonic clock; None while one runs or none shall.
        status: The exit status of the last worker, as a shell would give it.
    """

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
        """Start a worker. If the system cannot, ``process`` stays None and the slot is due again later."""
        self._started, self.due = time.monotonic(), None
        parent = os.getpid()

        def prepare() -> None:
            # Until the worker installs its handler, a SIGHUP would end it.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            if _libc is not None:
                _libc.prctl(_SET_PDEATHSIG, signal.SIGTERM)
                if os.getppid() != parent:  # the supervisor died before prctl took effect
                    os._exit(128 + signal.SIGTERM)

        try:
            # Its own process group, because Ctrl-C at a terminal would otherwise reach the worker directly and through
            # us, and the second signal means immediately.
            self.process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                env=self._environment, process_group=0, preexec_fn=prepare,  # noqa: PLW1509 - there are no threads
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            self.status = os.EX_OSERR
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
        """Return whether the worker has just ended; then ``status`` is set, and it is due again unless ``stopping``."""
        if self.process is None or (code := self.process.poll()) is None:
            return False
        self.send(signal.SIGKILL)  # for processes it may have left behind
        self.process = None
        for lines in self._outputs:
            with contextlib.suppress(KeyError):  # already at its end
                selector.unregister(lines.pipe)
            lines.close()
        self.status = 128 - code if code < 0 else code
        how = f"killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"ended with status {code}"
        if stopping:
            self._log.info("slot %d: %s", self.number, how)
            if code == -signal.SIGTERM:
                self.status = 0
        elif code in NEEDS_PERSON:
            self._log.error("slot %d: %s, which a restart cannot fix: stopping the others", self.number, how)
        else:
            self._again(how)
        return True

    def _again(self, how: str) -> None:
        wait = self._backoff.after(time.monotonic() - self._started)
        self.due = time.monotonic() + wait
        self._log.warning("slot %d: %s; starting it again in %g s", self.number, how, wait)

    def send(self, number: int) -> None:
        """Send SIGKILL to the worker's whole process group, any other signal to the worker alone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.process is not None:
                (os.killpg if number == signal.SIGKILL else os.kill)(self.process.pid, number)


class _Supervisor:
    """Watches the slots on one selector until all have ended."""

    def __init__(self, command: _Command, slots: list[_Slot], log: logging.Logger, grace: float) -> None:
        self._command, self._slots, self._log, self._grace = command, slots, log, grace
        self._arrived: list[int] = []
        self._deadline: float | None = None  # on the monotonic clock; set when all are stopping
        self._asked, self._killed, self._at_once = False, False, 0

    def run(self) -> int:
        wake, poke = socket.socketpair()
        poke.setblocking(False)
        with wake, poke, selectors.DefaultSelector() as selector, contextlib.ExitStack() as undo:
            selector.register(wake, selectors.EVENT_READ)
            undo.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(poke.fileno(), warn_on_full_buffer=False))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                # The numbers are not read from the socket, because a child that was just forked may write to it, too.
                undo.callback(signal.signal, number, signal.signal(number, lambda n, _: self._arrived.append(n)))
            undo.callback(self._send, signal.SIGKILL)
            while self._deadline is None or any(slot.process for slot in self._slots):
                self._turn(selector, wake)
                if self._deadline is None or time.monotonic() < self._deadline:
                    continue
                if self._killed:
                    break
                self._log.error("killing the workers that have not ended within %g s", self._grace)
                self._kill()
        return self._at_once or worst([137 if slot.process else slot.status for slot in self._slots])

    def _turn(self, selector: selectors.BaseSelector, wake: socket.socket) -> None:
        """Start the workers that are due, wait for something to happen, and handle it."""
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
                self._log.info("%s: stopping all workers; send it again to kill them", name)
                self._asked = True
                self._stop()

    def _stop(self) -> None:
        """Send SIGTERM to all workers, once: a second one would make them exit immediately."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._grace
            self._send(signal.SIGTERM)

    def _kill(self) -> None:
        self._killed, self._deadline = True, time.monotonic() + _LAST_WAIT
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        for slot in self._slots:
            slot.send(number)
