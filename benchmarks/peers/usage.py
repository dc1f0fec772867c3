"""Processor time and memory of a process and all that it has started."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil


class Usage:
    """Watches the tree of a process on a thread of its own, until the ``with`` block ends.

    Memory is the sum of resident sets, which counts pages that processes share more than once.
    """

    INTERVAL = 0.05

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._peak = 0

    def __enter__(self) -> Usage:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def pid(self) -> int:
        """The root of the tree."""
        return self._root.pid

    @property
    def peak_mib(self) -> float:
        """The largest resident memory so far, in MiB."""
        return self._peak / 2**20

    def seconds(self) -> float:
        """Return the processor seconds that the processes alive have taken so far, in user and system mode."""
        total = 0.0
        for process in self._processes():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    def _processes(self) -> list[psutil.Process]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _watch(self) -> None:
        while not self._ended.wait(self.INTERVAL):
            resident = 0
            for process in self._processes():
                try:
                    resident += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self._peak = max(self._peak, resident)
