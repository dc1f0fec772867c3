"""What an open transaction holds, and which of it is still ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.record import Assignment, Outbound
from stream.microbatch import MicroBatch


class SentBatch:
    """A micro-batch in the transaction, and the records made from it."""

    __slots__ = ("batch", "outbounds")

    def __init__(self, batch: MicroBatch, outbounds: list[Outbound]) -> None:
        self.batch = batch
        self.outbounds = outbounds

    def replace(self, outbound: Outbound, instead: Sequence[Outbound]) -> None:
        """Put ``instead``, which may be empty, in the place of ``outbound``. Equal records are told apart."""
        index = next(index for index, record in enumerate(self.outbounds) if record is outbound)
        self.outbounds[index : index + 1] = instead


class Contents:
    """Micro-batches in order, and offsets that none of them ends with (tails). Used by one thread.

    False while it is empty.

    Attributes:
        batches: the micro-batches, with their records.
        events: number of their events.
        size: bytes of these events' values.
    """

    def __init__(self) -> None:
        self.batches: list[SentBatch] = []
        self.events = 0
        self.size = 0
        self._tails: dict[Assignment, int] = {}

    def __bool__(self) -> bool:
        return bool(self.batches or self._tails)

    def add(self, sent: SentBatch) -> None:
        """Take a micro-batch."""
        self.batches.append(sent)
        self.events += len(sent.batch.documents)
        self.size += sent.batch.size

    def add_tails(self, tails: Mapping[Assignment, int]) -> None:
        """Take offsets to commit; each lies behind all that was committed for its partition before."""
        self._tails |= tails

    def ends(self) -> dict[Assignment, int]:
        """Return the offsets to commit, of partitions that are still ours."""
        ends = dict(self._tails)
        for sent in self.batches:
            ends |= {a: max(end, ends.get(a, 0)) for a, (end, _) in sent.batch.ends.items()}
        return {a: end for a, end in ends.items() if a.state != Assignment.GONE}

    def is_lost(self) -> bool:
        """Whether it holds a record made from an event of a partition that is gone."""
        return any(_is_lost(outbound) for sent in self.batches for outbound in sent.outbounds)

    def drop_lost(self) -> None:
        """Remove such records: the new owner of their partition makes them again."""
        for sent in self.batches:
            sent.outbounds = [outbound for outbound in sent.outbounds if not _is_lost(outbound)]


def _is_lost(outbound: Outbound) -> bool:
    origin = outbound.origin
    return origin is not None and origin.assignment.state == Assignment.GONE
