"""The demo's stream: texts written for it, played into a topic, and the book of what has come of them."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from importlib import resources
from typing import NamedTuple

import orjson

from schemas.pipeline.config import Pipeline
from schemas.record import Outbound, Record
from stream.kafka.at_least_once import AtLeastOnceSink
from stream.microbatch import MicroBatch

HEADER = "glossator-demo"
"""Every record carries it, and so do its event and its dead letter: ``<run>-<number>``."""

_AHEAD = 1 << 20
"""Bytes sent whose outcome has not been seen: the embedded broker forgets what is 5 MiB old, read or not."""


class Recorded(NamedTuple):
    key: bytes | None
    value: bytes | None


def recorded() -> list[Recorded]:
    """The bundled stream, ``demo.jsonl``. A line is an object with a ``key`` (text or null) and one of

    - ``value``: JSON, sent as such (null: a tombstone);
    - ``raw``: text, sent as it is; ``base64``: bytes. For what is no JSON, or no UTF-8.
    """
    lines = (resources.files("workers.cli.demo") / "demo.jsonl").read_bytes().splitlines()
    return [_recorded(orjson.loads(line)) for line in lines]


def _recorded(line: dict[str, object]) -> Recorded:
    key = None if line["key"] is None else str(line["key"]).encode()
    if "raw" in line:
        return Recorded(key, str(line["raw"]).encode())
    if "base64" in line:
        return Recorded(key, base64.b64decode(str(line["base64"])))
    return Recorded(key, None if line["value"] is None else orjson.dumps(line["value"]))


class Book:
    """Which of this run's records were sent, and which came back enriched or dead.

    One thread enters what is sent, another what is seen.
    """

    def __init__(self) -> None:
        self.run = secrets.token_hex(4)
        self.enriched: set[int] = set()
        self.dead: set[int] = set()
        self.repeated = 0
        self.sent = 0
        self._sizes: list[int] = []
        self._bytes_sent = 0
        self._bytes_seen = 0

    def sending(self, size: int) -> tuple[str, bytes]:
        """Enters one more record of ``size`` bytes; returns the header it shall carry."""
        self._sizes.append(size)
        self._bytes_sent += size
        self.sent += 1
        return HEADER, f"{self.run}-{self.sent - 1}".encode()

    def saw(self, record: Record, dead: bool) -> bool:
        """Enters what came back; False when it is another run's, or came before."""
        label = dict(record.headers or []).get(HEADER)
        run, _, number = (label if isinstance(label, bytes) else b"").decode().rpartition("-")
        if run != self.run:
            return False
        if int(number) in self.enriched or int(number) in self.dead:
            self.repeated += 1
            return False
        (self.dead if dead else self.enriched).add(int(number))
        self._bytes_seen += self._sizes[int(number)]
        return True

    @property
    def open_bytes(self) -> int:
        """Bytes sent of which nothing came back yet."""
        return self._bytes_sent - self._bytes_seen

    @property
    def missing(self) -> int:
        """Records sent that are neither enriched nor dead."""
        return self.sent - len(self.enriched) - len(self.dead)


class Feeder(threading.Thread):
    """Plays the stream into the input topic: ``events`` records, ``rate`` a second (0: as fast as they are read).

    ``failure`` is what ended it early, if anything did.
    """

    def __init__(self, pipeline: Pipeline, book: Book, events: int, rate: float) -> None:
        super().__init__(name="feeder", daemon=True)
        self.failure: BaseException | None = None
        self._sink = AtLeastOnceSink(pipeline, delivered=lambda _: None, refused=lambda *_: None)
        self._topic = pipeline.input.topics[0]
        self._book = book
        self._events = events
        self._rate = rate
        self._stopping = threading.Event()

    def await_topics(self, patience: float) -> None:
        """Waits up to ``patience`` seconds for the pipeline's topics. Raises BrokerError, TopicError or AccessError."""
        self._sink.open(patience, self._stopping.is_set)

    def stop(self) -> None:
        """Sends nothing more; what is sent is sent."""
        self._stopping.set()

    def run(self) -> None:
        try:
            self._play()
        except BaseException as error:
            self.failure = error

    def _play(self) -> None:
        stream = recorded()
        sink = self._sink
        started = time.monotonic()
        while self._book.sent < self._events and not self._stopping.is_set():
            sent = self._book.sent
            wait = started + sent / self._rate - time.monotonic() if self._rate else 0.0
            if wait > 0 or self._book.open_bytes > _AHEAD:
                sink.poll(min(wait, 0.1) if wait > 0 else 0.01)
                continue
            key, value = stream[sent % len(stream)]
            outbound = Outbound(self._topic, key, value, [self._book.sending(len(value or b""))])
            sink.send(MicroBatch(sent, [], 0), [outbound])
        while sink.waiting:
            sink.poll(0.1)
