"""The table of all metrics: ``/metrics`` is made of it, and so is the table in ``docs/operations.md``.

``python -m stream.telemetry.table`` prints the latter.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from stream.telemetry.build import version
from stream.telemetry.histogram import Histogram
from stream.telemetry.stats import Stats

Number: TypeAlias = float | int | bool
Values: TypeAlias = Number | Histogram | Mapping[Any, Number | Histogram]
"""A number, or a histogram, for a metric without labels of its own. With one label, numbers by its value, a string;
with more labels, by the tuple of their values. An empty mapping: there is no value yet."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric.

    Attributes:
        name: as in ``/metrics``; that of a counter ends in ``_total``.
        kind: its type in Prometheus.
        help: what it counts or measures, with its unit, in one sentence or two; plain text and `code`.
        labels: its labels besides ``pipeline`` and ``slot``, which all metrics have. Their values must be few, and must
            never be or contain a text, a key or a value of an event.
        read: returns its values; called for each scrape, on any thread.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...]
    read: Callable[[Stats], Values]


def _outcomes(stats: Stats) -> Mapping[str, int]:
    return {
        "enriched": stats.enriched, "dropped": stats.dropped, "tombstone": stats.tombstones, "skipped": stats.skipped,
        "dead_letter": stats.dead_letters, "discarded": stats.discarded,
    }  # fmt: skip


def _build(_: Stats) -> Mapping[tuple[str, str], int]:
    return {(version(), platform.python_version()): 1}


def _config(stats: Stats) -> Mapping[tuple[str, str, str], int]:
    return {(stats.config, stats.device, stats.precision): 1} if stats.config else {}


def _heartbeat(stats: Stats) -> Values:
    return time.time() - (time.monotonic() - stats.turned) if stats.turned else {}


