"""Cuts the stream into micro-batches: by tokens, by events, or by linger, whichever comes first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from schemas.document import Document
from schemas.record import Assignment, Record


class MicroBatch:
    """Events cut together, in the order in which they were polled.

    - ``number``: 0, 1, 2 ... in the order of cutting.
    - ``ends``: assignment -> (offset after its last event here, how many of its events are here).
    - ``size``: bytes of the values.
    """

    __slots__ = ("documents", "ends", "number", "size", "tokens")

    def __init__(self, number: int, documents: list[Document], tokens: int) -> None:
        self.number = number
        self.documents = documents
        self.tokens = tokens
        self.size = 0
        self.ends: dict[Assignment, tuple[int, int]] = {}
        ends = self.ends
        for document in documents:
            record = document.record
            if record is not None:
                self.size += len(record.value or b"")
                _, count = ends.get(record.assignment, (0, 0))
                ends[record.assignment] = (record.offset + 1, count + 1)

    @property
    def records(self) -> Iterator[Record]:
        return (document.record for document in self.documents if document.record is not None)


class MicroBatcher:
    """Every document added leaves in exactly one micro-batch, in order, or is purged.

    A micro-batch holds at most ``max_events`` documents and at most ``max_tokens`` tokens; a document larger than that
    stands alone, as does one that asks for it. ``linger`` (seconds) bounds how long the first document of an unfilled
    micro-batch waits for company.
    """

    def __init__(
        self, max_tokens: int, max_events: int, linger: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_tokens = max_tokens
        self._max_events = max_events
        self._linger = linger
        self._clock = clock
        self._documents: list[Document] = []
        self._tokens = 0
        self._due = 0.0
        self._number = 0

    def add(self, documents: Iterable[Document]) -> list[MicroBatch]:
        """Takes ``documents``; returns the micro-batches that are full now."""
        full: list[MicroBatch] = []
        for document in documents:
            tokens = document.tokens
            if self._documents and (document.alone or self._tokens + tokens > self._max_tokens):
                full.append(self._cut())
            if not self._documents:
                self._due = self._clock() + self._linger
            self._documents.append(document)
            self._tokens += tokens
            if document.alone or len(self._documents) >= self._max_events or self._tokens >= self._max_tokens:
                full.append(self._cut())
        return full

    def wait(self) -> float | None:
        """Seconds until the linger is over (0: it is); None when nothing waits."""
        return max(0.0, self._due - self._clock()) if self._documents else None

    def cut_due(self) -> MicroBatch | None:
        """The unfilled micro-batch, if its linger is over."""
        return self._cut() if self._documents and self._clock() >= self._due else None

    def cut_rest(self) -> MicroBatch | None:
        """The unfilled micro-batch, linger or not."""
        return self._cut() if self._documents else None

    def purge(self) -> list[Record]:
        """Removes what is not cut yet and belongs to a partition that is not ours to start any more."""
        stays: list[Document] = []
        purged: list[Record] = []
        for document in self._documents:
            record = document.record
            if record is not None and record.assignment.state != Assignment.LIVE:
                self._tokens -= document.tokens
                purged.append(record)
            else:
                stays.append(document)
        self._documents = stays
        return purged

    def _cut(self) -> MicroBatch:
        batch = MicroBatch(self._number, self._documents, self._tokens)
        self._number += 1
        self._documents = []
        self._tokens = 0
        return batch
