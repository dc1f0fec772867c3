"""The demo's stream: texts played into a topic, and a book of what has come back."""

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
"""The header of every record, and of its event or dead letter: ``<run>-<number>``."""

_AHEAD = 1 << 20
"""Bytes that may be sent and not come back yet: the embedded broker drops what is more than 5 MiB old, read or not."""


class Recorded(NamedTuple):
    """A record of the stream; a value of None is a tombstone."""

    key: bytes | None
    value: bytes | None


def recorded() -> list[Recorded]:
    """Return the stream in ``demo.jsonl``.

    Each line is an object with a ``key`` (text or null) and one of

    - ``value``: JSON, sent as JSON (null: a tombstone);
    - ``raw``: text, sent unchanged, for values that are not JSON;
    - ``base64``: bytes, for values that are not UTF-8.
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
    """Records which of this run's records were sent, and which came back as enriched events or dead letters.

    One thread calls ``sending``, another ``saw``.

    Attributes:
        run: The id of this run.
        enriched: Numbers of the records that came back enriched.
        dead: Numbers of the records that came back as dead letters.
        repeated: How many events came back more than once.
        sent: How many records were sent.
        started: When the first record was sent, on the monotonic clock; None before that.
    """

    def __init__(self) -> None:
        self.run = secrets.token_hex(4)
        self.enriched: set[int] = set()
        self.dead: set[int] = set()
        self.repeated = 0
        self.sent = 0
        self.started: float | None = None
        self._sizes: list[int] = []
        self._bytes_sent = 0
        self._bytes_seen = 0

    def sending(self, size: int) -> tuple[str, bytes]:
        """Record that a record of ``size`` bytes is being sent; return the header to send with it."""
        if self.started is None:
            self.started = time.monotonic()
        self._sizes.append(size)
        self._bytes_sent += size
        self.sent += 1
        return HEADER, f"{self.run}-{self.sent - 1}".encode()

    def saw(self, record: Record, dead: bool) -> bool:
        """Record what came back; return False if it is from another run, or came back before."""
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
        """The bytes of the records that have not come back yet."""
        return self._bytes_sent - self._bytes_seen

    @property
    def missing(self) -> int:
        """The number of records that have not come back yet."""
        return self.sent - len(self.enriched) - len(self.dead)


class Feeder(threading.Thread):
    """Plays the stream into the input topic, ``rate`` records per second (0: as fast as they are read).

    It ends after ``events`` records, or if that is None, when ``stop`` is called.
    ``failure`` is the exception that ended it early, or None.
    """

    def __init__(self, pipeline: Pipeline, book: Book, events: int | None, rate: float) -> None:
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
        """Stop sending."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping.is_set()

    def run(self) -> None:
        """Play the stream; called by the thread itself."""
        try:
            self._play()
        except BaseException as error:
            self.failure = error

    def _play(self) -> None:
        stream = recorded()
        sink = self._sink
        started = time.monotonic()
        while not self._stopping.is_set() and (self._events is None or self._book.sent < self._events):
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
