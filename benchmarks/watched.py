"""A worker that is watched: when each event comes to each of its steps, from one topic to the other."""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

import orjson
from confluent_kafka import Producer

from benchmarks.peers.named_threads import POLL
from benchmarks.peers.running import PARTITIONS, Outputs
from benchmarks.redirect import redirected
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from tests.kafka.cluster import Cluster
from workers.worker import Worker

STEPS = ("poll", "prepare", "micro-batch", "pack", "device", "forward", "finish", "deliver")
"""What an event waits for, in this order: to be polled, and to be decoded; for its micro-batch to be cut; for packing;
for the device; for the forwards of its micro-batch; for the finish thread; for being annotated, written and read."""


class WatchedChain:
    """A chain, and when each event came to each of its steps: ``moments`` has them by the key of its record."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain
        self._batches: dict[int, list[Document]] = {}
        self.moments: dict[bytes, list[float]] = defaultdict(list)
        self.tokens: list[int] = []
        """Of each micro-batch."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def prepare(self, documents: list[Document]) -> None:
        for document in documents:
            record = document.record
            self.moments[cast(Any, record).key].append(cast(Any, record).polled_at)
        self._note(documents)
        self._chain.prepare(documents)

    def pack(self, documents: list[Document]) -> Any:
        self._note(documents)
        work = self._chain.pack(documents)
        self._batches[id(work)] = documents
        self._note(documents)
        return work

    def forward(self, work: Any, wait_for: Any) -> None:
        documents = self._batches[id(work)]
        self.tokens.append(sum(document.tokens for document in documents))
        self._note(documents)
        self._chain.forward(work, wait_for)
        self._note(documents)

    def annotate(self, work: Any) -> None:
        self._note(self._batches.pop(id(work)))
        self._chain.annotate(work)

    def _note(self, documents: Sequence[Document]) -> None:
        now = time.perf_counter()
        for document in documents:
            self.moments[cast(Any, document.record).key].append(now)


class WatchedWorker:
    """A worker of this process, and when each event that is sent to it comes to each of its steps."""

    def __init__(self, kafka: Cluster, pipeline: Pipeline, chain: Any) -> None:
        topic = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", PARTITIONS)
        settings = redirected(pipeline, kafka, topic, PARTITIONS)
        self.chain = WatchedChain(chain)
        self._topic = topic
        self._worker = Worker(settings, cast(Any, self.chain))
        self._thread = threading.Thread(target=self._worker.run, name=POLL)
        self._thread.start()
        self._outputs = Outputs(kafka.bootstrap_servers, settings.output.topic, keep=False)
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0, "log_level": 2})
        self._sent = 0

    def close(self) -> None:
        self._worker.stop()
        self._thread.join()
        self._outputs.close()

    def load(self, texts: Sequence[str], times: Sequence[float]) -> list[list[float]]:
        """Send each text at its time, in seconds from now; return the moments of each, from that time to its output."""
        started, names = time.perf_counter(), []
        for text, at in zip(texts, times, strict=True):
            while (left := started + at - time.perf_counter()) > 0:
                self._producer.poll(0)
                time.sleep(min(left, 0.001))
            names.append(f"e{self._sent}")
            self._sent += 1
            self._producer.produce(self._topic, orjson.dumps({"id": names[-1], "text": text}), names[-1].encode())
            self._producer.poll(0)
        while len(self._outputs.arrived) < self._sent:
            if not self._thread.is_alive():
                raise SystemExit("the worker has ended")
            if dead := self._worker.stats.dead_letters:
                raise SystemExit(f"{dead} dead letters, {dict(self._worker.stats.failed)}")
            self._producer.poll(0)
            time.sleep(0.005)
        return [
            [started + at, *self.chain.moments[name.encode()], self._outputs.arrived[name]]
            for name, at in zip(names, times, strict=True)
        ]
