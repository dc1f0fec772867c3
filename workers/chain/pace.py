"""The pace of computing: that it moves, how long its steps take, and how long its present step may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

_PATIENCE = 5.0
"""How many times as long a step may take as steps of its size have taken."""
_MEMORY = 0.95
"""What is left of a measured cost after the next step: one that was slow by accident is forgotten."""


class Pace:
    """Counts finished steps, such as forwards, and measures them. Any thread may take a step, or read.

    Attributes:
        steps: how many steps have been finished.
        on_forward: called after each forward with the name of its trunk and the seconds it took, on the thread that
            ran it, never by two threads at once.
        task_seconds: the seconds that each task has taken to annotate, by its name; a task belongs to one thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without measurements; ``clock`` returns seconds."""
        self.steps = 0
        self.on_forward: Callable[[str, float], None] = lambda trunk, seconds: None
        self.task_seconds: dict[str, float] = {}
        self._clock = clock
        self._costs: dict[str, float] = {}
        self._allowed: list[float] = []  # for each of the present steps
        self._lock = Lock()

    @property
    def allowed(self) -> float:
        """Seconds that the present steps may take by what was measured before; 0 without any.

        Read it before ``steps``: whoever finds nothing allowed then also finds the last step finished.
        """
        with self._lock:
            return max(self._allowed, default=0.0)

    @contextmanager
    def forward(self, trunk: str, size: float, cost: float) -> Iterator[None]:
        """Measure the block as a forward of ``trunk``; otherwise as ``step`` does."""
        began = self._clock()
        with self.step("forward", size, cost):
            yield
        taken = self._clock() - began
        with self._lock:
            self.on_forward(trunk, taken)

    def advance(self) -> None:
        """Count a step that is not measured."""
        with self._lock:
            self.steps += 1

    @contextmanager
    def annotating(self, task: str) -> Iterator[None]:
        """Add the time that the block takes to the seconds of ``task``."""
        began = self._clock()
        yield
        self.task_seconds[task] = self.task_seconds.get(task, 0.0) + self._clock() - began

    @contextmanager
    def step(self, kind: str, size: float, cost: float = 0.0) -> Iterator[None]:
        """Measure the block as one step; it counts as finished also if it raises.

        Args:
            kind: what is done; steps of one kind are compared.
            size: how much is done, in any unit in which the time grows.
            cost: seconds per unit that were measured elsewhere.
        """
        with self._lock:
            allowed = _PATIENCE * max(self._costs.get(kind, 0.0), cost) * size
            self._allowed.append(allowed)
        began = self._clock()
        try:
            yield
        finally:
            taken = self._clock() - began
            with self._lock:
                self._costs[kind] = max(taken / size, _MEMORY * self._costs.get(kind, 0.0))
                self.steps += 1
                self._allowed.remove(allowed)