TABLE: tuple[Row, ...] = (
    Row("glossator_records_read_total", "counter", "Records polled.", (), lambda s: s.polled),
    Row(
        "glossator_records_total", "counter",
        "Records finished: `enriched`, `dropped` by a route, `tombstone` (passed on), `skipped` (tombstones), "
        "`dead_letter`, `discarded` (their partition was lost before).",
        ("outcome",), _outcomes,
    ),
    Row("glossator_routed_total", "counter", "Records that a route took, copied or dropped.", ("route",),
        lambda s: s.routed),
    Row(
        "glossator_redacted_total", "counter",
        "Values that were replaced in published events; the label of a whole value is its place in `redact`.",
        ("label", "operator"), lambda s: s.redacted,
    ),
    Row("glossator_dead_letters_total", "counter", "Dead letters, by the stage that failed.", ("stage",),
        lambda s: s.failed),
    Row("glossator_unread_total", "counter", "Annotations of texts that the model could not read, made or not.",
        ("task",), lambda s: s.unread),
    Row("glossator_truncated_total", "counter", "Texts of which a task read only the beginning.", ("task",),
        lambda s: s.truncated),
    Row("glossator_task_events_total", "counter", "Events that a task has read, its annotation left out or not.",
        ("task",), lambda s: s.task_events),
    Row("glossator_task_seconds_total", "counter",
        "Seconds that a task took to annotate, without forwards, which tasks share.", ("task",),
        lambda s: s.task_seconds),
    Row(
        "glossator_labels_total", "counter",
        "Labels found in published events: the best one of a classification, those of spans, flagged ones. `other` "
        "counts those beyond 100 labels of a task. Custom tasks are left out.",
        ("task", "label"), lambda s: s.labels,
    ),
    Row(
        "glossator_drift", "gauge",
        "How far the `labels`, `scores` or `unread` texts of the last 24 hours are from a reference, beyond chance; "
        "above 0.25 is significant.",
        ("task", "of"), lambda s: s.drift,
    ),
    Row(
        "glossator_shadow_events_total", "counter",
        "Events for which a task or its shadow has an annotation: `agree`, `disagree`, `one_sided` (only one of them "
        "has one), `failed` (the shadow).",
        ("task", "shadow", "outcome"), lambda s: s.shadow_events,
    ),
    Row("glossator_shadow_flagged_total", "counter",
        "Compared events that were flagged: by the `task`, by the `shadow`.", ("task", "shadow", "by"),
        lambda s: s.shadow_flagged),
    Row(
        "glossator_shadow_labels_total", "counter",
        "What a task and its shadow have found, by the labels of both. `(none)`: nothing; `(other)` counts labels "
        "beyond 30 of each.",
        ("task", "shadow", "label", "shadow_label"), lambda s: s.shadow_labels,
    ),
    Row("glossator_disagreements_total", "counter",
        "Records for `output.disagreements`: `sent`, `lost` (too large for the topic, say; events are not affected).",
        ("outcome",), lambda s: s.disagreements),
    Row("glossator_tokens_total", "counter", "Tokens computed.", (), lambda s: s.tokens),
    Row("glossator_micro_batches_total", "counter", "Micro-batches computed.", (), lambda s: s.micro_batches),
    Row("glossator_micro_batch_tokens", "histogram", "Tokens of a micro-batch.", (), lambda s: s.micro_batch_tokens),
    Row("glossator_micro_batch_events", "histogram", "Events of a micro-batch.", (), lambda s: s.micro_batch_events),
    Row("glossator_micro_batch_full_tokens", "gauge",
        "Tokens with which a micro-batch is full: as set, or as `target_latency_ms` chooses.",
        (), lambda s: s.full_tokens),
    Row("glossator_linger_seconds", "gauge",
        "Seconds that an event may wait for others while the device is idle: as set, or as `target_latency_ms` "
        "chooses.",
        (), lambda s: s.linger),
    Row("glossator_forward_seconds", "histogram", "Seconds of one forward, by the model that its trunk is from.",
        ("trunk",), lambda s: s.forwards),
    Row("glossator_event_latency_seconds", "histogram",
        "Seconds from the poll of an event until everything made from it was in the log.", (), lambda s: s.latency),
    Row("glossator_event_age_seconds", "histogram",
        "Seconds from the timestamp of an event until everything made from it was in the log.", (), lambda s: s.age),
    Row("glossator_commits_total", "counter", "Commits of offsets, or transactions: `committed`, `aborted`.",
        ("outcome",), lambda s: {"committed": s.commits, "aborted": s.aborts}),
    Row("glossator_rebalances_total", "counter", "Rebalances of this worker: `assigned`, `revoked`, `lost`.",
        ("kind",), lambda s: s.rebalances),
    Row(
        "glossator_phase_seconds_total", "counter",
        "Seconds spent in `prepare` (decode, tokenise), `forward`, `finish` (annotate, write) and `commit` "
        "(transactions).",
        ("phase",), lambda s: s.seconds,
    ),
    Row("glossator_cache_lookups_total", "counter", "Annotations looked up in the cache.", (),
        lambda s: s.cache_lookups),
    Row("glossator_cache_hits_total", "counter", "Annotations found in the cache.", (), lambda s: s.cache_hits),
    Row("glossator_in_flight_records", "gauge", "Records polled and not yet delivered.", (), lambda s: s.in_flight),
    Row("glossator_in_flight_bytes", "gauge", "Bytes of the values of these records.", (), lambda s: s.bytes_in_flight),
    Row("glossator_lag_records", "gauge", "Records in the log and not yet polled.", (), lambda s: s.lag),
    Row("glossator_partition_lag_records", "gauge", "The same by partition, of those assigned.",
        ("topic", "partition"), lambda s: s.partition_lag),
    Row("glossator_lag_seconds", "gauge", "Age in seconds of the record finished last, 0 if none is left.", (),
        lambda s: s.lag_seconds),
    Row("glossator_partitions", "gauge", "Partitions assigned.", (), lambda s: s.partitions),
    Row("glossator_paused", "gauge", "1 while backpressure pauses polling.", (), lambda s: s.paused),
    Row("glossator_stuck", "gauge", "1 for each thing the watchdog finds stuck.", ("what",),
        lambda s: dict.fromkeys(s.stuck, 1)),
    Row("glossator_waiting", "gauge", "1 for each thing besides the brokers that events wait for: `registry`.",
        ("what",), lambda s: dict.fromkeys(s.away, 1)),
    Row("glossator_spans_total", "counter",
        "Spans of traces: `sent`, or dropped because the collector did not take them (`failed`) or too many waited "
        "(`queue_full`).",
        ("outcome",), lambda s: {outcome: s.spans[outcome] for outcome in ("sent", "failed", "queue_full")}),
    Row("glossator_build_info", "gauge", "Always 1; the version of glossator, and that of Python.",
        ("version", "python"), _build),
    Row("glossator_config_info", "gauge",
        "Always 1, when the models are loaded; the hash of the configuration, the device and the precision.",
        ("config", "device", "precision"), _config),
    Row("glossator_start_timestamp_seconds", "gauge", "When the worker started, in seconds since the epoch.", (),
        lambda s: s.started),
    Row("glossator_heartbeat_timestamp_seconds", "gauge",
        "When the poll loop turned last, in seconds since the epoch; absent before it starts.", (), _heartbeat),
)  # fmt: skip


def markdown() -> str:
    """Return the table for ``docs/operations.md``: name, labels and meaning of every metric, in the order above."""
    lines = ["| Metric | Labels | Meaning |", "|---|---|---|"]
    for row in TABLE:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        lines.append(f"| `{row.name}` | {labels}{' ' * bool(labels)}| {row.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
