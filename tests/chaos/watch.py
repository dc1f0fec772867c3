"""Observes a running round: samples committed offsets and ends of logs, and reads committed records."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from tests.chaos.invariants import Place, Sample
from tests.chaos.transactions import ongoing

_EVERY = 0.25


class Watch:
    """Two threads that use the harness's listener. ``samples``, ``glimpsed`` and ``open`` grow until ``close``.

    ``open`` holds the sets of transactional ids whose transactions were open at once. ``errors`` counts the reader's
    errors by name; ``dead`` is why it ended before it was closed. ``topics`` maps ``out``, ``dead`` and ``copy`` to
    topics.
    """

    def __init__(
        self, servers: str, group: str, source: str, topics: Mapping[str, str], partitions: int, log: Path
    ) -> None:
        self.samples: list[Sample] = []
        self.glimpsed: set[Place] = set()
        self.open: set[frozenset[str]] = set()
        self.errors: Counter[str] = Counter()
        self.dead: str | None = None
        self._servers, self._group = servers, group
        self._source = [TopicPartition(source, partition) for partition in range(partitions)]
        self._names = {name: short for short, name in topics.items()}
        self._partitions = [TopicPartition(name, p, 0) for name in self._names for p in range(partitions)]
        self._log = log.open("w")
        self._stopping = threading.Event()
        # Read uncommitted: an open transaction must not delay the answer.
        self._asker = Consumer({
            "bootstrap.servers": servers, "group.id": group, "isolation.level": "read_uncommitted", "log_level": 0,
        })  # fmt: skip
        self._admin = self._new_admin()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._sample, self._read)]
        for thread in self._threads:
            thread.start()

    def committed(self) -> dict[int, int]:
        """Return the newest known committed offsets."""
        return self.samples[-1].committed if self.samples else {}

    def ends(self, committed_only: bool = False) -> dict[tuple[str, int], int]:
        """Return the output topics' high watermarks or last stable offsets. Raises KafkaException or TimeoutError."""
        return {log: end for log, (end, _) in self._ask_ends(committed_only).items()}

    def _ask_ends(self, committed_only: bool = False) -> dict[tuple[str, int], tuple[int, int | None]]:
        """Return the ends, each with the leader epoch of the broker that answered. Raises as ``ends`` does."""
        level = IsolationLevel.READ_COMMITTED if committed_only else IsolationLevel.READ_UNCOMMITTED
        latest: Any = OffsetSpec.latest()
        asked = {TopicPartition(p.topic, p.partition): latest for p in self._partitions}
        answers = self._admin.list_offsets(asked, isolation_level=level, request_timeout=5.0)
        try:
            ends = {(self._names[p.topic], p.partition): answer.result(10) for p, answer in answers.items()}
        except KafkaException:
            # The client keeps using the leader epoch that it first saw, which a restarted broker always rejects.
            self._admin = self._new_admin()
            raise
        if min(end.offset for end in ends.values()) < 0:  # this is how the client reports a leader that has just died
            raise TimeoutError("the end of a log is not known")
        return {log: (end.offset, end.leader_epoch) for log, end in ends.items()}

    def owners(self) -> str:
        """Describe which member has which partitions, to explain why nothing moves. Raises KafkaException."""
        group = self._admin.describe_consumer_groups([self._group], request_timeout=5)[self._group].result(10)
        held = [sorted(p.partition for p in member.assignment.topic_partitions) for member in group.members]
        return f"the group is {group.state.name} and its members have the partitions {held}"

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)
        self._asker.close()
        self._log.close()

    def _new_admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._servers, "log_level": 0})

    def _sample(self) -> None:
        while not self._stopping.wait(_EVERY):
            try:
                places = self._asker.committed(self._source, timeout=5.0)
                committed = {p.partition: p.offset for p in places if p.offset >= 0}
                at, answers = time.time(), self._ask_ends()
            except (KafkaException, TimeoutError):  # the broker is away
                continue
            ends = {log: end for log, (end, _) in answers.items()}
            leaders = {log: epoch for log, (_, epoch) in answers.items() if epoch is not None}
            sample = Sample(at, committed, ends, leaders)
            self.samples.append(sample)
            with contextlib.suppress(OSError):  # a node is away
                self.open.add(frozenset(ongoing(self._servers)))
            self._log.write(json.dumps([at, committed, [[*log, *answer] for log, answer in answers.items()]]) + "\n")

    def _read(self) -> None:
        try:
            self._glimpse()
        except Exception as error:  # otherwise it would go unnoticed
            self.dead = type(error).__name__

    def _glimpse(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": "looking-on",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        consumer.assign(self._partitions)
        while not self._stopping.is_set():
            message: Any
            for message in consumer.consume(1000, 0.2):
                if message.error() is not None:
                    self.errors[message.error().name()] += 1
                else:
                    self.glimpsed.add((self._names[message.topic()], message.partition(), message.offset()))
        consumer.close()
