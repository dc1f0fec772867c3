"""The worker processes of a round, each in its slot, and a supervisor that restarts those that have ended."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos import clock
from tests.chaos.usage import Usage
from tests.kafka.node import tied

SLOTS = {0, 1, 2}
"""All slots that a round may use."""
_REST = 1.0  # seconds for which a slot stays empty
HARMLESS = {0, -signal.SIGTERM, -signal.SIGUSR1, -signal.SIGUSR2}
"""Statuses of members that ended in order, or got a signal before they handled it and so before they had work."""
# What a member logs when it gives up work it has started (stream/flight.py, stream/kafka/).
UNFINISHED = ("lost ", "were given up with their partitions", "offsets were not committed")
IN_ORDER = "left in order"
"""What a member logs last if it had polled and has closed everything."""
_LEFT_OPEN = "left to the broker's timeout"  # logged if it could not abort (stream/kafka/exactly_once.py)
_ROOM = 256 * 1024  # bytes of memory that a starved member can still get


class Crew:
    """Runs the members. Call ``look_after`` often: it restarts members in the ``wanted`` slots and stops the others.

    Use it on one thread that lives as long as the members: on Linux they end with it.
    """

    def __init__(
        self, settings: dict[str, Any], delay: float, folder: Path, mutant: str | None, stall: float,
        clocks: bool = False, within: float = 60.0, left: Callable[[int], object] = lambda _: None,
    ) -> None:  # fmt: skip
        """Start with no members.

        ``clocks``: give members clocks that can be set, if possible; ``within``: seconds after a SIGTERM by which a
        member must have left; ``left``: called at once with each slot whose member has left in order.
        """
        self._command = [sys.executable, "-m", "tests.chaos.member", json.dumps(settings), str(delay)]
        self._environment = {**os.environ, "CHAOS_MUTANT": mutant or "", "CHAOS_STALL": str(stall)}
        self._folder = folder.absolute()
        self._clocks: dict[int, Path] | None = {} if clocks else None
        self.wanted: set[int] = set()
        self.members: dict[int, subprocess.Popen[bytes]] = {}
        """The process in each slot that has one."""
        self.statuses: Counter[int] = Counter()
        self.starved: Counter[int] = Counter()
        """The part of ``statuses`` that is from members that were denied memory: those may end in any way."""
        self.starts = 0
        self.slots: set[int] = set()
        """The slots that ever had a member."""
        self.left_after: list[float] = []
        """Seconds from each SIGTERM until the member had ended by itself."""
        self.overdue = 0
        """How many members did not end in time and were killed."""
        self.usage = Usage()
        self._within, self._left = within, left
        self._logs: dict[int, Path] = {}
        self._again_at: dict[int, float] = {}
        self._leaving: dict[int, float] = {}  # slot -> since when; starts again after a freeze
        self._frozen: set[int] = set()
        self._hungry: set[subprocess.Popen[bytes]] = set()

    def look_after(self) -> None:
        now = time.monotonic()
        for slot, member in [*self.members.items()]:
            status = member.poll()
            if status is not None:
                self.statuses[status] += 1
                self.starved[status] += member in self._hungry
                clock.forget(member.pid)
                self._again_at[slot] = now + _REST
                del self.members[slot]
                if slot in self._leaving and status >= 0:
                    self.left_after.append(round(now - self._leaving[slot], 2))
                if status == 0 and self._in_order(slot):
                    self._left(slot)
            elif slot not in self.wanted and slot not in self._leaving:
                self.stop(slot)
            elif slot not in self._frozen and now - self._leaving.get(slot, now) > self._within:
                self.overdue += 1
                self._leaving[slot] = now
                member.kill()
        self.usage.look(self.members.values())
        for slot in self.wanted - self.members.keys():
            if now >= self._again_at.get(slot, 0.0):
                self._start(slot)

    def start(self, within: float = 120.0) -> None:
        """Returns when every slot that is wanted has a member with partitions: faults can strike from now on."""
        deadline = time.monotonic() + within
        self.look_after()
        while not all("assigned" in self._logs[slot].read_text() for slot in self.wanted):
            assert time.monotonic() < deadline, "the members did not start"
            time.sleep(0.05)
            self.look_after()

    def pick(self, number: int) -> int | None:
        """Choose one of the running slots; None if none runs."""
        running = sorted(self.wanted & self.members.keys())
        return running[number % len(running)] if running else None

    def send(self, slot: int, number: signal.Signals) -> None:
        if (member := self.members.get(slot)) is None:
            return
        member.send_signal(number)
        if number == signal.SIGSTOP:
            self._frozen.add(slot)
        elif number == signal.SIGCONT and slot in self._frozen:
            self._frozen.discard(slot)
            if slot in self._leaving:
                self._leaving[slot] = time.monotonic()

    def stop(self, slot: int) -> None:
        """Send SIGTERM, once for each process: a second one would make it leave at once."""
        if slot in self.members and slot not in self._leaving:
            self._leaving[slot] = time.monotonic()
            self.send(slot, signal.SIGTERM)

    def break_at(self, slot: int, failpoint: str) -> None:
        """Arm ``failpoint`` in the slot's process, but not in the process that replaces it."""
        self._failpoint(slot).write_text(failpoint)
        self.send(slot, signal.SIGUSR2)

    def struck(self, member: subprocess.Popen[bytes], what: str) -> list[float]:
        """Return when ``what`` last happened in that process, in seconds since the epoch; empty if it never did."""
        mark = self._folder / f"struck-{member.pid}-{what}"
        return [mark.stat().st_mtime] if mark.exists() else []

    def set_clock(self, slot: int, seconds: int) -> None:
        """Set the wall clock of the slot's process to ``seconds`` ahead of the true time (negative: behind)."""
        if self._clocks:
            clock.set_clock(self._clocks[slot], seconds)

    def starve(self, slot: int) -> Callable[[], None]:
        """Give the slot's process almost no more memory, until the returned function is called.

        This limits the data size (setrlimit(2)): the C library reserves address space long before it is used.
        """
        member = self.members[slot]
        self._hungry.add(member)
        limits = resource.prlimit(member.pid, resource.RLIMIT_DATA)
        status = Path(f"/proc/{member.pid}/status").read_text()
        for size in re.findall(r"VmData:\s*(\d+) kB", status):  # there is none if it has just ended
            resource.prlimit(member.pid, resource.RLIMIT_DATA, (int(size) * 1024 + _ROOM, limits[1]))

        def feed() -> None:
            if member.poll() is None:
                resource.prlimit(member.pid, resource.RLIMIT_DATA, limits)

        return feed

    def dismiss(self) -> None:
        """End all members in order. Members that are overdue are killed, so this returns."""
        self.wanted = set()
        while self.members:
            self.look_after()
            time.sleep(0.05)

    def kill(self) -> None:
        for member in self.members.values():
            member.kill()
            member.wait()
            clock.forget(member.pid)
        self.members.clear()

    def disruptions(self) -> int:
        """Count how often started work was given up: deaths, lost partitions, drains and commits that failed."""
        deaths = sum(count for status, count in self.statuses.items() if status not in HARMLESS)
        # A line that could not be written in one go may occur twice.
        lines = (line for log in self.logs() for line in {*log.read_text(errors="replace").splitlines()})
        return deaths + sum(line.count(words) for line in lines for words in UNFINISHED)

    def logs(self) -> list[Path]:
        return sorted(self._folder.glob("member-*.log"))

    def _in_order(self, slot: int) -> bool:
        log = self._logs[slot].read_text(errors="replace")
        return IN_ORDER in log and _LEFT_OPEN not in log

    def _failpoint(self, slot: int) -> Path:
        return self._folder / f"failpoint-{slot}"

    def _start(self, slot: int) -> None:
        self.starts += 1
        self.slots.add(slot)
        self._leaving.pop(slot, None)
        self._frozen.discard(slot)
        log = self._logs[slot] = self._folder / f"member-{self.starts:03}-slot-{slot}.log"
        environment = {**self._environment, "CHAOS_FAIL": str(self._failpoint(slot))}
        if self._clocks is not None:
            self._clocks[slot] = self._folder / f"clock-{self.starts}"
            environment |= clock.environment(self._clocks[slot])
        with log.open("wb") as file:
            self.members[slot] = subprocess.Popen(
                [*tied(), *self._command, str(slot)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
