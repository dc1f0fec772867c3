"""What is between the poll and the commit: taken off, landed or dropped; how much of it there may be."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.kafka.source import Source
from stream.microbatch import MicroBatch
from stream.progress import Progress

log = logging.getLogger("glossator.flight")

_MOST_UNCOMMITTED = 1000
"""Events that may have landed since the last commit: more are committed before the interval is over, because a crash
repeats them."""
_STALL = 0.25
"""Seconds over the high mark before polling pauses: a pause throws away what was fetched ahead."""


class Flight:
    """The poll thread's book of what is in flight: it commits, holds back, and drains.

    Other threads call ``landed`` and ``dropped`` only, and read ``draining``: partitions wait to be let go.
    ``wake`` makes the thread that cuts micro-batches look at its partitions again; ``failed`` says that nothing will
    land any more.
    """

    def __init__(self, pipeline: Pipeline, wake: Callable[[], None], failed: Callable[[], bool]) -> None:
        self._high = pipeline.backpressure.high_events
        self._low = pipeline.backpressure.low_events
        self._high_bytes = pipeline.backpressure.high_bytes
        self._commit_every = pipeline.commit_interval_ms / 1000
        self._drain_for = pipeline.drain_timeout_ms / 1000
        # Offsets are in the sink's transactions then.
        self._transactional = pipeline.delivery == "exactly_once"
        self.draining = False
        self._wake = wake
        self._failed = failed
        self._progress = Progress()
        self._landed: deque[MicroBatch] = deque()
        self._dropped: deque[list[Record]] = deque()
        self._news = threading.Event()
        self._next_commit = 0.0
        self._uncommitted = 0
        self.count = 0
        """Micro-batches that have landed."""

    @property
    def events(self) -> int:
        """Events polled and neither landed nor dropped."""
        return self._progress.in_flight

    @property
    def bytes(self) -> int:
        """Bytes of their values."""
        return self._progress.bytes_in_flight

    def landed(self, batch: MicroBatch) -> None:
        """Every record of ``batch`` has its delivery report. Any thread."""
        self._landed.append(batch)
        self._news.set()

    def dropped(self, records: list[Record]) -> None:
        """``records`` will not be processed: their partition is leaving. Any thread."""
        if records:
            self._dropped.append(records)
            self._news.set()

    def take_off(self, records: list[Record]) -> None:
        self._progress.polled(records)

    def apply_landings(self, source: Source) -> None:
        """Enters what has landed or was dropped, and commits when the interval is over."""
        self._enter()
        if self._transactional:
            return
        if (now := time.monotonic()) >= self._next_commit or self._uncommitted >= _MOST_UNCOMMITTED:
            self._next_commit = now + self._commit_every
            self._uncommitted = 0
            self._progress.put_back(source.take_failed_commits())
            source.commit(self._progress.take_committable())

    def regulate(self, source: Source) -> None:
        """Backpressure: pauses polling over the high mark, resumes it under the low one."""
        if source.paused:
            if self._progress.in_flight <= self._low and self._progress.bytes_in_flight <= self._high_bytes // 2:
                source.resume()
        elif self._over():
            deadline = time.monotonic() + _STALL
            while self._over() and self._wait(deadline):
                self._enter()
            if self._over():
                source.pause()

    def drain(
        self, assignments: list[Assignment], source: Source, meanwhile: Callable[[], object] = lambda: None
    ) -> bool:
        """Lets go of ``assignments``: what is cut is finished and committed, the rest is dropped.

        ``meanwhile`` is called again and again. Returns within the drain timeout, with False if something was still in
        flight; whoever owns the partition next processes that again.
        """
        for assignment in assignments:
            assignment.state = Assignment.CLOSING
        self._wake()
        deadline = time.monotonic() + self._drain_for
        self.draining = True
        while (left := self._progress.pending(assignments)) and not self._failed() and self._wait(deadline):
            self._enter()
            meanwhile()
            self.draining = True  # a rebalance within may have ended a drain of its own
        self._enter()
        self.draining = False
        if not self._transactional:
            # Also what was committed in the background: nobody will be there to hear of a failure.
            self._progress.put_back(assignments)
            source.commit(self._progress.take_committable(), wait=not self._failed())
        if left:
            log.warning("%d events in flight had to be let go with their partitions: they are processed again", left)
        self.abandon(assignments)
        return not left

    def abandon(self, assignments: list[Assignment]) -> None:
        """``assignments`` are no longer ours: whatever of them is in flight is discarded."""
        for assignment in assignments:
            assignment.state = Assignment.GONE
        self._progress.forget(assignments)

    def _over(self) -> bool:
        return self._progress.in_flight > self._high or self._progress.bytes_in_flight > self._high_bytes

    def _wait(self, deadline: float) -> bool:
        """Waits for news until ``deadline``; False when that is over."""
        left = deadline - time.monotonic()
        if left > 0:
            self._news.wait(min(left, 0.1))
            self._news.clear()
        return left > 0

    def _enter(self) -> None:
        while self._dropped:
            self._progress.dropped(self._dropped.popleft())
        while self._landed:
            batch = self._landed.popleft()
            self.count += 1
            self._uncommitted += sum(count for _, count in batch.ends.values())
            self._progress.finished(batch.number, batch.ends, batch.size)
