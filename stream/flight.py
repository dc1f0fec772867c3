"""The events between poll and commit: backpressure, commits, and draining of partitions."""

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
"""Number of landed events that are committed before the interval is over: a crash repeats what is not committed."""
_PATIENCE = 0.25
"""Seconds above the high mark before polling pauses: a pause throws away what was fetched ahead."""
_LOOK = 0.1
"""The most seconds between two looks at what has landed while the poll thread waits."""


class Flight:
    """Keeps account of the events that were polled and are not finished, and decides what to commit.

    The poll thread owns it. Only ``landed``, ``dropped``, ``take_tails`` and ``draining`` are for other threads.

    Attributes:
        draining: whether partitions wait to be given up. Written by the poll thread, any thread may read it.
        count: number of micro-batches that have landed. Written by the poll thread, any thread may read it.
    """

    def __init__(self, pipeline: Pipeline, wake: Callable[[], None], failed: Callable[[], bool]) -> None:
        """Start with nothing in flight.

        Args:
            pipeline: its backpressure marks, commit interval, drain timeout and delivery are used.
            wake: makes the thread that cuts micro-batches check again which partitions are live, and whether polling is
                paused.
            failed: whether the worker has failed, so that nothing more will land.
        """
        self._high = pipeline.backpressure.high_events
        self._low = pipeline.backpressure.low_events
        self._high_bytes = pipeline.backpressure.high_bytes
        self._commit_every = pipeline.commit_interval_ms / 1000
        self._drain_for = pipeline.drain_timeout_ms / 1000
        # With transactions the sink commits the offsets.
        self._transactional = pipeline.delivery == "exactly_once"
        self.draining = False
        self._wake = wake
        self._failed = failed
        self._progress = Progress()
        self._landed: deque[MicroBatch] = deque()
        self._dropped: deque[list[Record]] = deque()
        self._tails: deque[dict[Assignment, int]] = deque()
        self._news = threading.Event()
        self._next_commit = 0.0
        self._uncommitted = 0
        self.count = 0

    @property
    def events(self) -> int:
        """Number of events polled that have neither landed nor been dropped. Poll thread."""
        return self._progress.in_flight

    @property
    def bytes(self) -> int:
        """Size of these events' values in bytes. Poll thread."""
        return self._progress.bytes_in_flight

    def landed(self, batch: MicroBatch) -> None:
        """Report that every record of ``batch`` is delivered. Any thread; does not block."""
        self._landed.append(batch)
        self._news.set()

    def dropped(self, records: list[Record]) -> None:
        """Report that ``records`` will not be processed, as their partition is leaving. Any thread; does not block."""
        if records:
            self._dropped.append(records)
            self._news.set()

    def take_tails(self) -> dict[Assignment, int]:
        """Return the offsets to commit that no micro-batch ends with, since the last call. Any thread; does not block.

        Without transactions there are none, because the poll thread commits them itself.
        """
        tails: dict[Assignment, int] = {}
        while self._tails:
            tails |= self._tails.popleft()
        return tails

    def take_off(self, records: list[Record]) -> None:
        """Enter ``records``, which were just polled. Poll thread; does not block."""
        self._progress.polled(records)

    def apply_landings(self, source: Source) -> None:
        """Apply the reports of other threads, and commit in the background if it is time. Poll thread; does not block.

        Everything polled must have been entered before, because a partition may have reached its end with it.

        It is time when the commit interval is over or many events have landed since the last commit.
        """
        self._apply_reports()
        for assignment, first in source.take_firsts().items():
            self._progress.begins(assignment, first)
        for assignment, tail in source.take_reached().items():
            self._progress.reached(assignment, tail)
        if self._transactional:
            if tails := self._progress.take_tails():
                self._tails.append(tails)
            return
        if (now := time.monotonic()) >= self._next_commit or self._uncommitted >= _MOST_UNCOMMITTED:
            self._next_commit = now + self._commit_every
            self._uncommitted = 0
            self._progress.put_back(source.take_failed_commits())
            source.commit(self._progress.take_committable())

    def regulate(self, source: Source) -> None:
        """Pause polling above the high mark and resume it below the low mark. Poll thread.

        Blocks for up to a quarter of a second above the high mark, before it pauses.
        """
        if source.paused:
            if self._progress.in_flight <= self._low and self._progress.bytes_in_flight <= self._high_bytes // 2:
                source.resume()
        elif self._is_over():
            deadline = time.monotonic() + _PATIENCE
            while self._is_over() and self._wait(deadline):
                self._apply_reports()
            if self._is_over():
                source.pause()
                self._wake()

    def drain(
        self, assignments: list[Assignment], source: Source, meanwhile: Callable[[], object] = lambda: None
    ) -> bool:
        """Give up ``assignments``: finish and commit what is in micro-batches, drop the rest. Poll thread.

        Blocks for up to the drain timeout, and for some seconds more while offsets are committed. ``meanwhile`` is
        called several times a second; a rebalance that it serves may call ``drain`` again.

        Returns:
            Whether everything was finished. If not, the next owner of the partitions processes the rest again.
        """
        for assignment in assignments:
            assignment.state = Assignment.CLOSING
        self._wake()
        deadline = time.monotonic() + self._drain_for
        self.draining = True
        while (left := self._progress.pending(assignments)) and not self._failed() and self._wait(deadline):
            self._apply_reports()
            meanwhile()
            self.draining = True  # a drain within meanwhile() has reset it
        self._apply_reports()
        self.draining = False
        if not self._transactional:
            # Commit again what was committed in the background, because nobody will learn whether that failed.
            self._progress.put_back(assignments)
            source.commit(self._progress.take_committable(), wait=not self._failed())
        if left:
            log.warning("%d events in flight were given up with their partitions: they are processed again", left)
        self.abandon(assignments)
        return not left

    def abandon(self, assignments: list[Assignment]) -> None:
        """Discard the events of ``assignments``, which are no longer ours. Poll thread; does not block."""
        for assignment in assignments:
            assignment.state = Assignment.GONE
        self._progress.forget(assignments)

    def _is_over(self) -> bool:
        return self._progress.in_flight > self._high or self._progress.bytes_in_flight > self._high_bytes

    def _wait(self, deadline: float) -> bool:
        """Wait for a report, but not long; False when ``deadline`` is over."""
        left = deadline - time.monotonic()
        if left > 0:
            self._news.wait(min(left, _LOOK))
            self._news.clear()
        return left > 0

    def _apply_reports(self) -> None:
        while self._dropped:
            self._progress.dropped(self._dropped.popleft())
        while self._landed:
            batch = self._landed.popleft()
            self.count += 1
            self._uncommitted += sum(count for _, count in batch.ends.values())
            self._progress.finished(batch.number, batch.ends, batch.size)
