"""Produces a round's events at an even pace, and records which were acknowledged."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from tests.chaos.invariants import Source
from tests.chaos.model import Event, Kind, events, unusual

_FLUSH = 300.0  # seconds; longer than any outage of a broker


class Feed(threading.Thread):
    """Sends the events. ``acknowledged`` is complete when the thread has ended; ``refused`` has those that failed."""

    def __init__(self, servers: str, topic: str, seed: str, count: int, seconds: float, log: Path) -> None:
        super().__init__(name="feed", daemon=True)
        self._producer = Producer({
            "bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5, "log_level": 0,
        })  # fmt: skip
        self._topic, self._seed, self._count, self._seconds = topic, seed, count, seconds
        self._asked: deque[tuple[Kind, int]] = deque()
        self._log = log
        self.acknowledged: dict[Source, Event] = {}
        self.refused: list[str] = []
        self.inserted: list[tuple[Kind, float]] = []
        """Kinds of unusual events that were sent, and when."""
        self.done = False

    def insert(self, kind: Kind, count: int) -> None:
        """Send ``count`` events of an unusual kind next. Any thread."""
        self._asked.append((kind, count))

    def run(self) -> None:
        with self._log.open("w") as log:
            begun = time.monotonic()
            plain = events(self._seed)
            while True:
                while self._asked:
                    kind, count = self._asked.popleft()
                    self.inserted.append((kind, time.time()))
                    for _ in range(count):
                        self._send(unusual(self._seed, next(plain).number, kind), log)
                event = next(plain)
                if event.number >= self._count:
                    break
                self._send(event, log)
                ahead = event.number / self._count * self._seconds - (time.monotonic() - begun)
                if ahead > 0.02:
                    self._producer.poll(ahead)
            if left := self._producer.flush(_FLUSH):
                self.refused.append(f"{left} events without an answer")
        self.done = True

    def _send(self, event: Event, log: Any) -> None:
        while True:
            try:
                self._producer.produce(
                    self._topic, event.value, event.key, on_delivery=partial(self._heard, event, log)
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def _heard(self, event: Event, log: Any, error: Any, message: Any) -> None:
        if error is not None:
            self.refused.append(error.name())
            return
        source = (message.partition(), message.offset())
        self.acknowledged[source] = event
        log.write(json.dumps([event.number, event.kind, event.key.decode(), *source]) + "\n")
