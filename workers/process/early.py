"""Whether a worker may be a member of its group while its models are loading."""

from __future__ import annotations

import time

from schemas.pipeline.config import Pipeline
from stream.kafka.groups import has_others
from workers.process.journal import Journal, NoJournal

_LOOK = 1.0
"""Seconds between two looks at the members of the group."""


class EarlyMember:
    """Lets a worker join early if nobody else is in its group, and leave when somebody comes. Poll thread.

    A worker whose models are loading reads nothing, so it must not have partitions that another could process. Where it
    is alone, joining early saves what a group takes to give out partitions: the rest of the session of a predecessor
    that was killed, and the 3 s for which brokers wait for more members of an empty group
    (``group.initial.rebalance.delay.ms``). A predecessor is known to be dead by its member id in the slot's journal:
    whoever has the journal has outlived all members that are named there.

    Groups of the KIP-848 protocol give out free partitions at once, so there is nothing to be saved.
    """

    def __init__(self, pipeline: Pipeline, journal: Journal | NoJournal) -> None:
        self._kafka, self._group, self._journal = pipeline.kafka, pipeline.pipeline, journal
        self._over = pipeline.kafka.get("group.protocol") == "consumer"
        self._next = 0.0

    def may_join(self) -> bool:
        """Whether nobody but predecessors is in the group. Looks at most once a second; may block for ten seconds.

        Never again after ``must_leave`` was true, so that workers that start together do not join and leave in turns.
        """
        if self._over or not self._is_due():
            return False
        return not has_others(self._kafka, self._group, self._journal.members)

    def must_leave(self, member: str) -> bool:
        """Whether somebody else is in the group by now; ``member`` is our id, empty before the group has given us one.

        Looks at most once a second; may block for ten seconds.
        """
        self._journal.joined(member)
        if not (member and self._is_due()):
            return False
        self._over = has_others(self._kafka, self._group, {*self._journal.members, member})
        return self._over

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _LOOK
        return True
