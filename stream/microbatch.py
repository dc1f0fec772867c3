"""Cutting the stream into micro-batches: by tokens, events or time, whichever limit is reached first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from schemas.document import Document
from schemas.record import Assignment, Record
from stream.pacing import Pacing


class MicroBatch:
    """Events that are computed and published together, in the order in which they were polled.

    Attributes:
        number: 0, 1, 2 ... in the order of cutting.
        documents: the events.
        tokens: how many tokens the encoder reads for them.
        size: bytes of the records' values.
        ends: for each assignment, the offset after its last event here, and how many of its events are here.
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
        """The records of the documents that have one, in order."""
        return (document.record for document in self.documents if document.record is not None)


class MicroBatcher:
    """Collects documents: each leaves in exactly one micro-batch, in order, or is purged. Used by one thread.

    A micro-batch holds at most ``max_events`` documents and as many tokens as ``pacing`` allows. A document with more
    tokens than that gets its own micro-batch, as does one whose ``alone`` is set. No method blocks.
    """

    def __init__(self, pacing: Pacing, max_events: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``pacing``: how many tokens, and for how long documents wait; ``clock``: that of ``Record.polled_at``."""
        self._pacing = pacing
        self._max_events = max_events
        self._clock = clock
        self._documents: list[Document] = []
        self._tokens = 0
        self._max_tokens = 0
        self._number = 0

    def add(self, documents: Iterable[Document]) -> list[MicroBatch]:
        """Take ``documents`` and return the micro-batches that are full now."""
        full: list[MicroBatch] = []
        if self._documents:
            self._max_tokens = self._pacing.tokens(self._waited())
        for document in documents:
            tokens = document.tokens
            if self._documents and (document.alone or self._tokens + tokens > self._max_tokens):
                full.append(self._cut())
            self._documents.append(document)
            self._tokens += tokens
            if len(self._documents) == 1:
                self._max_tokens = self._pacing.tokens(self._waited())
            if document.alone or len(self._documents) >= self._max_events or self._tokens >= self._max_tokens:
                full.append(self._cut())
        return full

    def wait(self) -> float | None:
        """Seconds until the linger time is over, 0 if it is; None if no document waits."""
        return max(0.0, self._pacing.linger(self._waited(), self._tokens)) if self._documents else None

    def cut_rest(self) -> MicroBatch | None:
        """Return the unfilled micro-batch whatever its linger time; None if no document waits."""
        return self._cut() if self._documents else None

    def purge(self) -> list[Record]:
        """Remove the documents whose partition is being revoked or gone, and return their records."""
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

    def _waited(self) -> float:
        """Return the seconds since the first document was polled."""
        record = self._documents[0].record
        return 0.0 if record is None else self._clock() - record.polled_at

    def _cut(self) -> MicroBatch:
        batch = MicroBatch(self._number, self._documents, self._tokens)
        self._number += 1
        self._documents = []
        self._tokens = 0
        return batch
