"""What a worker has done and how it is: every metric's name in one place, and the numbers behind them."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

PHASES = ("prepare", "forward", "finish", "commit")
"""What events wait for: decoding and tokenising, the device, annotating and sending, and the transaction."""


class JsonLines(logging.Formatter):
    """A log line as a JSON object, for collectors. Like all our lines it holds no text of events.

    ``slot``: of the worker that says so; None for the supervisor.
    """

    def __init__(self, slot: int | None = None) -> None:
        super().__init__()
        self._slot = {} if slot is None else {"slot": slot}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(), **self._slot,
        }  # fmt: skip
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__qualname__
        return json.dumps(line, ensure_ascii=False)


@dataclass
class Stats:
    """Counters since the start; each is written by one thread and may be read by any.

    - ``polled``: events read; ``enriched``: events that came out; ``failed``: stage -> dead letters; ``discarded``:
      events whose partition was lost before they were sent.
    - ``fill``: the share of the token budget that the last micro-batch used.
    - ``lag``: events not yet polled; ``lag_seconds``: the age of what was finished last, 0 when nothing is left;
      ``in_flight``, ``bytes_in_flight``: polled and not yet delivered.
    - ``landed``: micro-batches delivered; ``commits``: offsets committed, or transactions; ``aborts``: transactions.
    - ``rebalances``: what happened ("assigned", "revoked", "lost") -> how often.
    - ``seconds``: phase -> time spent.
    - ``stuck``: what the watchdog says, by what it watches.
    """

    polled: int = 0
    enriched: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    discarded: int = 0
    tokens: int = 0
    micro_batches: int = 0
    fill: float = 0.0
    lag: int = 0
    lag_seconds: float = 0.0
    newest_ms: int = 0
    """The timestamp of the event finished last."""
    in_flight: int = 0
    bytes_in_flight: int = 0
    landed: int = 0
    commits: int = 0
    aborts: int = 0
    partitions: int = 0
    rebalances: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    cache_hits: int = 0
    cache_lookups: int = 0
    paused: bool = False
    stuck: dict[str, str] = field(default_factory=dict)
    turned: float = 0.0
    """When the poll loop last turned, on the monotonic clock; 0 before it began."""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the time of the block to ``seconds``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began

    @property
    def dead_letters(self) -> int:
        return sum(self.failed.values())


class Exposition(Collector):
    """``stats`` in the text format of Prometheus; nothing is computed until somebody asks."""

    def __init__(self, stats: Stats, pipeline: str, slot: int) -> None:
        self._stats = stats
        self._labels = {"pipeline": pipeline, "slot": str(slot)}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        s = self._stats
        outcomes = {"enriched": s.enriched, "dead_letter": s.dead_letters, "discarded": s.discarded}
        transactions = {"committed": s.commits, "aborted": s.aborts}
        yield self._counter("records_read", "Records polled.", {"": s.polled})
        yield self._counter("records", "Records finished, by what became of them.", outcomes, "outcome")
        yield self._counter("dead_letters", "Dead letters, by the stage that failed.", s.failed, "stage")
        yield self._counter("tokens", "Tokens computed.", {"": s.tokens})
        yield self._counter("micro_batches", "Micro-batches computed.", {"": s.micro_batches})
        yield self._counter("commits", "Commits, by what became of them.", transactions, "outcome")
        yield self._counter("rebalances", "What the group did to this worker.", s.rebalances, "kind")
        yield self._counter("phase_seconds", "Seconds spent, by phase.", s.seconds, "phase")
        yield self._counter("cache_lookups", "Annotations asked of the cache.", {"": s.cache_lookups})
        yield self._counter("cache_hits", "Annotations the cache knew.", {"": s.cache_hits})
        yield self._gauge("in_flight_records", "Records polled and not yet delivered.", {"": s.in_flight})
        yield self._gauge("in_flight_bytes", "Bytes of their values.", {"": s.bytes_in_flight})
        yield self._gauge("lag_records", "Records in the log and not yet polled.", {"": s.lag})
        yield self._gauge("lag_seconds", "Age of the record finished last; 0 when none is left.", {"": s.lag_seconds})
        yield self._gauge("partitions", "Partitions assigned.", {"": s.partitions})
        yield self._gauge("paused", "1 while backpressure holds the polling back.", {"": s.paused})
        yield self._gauge("stuck", "1 for each thing the watchdog finds stuck.", dict.fromkeys(s.stuck, 1), "what")

    def _counter(self, name: str, text: str, values: Mapping[str, float], label: str = "") -> Metric:
        family = CounterMetricFamily(f"glossator_{name}", text, labels=[*self._labels, *([label] if label else [])])
        return self._filled(family, values)

    def _gauge(self, name: str, text: str, values: Mapping[str, float], label: str = "") -> Metric:
        family = GaugeMetricFamily(f"glossator_{name}", text, labels=[*self._labels, *([label] if label else [])])
        return self._filled(family, values)

    def _filled(self, family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> Metric:
        for key, value in list(values.items()):
            family.add_metric([*self._labels.values(), *([key] if key else [])], float(value))
        return family
