"""Queues in the place of Kafka, so that a worker can be measured without a broker and a client."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from benchmarks.peers.named_threads import POLL
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Outbound, Record
from stream.microbatch import MicroBatch
from workers.worker import Clients, Worker

_MOST = 1000
"""Records that a poll returns at most, as that of the Kafka client."""


class Queue:
    """A topic in memory that is read as one partition, and when what was made of each record has been sent.

    Attributes:
        sent: seconds on the clock of ``time.perf_counter``, by the offset of the record.
        dead: how many records have become dead letters.
    """

    def __init__(self) -> None:
        self.assignment = Assignment("memory", 0)
        self.records: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self.sent: dict[int, float] = {}
        self.dead = 0
        self._count = 0
        self._changed = threading.Condition()

    def put(self, value: bytes) -> int:
        """Append a record and return its offset. One thread at a time."""
        offset = self._count
        self._count += 1
        self.records.put(Record(self.assignment, offset, str(offset).encode(), value))
        return offset

    def note(self, outbounds: Sequence[Outbound]) -> None:
        """Note that ``outbounds`` are sent now."""
        now = time.perf_counter()
        with self._changed:
            for outbound in outbounds:
                if outbound.origin is not None:
                    self.sent[outbound.origin.offset] = now
                    self.dead += outbound.kind != "event"
            self._changed.notify_all()

    def wait(self, within: float) -> bool:
        """Wait until something has been sent for every record, up to ``within`` seconds; returns whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.sent) == self._count, within)


class QueueSource:
    """Has the methods of ``Source`` that a worker needs: one partition, which is never revoked."""

    down = outside = False
    member = ""
    metadata = None
    commits = 0

    def __init__(self, topic: Queue) -> None:
        self.paused = False
        self.assignments = [topic.assignment]
        self.rebalances: Counter[str] = Counter()
        self._records = topic.records

    def poll(self, timeout: float) -> list[Record]:
        """Return the records that have come, waiting up to ``timeout`` seconds for the first."""
        if self.paused:
            time.sleep(timeout)
            return []
        records: list[Record] = []
        with suppress(queue.Empty):
            records.append(self._records.get(timeout=timeout))
            while len(records) < _MOST:
                records.append(self._records.get_nowait())
        now = time.monotonic()
        for record in records:
            record.polled_at = now
        return records

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def commit(self, ends: Mapping[Assignment, int], wait: bool = False) -> None:
        self.commits += bool(ends)

    def take_failed_commits(self) -> set[Assignment]:
        return set()

    def take_firsts(self) -> dict[Assignment, int]:
        return {}

    def take_reached(self) -> dict[Assignment, int]:
        return {}

    def positions(self) -> dict[str, tuple[int, int]]:
        return {}

    def close(self) -> None:
        pass


class QueueSink:
    """Has the methods of ``Sink`` that a worker needs: what is sent has been delivered."""

    down = evicted = False
    waiting = commits = aborts = 0
    commit_seconds = 0.0

    def __init__(self, topic: Queue, delivered: Callable[[MicroBatch], None]) -> None:
        self._topic, self._delivered = topic, delivered

    def open(self, patience: float, stop: Callable[[], bool]) -> None:
        pass

    def send(self, batch: MicroBatch, outbounds: list[Outbound]) -> None:
        self._topic.note(outbounds)
        self._delivered(batch)

    def poll(self, timeout: float) -> None:
        pass

    def close(self) -> None:
        pass


class QueueWorker:
    """A worker of this process that reads a queue, on threads of its own."""

    def __init__(self, pipeline: Pipeline, chain: Any) -> None:
        """Start it. ``chain``: the tasks, loaded and warmed up."""
        self.topic = Queue()
        clients = Clients(
            source=lambda *_, **__: QueueSource(self.topic),
            sink=lambda *_, delivered, **__: QueueSink(self.topic, delivered),
        )
        self._worker = Worker(pipeline, chain, clients=clients)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=POLL)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._worker.run()
        except BaseException as error:
            self._failure = error

    def wait(self) -> None:
        """Wait until all records are sent. Raises SystemExit if one has become a dead letter, or the worker ends."""
        while not self.topic.wait(1.0):
            if not self._thread.is_alive():
                raise SystemExit("the worker has ended") from self._failure
        if self.topic.dead:
            raise SystemExit(f"{self.topic.dead} dead letters")

    def close(self) -> None:
        self._worker.stop()
        self._thread.join()
