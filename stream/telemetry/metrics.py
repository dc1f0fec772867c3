"""The names of all metrics, and their exposition in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from stream.telemetry.stats import Stats


class Exposition(Collector):
    """Exposes a worker's counters to Prometheus. Nothing is computed until it is scraped. Any thread may use it."""

    def __init__(self, stats: Stats, pipeline: str, slot: int) -> None:
        """``pipeline`` (its name) and ``slot`` become labels of every metric."""
        self._stats = stats
        self._labels = {"pipeline": pipeline, "slot": str(slot)}
        self._registry = CollectorRegistry(auto_describe=True)  # otherwise our names cannot be chosen
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self, names: Sequence[str] = ()) -> bytes:
        """Return all metrics, those of the process too, in the text format of Prometheus.

        With ``names``, return only the samples that have one of them; a name that does not exist selects nothing.
        """
        return generate_latest(self._registry.restricted_registry(names) if names else self._registry)

    def collect(self) -> Iterable[Metric]:
        """Yield the worker's own metrics; called by the Prometheus client."""
        s = self._stats
        outcomes = {
            "enriched": s.enriched, "dropped": s.dropped, "tombstone": s.tombstones, "skipped": s.skipped,
            "dead_letter": s.dead_letters, "discarded": s.discarded,
        }  # fmt: skip
        transactions = {"committed": s.commits, "aborted": s.aborts}
        yield self._counter("records_read", "Records polled.", {"": s.polled})
        yield self._counter("records", "Records finished, by outcome.", outcomes, "outcome")
        yield self._counter("routed", "Records taken by a route.", s.routed, "route")
        yield self._counter("dead_letters", "Dead letters, by the stage that failed.", s.failed, "stage")
        yield self._redacted(s.redacted)
        yield self._counter("unread", "Annotations of texts that the model could not read, by task.", s.unread, "task")
        yield self._counter("tokens", "Tokens read by the encoder.", {"": s.tokens})
        yield self._counter("micro_batches", "Micro-batches computed.", {"": s.micro_batches})
        yield self._counter("commits", "Commits, by outcome.", transactions, "outcome")
        yield self._counter("rebalances", "Rebalances of this worker, by kind.", s.rebalances, "kind")
        yield self._counter("phase_seconds", "Seconds spent, by phase.", s.seconds, "phase")
        yield self._counter("cache_lookups", "Annotations looked up in the cache.", {"": s.cache_lookups})
        yield self._counter("cache_hits", "Annotations found in the cache.", {"": s.cache_hits})
        yield self._gauge("in_flight_records", "Records polled and not yet delivered.", {"": s.in_flight})
        yield self._gauge("in_flight_bytes", "Bytes of the values of records in flight.", {"": s.bytes_in_flight})
        yield self._gauge("lag_records", "Records in the log and not yet polled.", {"": s.lag})
        yield self._gauge("lag_seconds", "Age of the record finished last; 0 if none is left.", {"": s.lag_seconds})
        yield self._gauge("partitions", "Partitions assigned.", {"": s.partitions})
        yield self._gauge("paused", "1 while backpressure pauses polling.", {"": s.paused})
        yield self._gauge("stuck", "1 for each thing the watchdog finds stuck.", dict.fromkeys(s.stuck, 1), "what")

    def _redacted(self, values: Mapping[tuple[str, str], int]) -> Metric:
        text = "Values replaced in published events, by label and operator."
        family = CounterMetricFamily("glossator_redacted", text, labels=[*self._labels, "label", "operator"])
        for labels, count in list(values.items()):
            family.add_metric([*self._labels.values(), *labels], float(count))
        return family

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
