"""Begins the next micro-batch on cores that the last forwards of the present one leave idle."""

from __future__ import annotations

from collections.abc import Collection, Generator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

from stream.microbatch import MicroBatch
from workers.process.engine import Engine
from workers.process.journal import Journal, NoJournal
from workers.process.lanes import Channel, Closed

if TYPE_CHECKING:  # importing torch takes seconds, and nothing here needs it
    from workers.chain.chain import Work
    from workers.encoder.pool import Pool

Prepared: TypeAlias = "tuple[Engine, MicroBatch, Work]"
_MOST_IN_A_ROW = 50
"""Micro-batches begun ahead, one after the other. All forwards can be timed only of one that is not, and batching for a
goal of the latency learns from these times."""


class Ahead:
    """The micro-batches for the device thread, in order; the next one may begin before the present one ends.

    Forwards that run side by side do not end at the same time, above all if one of them has a long text. ``wait_for``
    is how a chain waits for them: it takes the next micro-batch as soon as a core is idle, and begins as many of its
    forwards as there are idle cores. One with an event that is suspected of killing the process is not begun ahead, and
    none is until those that must be alone have passed: another crash must tell which one it was. After fifty in a row,
    one is not begun ahead either.

    Only the device thread may use it.

    Attributes:
        began: whether forwards of the micro-batch that was yielded last had begun before.
    """

    def __init__(self, prepared: Channel[Prepared], journal: Journal | NoJournal) -> None:
        """``prepared``: the micro-batches; ``journal``: records what has begun, in its lane "ahead"."""
        self._prepared, self._journal = prepared, journal
        self._next: Prepared | None = None
        self._may_begin = False
        """Whether forwards of ``_next`` may run before its turn."""
        self._next_began = False
        """Whether some have begun."""
        self.began = False
        self._in_a_row = 0
        """How many have begun ahead since the last one that has not."""
        self._running: set[Future[Any]] = set()
        self._lane = ExitStack()

    def __iter__(self) -> Generator[Prepared, None, None]:
        """Yield the micro-batches until the channel is closed and empty.

        When the iterator is closed, no forward runs that has been begun ahead.
        """
        try:
            while True:
                item = self._next
                while item is None:
                    item = self._prepared.get()
                self._next = None
                self.began, self._next_began = self._next_began, False
                self._in_a_row = self._in_a_row + 1 if self.began else 0
                yield item
        except Closed:
            return
        finally:
            wait(self._running)

    def entered(self) -> None:
        """Note that the micro-batch that was yielded is in the lane "device" of the journal."""
        self._lane.close()

    def wait_for(self, running: Collection[Future[Any]], pool: Pool) -> None:
        """Return when one of ``running`` has ended, which are the last forwards of their stage, on threads of ``pool``.

        Raises Closed if the worker is ending.
        """
        while not any(future.done() for future in running):
            # Those of ``running`` may have begun ahead themselves, in their turn.
            self._running = {future for future in self._running if not (future in running or future.done())}
            idle = pool.forwards - len(running) - len(self._running)
            if idle > 0 and self._next is None:
                self._take(running)
                continue
            if idle > 0 and self._next is not None and self._may_begin:
                engine, _, work = self._next
                begun = engine.chain.begin(work, pool, idle)
                self._running |= {*begun}
                self._next_began = self._next_began or bool(begun)
            wait({*running, *self._running}, return_when=FIRST_COMPLETED)

    def _take(self, running: Collection[Future[Any]]) -> None:
        """Take the next micro-batch, unless one of ``running`` ends before it comes."""
        for future in running:
            future.add_done_callback(lambda _: self._prepared.interrupt())
        self._next = self._prepared.get()
        if self._next is not None:
            batch = self._next[1]
            self._may_begin = self._in_a_row < _MOST_IN_A_ROW and self._journal.may_begin(batch.records)
            if self._may_begin:
                self._lane.enter_context(self._journal.lane("ahead", batch.records))
