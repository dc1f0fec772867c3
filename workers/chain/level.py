"""A level: stages that do not depend on each other, so that their forwards may run side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Generator, Sequence
from concurrent.futures import Future, wait
from typing import Any

from workers.chain.forward import Wait
from workers.chain.job import Job
from workers.chain.pace import Pace
from workers.chain.stage import Stage
from workers.encoder.pool import Pool


class Level:
    """Runs the forwards of the stages of one level, stage by stage, for one micro-batch.

    The last forwards of a stage leave cores idle, because they do not end at the same time. These cores begin forwards
    of the stages that follow, if their trunks use the same pool of threads. Only the device thread may use it.
    """

    def __init__(self, stages: Sequence[tuple[Stage, Job]], pace: Pace, wait_for: Wait) -> None:
        """``stages`` with their jobs, in the order of the chain; ``wait_for`` waits when all of them have begun."""
        self._left = deque(stages)
        self._pace = pace
        self._then_wait = wait_for
        self._begun: set[Future[Any]] = set()

    def run(self) -> Generator[None, None, None]:
        """Run all stages, and yield after each.

        When the generator is closed, no forward of the level runs any more. Raises DeviceError, and what ``wait_for``
        raises.
        """
        try:
            while self._left:
                stage, job = self._left.popleft()
                pool = stage.trunk.pool
                if pool is not None and len(job.batches) == 1 and any(self._following(pool)):
                    # It would run alone on all cores; on one core it leaves the others to the stages that follow.
                    stage.begin(job, self._pace, 1)
                stage.forward(job, self._pace, self._wait_for)
                yield
        finally:
            for future in self._begun:
                future.cancel()
            wait(self._begun)

    def _wait_for(self, running: Collection[Future[Any]], pool: Pool) -> None:
        """Begin forwards of the stages that follow on idle cores, then wait for one that runs on ``pool``."""
        # Those of ``running`` may have begun here, while another stage had its turn.
        self._begun = {future for future in self._begun if not (future in running or future.done())}
        for stage, job in self._following(pool):
            idle = pool.forwards - len(running) - len(self._begun)
            if idle > 0:
                self._begun |= {*stage.begin(job, self._pace, idle)}
        self._then_wait({*running, *self._begun}, pool)

    def _following(self, pool: Pool) -> list[tuple[Stage, Job]]:
        """Return the stages whose turn has not come, that use ``pool`` and have forwards that have not begun."""
        return [(stage, job) for stage, job in self._left if stage.trunk.pool is pool and job.batches]
