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
        """Make a level of ``stages`` with their jobs, in the order of the chain.

        ``wait_for`` is called to wait for forwards when no core is idle, or all forwards of the level have begun.
        """
        self._left = deque(stages)
        self._pace = pace
        self._then_wait = wait_for

    def run(self) -> Generator[None, None, None]:
        """Run all stages, and yield after each.

        When the generator is closed, no forward of the level runs any more. Raises DeviceError, and what ``wait_for``
        raises.
        """
        try:
            while self._left:
                stage, job = self._left.popleft()
                if len(job.batches) == 1 and self._fills_pool_with(stage):
                    stage.begin(job, self._pace, 1)
                stage.forward(job, self._pace, self._wait_for)
                yield
        finally:
            begun = [future for _, job in self._left for future in job.running]
            for future in begun:
                future.cancel()
            wait(begun)

    def _fills_pool_with(self, stage: Stage) -> bool:
        """Whether one forward of ``stage`` and those of the stages that follow are enough for all threads of its pool.

        Otherwise that forward takes less time alone, on all cores.
        """
        pool = stage.trunk.pool
        following = self._following(pool)
        waiting = sum(len(job.batches) for _, job in following)
        return pool is not None and 1 + waiting + len(_running(following)) >= pool.forwards

    def _wait_for(self, running: Collection[Future[Any]], pool: Pool) -> None:
        """Begin forwards of the stages that follow on idle cores, then wait for one that runs on ``pool``."""
        following = self._following(pool)
        begun = _running(following)
        for stage, job in following:
            if (idle := pool.forwards - len(running) - len(begun)) > 0:
                begun |= {*stage.begin(job, self._pace, idle)}
        self._then_wait({*running, *begun}, pool)

    def _following(self, pool: Pool | None) -> list[tuple[Stage, Job]]:
        """Return the stages whose turn has not come and whose trunks use ``pool``."""
        return [(stage, job) for stage, job in self._left if stage.trunk.pool is pool]


def _running(stages: Sequence[tuple[Stage, Job]]) -> set[Future[Any]]:
    """Return what runs of stages whose turn has not come: it has begun in an earlier turn, or ahead of it all."""
    return {future for _, job in stages for future in job.running if not future.done()}
