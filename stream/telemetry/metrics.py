"""Every metric's name in one place, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from stream.telemetry.stats import Stats


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
