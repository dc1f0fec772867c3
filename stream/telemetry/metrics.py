"""The exposition of all metrics in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isinf
from typing import Any, cast

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from stream.telemetry.histogram import Histogram
from stream.telemetry.stats import Stats
from stream.telemetry.table import TABLE, Row

_FAMILIES: dict[str, Any] = {
    "counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily,
}  # fmt: skip


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
        return map(self._family, TABLE)

    def _family(self, row: Row) -> Metric:
        family = _FAMILIES[row.kind](row.name.removesuffix("_total"), row.help, labels=[*self._labels, *row.labels])
        values = row.read(self._stats)
        by_labels = values if isinstance(values, Mapping) else {(): values}
        for key, value in list(by_labels.items()):  # a copy: other threads add to it
            labels = [*self._labels.values(), *([key] if isinstance(key, str) else key)]
            if isinstance(value, Histogram):
                total = value.sum  # first, so that no scrape has a sum without its values
                family.add_metric(labels, [(_bound(most), count) for most, count in value.buckets()], total)
            else:
                family.add_metric(labels, float(value))
        return cast(Metric, family)


def _bound(most: float) -> str:
    return "+Inf" if isinf(most) else str(float(most))
