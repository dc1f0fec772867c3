"""The numbers behind the metrics: what a worker has done, and how it is."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from stream.telemetry.histogram import Histogram

PHASES = ("prepare", "forward", "finish", "commit")
"""What events spend time on: decoding and tokenising, the device, annotating and encoding, and the transaction."""

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_AGE = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
_FORWARD = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TOKENS = (64, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 262_144)
_EVENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


@dataclass
class Stats:
    """Counters since the worker started, and its current state.

    Each field is written by one thread and may be read by any. Numbers of events include dead letters unless they say
    otherwise; offsets, lags and partitions are those of the input topics.

    Attributes:
        polled: events polled.
        enriched: events published enriched. One that the broker rejects is subtracted again and counted in ``failed``.
        tombstones: tombstones passed on. One that the broker rejects is subtracted, as above.
        dropped: events of which nothing was published, because a route drops them.
        routed: events that each route took, those that it copied or dropped included. A copy that the broker rejects
            is subtracted.
        skipped: tombstones that were not published, because of `input.tombstones: skip`.
        failed: dead letters, by the stage that failed.
        discarded: events that were not published, because their partition was lost first.
        redacted: values that were replaced in published events, by label and operator.
        unread: annotations for which too much of the text was unknown to the tokenizer, by task.
        truncated: texts of which a task read only the beginning, by task.
        task_events: events that a task has read, by task; also those whose annotation was left out as unread.
        task_seconds: seconds that a task took to annotate, by task, without forwards.
        labels: how often a task has found a label, by task and label; "other" counts those beyond a number of labels.
        drift: how far annotations have drifted from their reference, by task and what: "labels", "scores", "unread".
        shadow_events: events that have an annotation of a shadow or could have, by task, shadow and outcome (``agree``,
            ``disagree``, ``one_sided`` or ``failed``).
        shadow_flagged: events that were compared and flagged, by task, shadow, and which of them flagged
            (``task`` or ``shadow``).
        shadow_labels: what a task and its shadow have found, by task, shadow, and the labels of both.
        disagreements: records about disagreements, by outcome: ``sent``, or ``lost`` (they could not be made, or the
            broker rejected them).
        tokens: tokens that the encoder has read.
        micro_batches: micro-batches handed to the sink.
        micro_batch_tokens, micro_batch_events: their sizes.
        forwards: seconds of forwards, by the name of the trunk.
        latency: seconds from the poll of an event until all that was made from it was delivered.
        age: seconds from the timestamp of an event until all that was made from it was delivered.
        fill: tokens of the last micro-batch as a share of the token budget, 0 to 1 (more for a long text).
        full_tokens: tokens with which a micro-batch is full, as of the last one.
        linger: seconds that an event waits for others at most while the device is idle, as of the last micro-batch.
        lag: events in the log that are not polled yet, as of the last second.
        partition_lag: the same for each partition assigned, by topic and partition.
        lag_seconds: seconds since the timestamp of the event finished last; 0 when no event is left.
        newest_ms: that timestamp in milliseconds since the epoch; 0 before the first event or if it has none.
        in_flight: events polled that are neither delivered nor dropped.
        bytes_in_flight: bytes of their values.
        landed: micro-batches delivered.
        commits: acknowledged offset commits, or committed transactions.
        aborts: aborted transactions.
        partitions: partitions assigned now.
        rebalances: how often the group has "assigned", "revoked" or "lost" partitions.
        seconds: seconds spent in each of ``PHASES``.
        cache_hits: annotations found in the cache.
        cache_lookups: annotations looked up in the cache.
        paused: whether backpressure pauses polling.
        stuck: for each thing that the watchdog finds stuck, a sentence that says for how long.
        config: the hash of the configuration in use; empty while the models are loading.
        device, precision: where the models are, and the type of their numbers.
        started: when the worker was made, in seconds since the epoch.
        spans: spans of traces by what became of them: ``sent``, ``failed`` (the collector did not take them),
            ``queue_full``.
        away: what the worker waits for besides the brokers, such as "registry", and a sentence that says why.
        turned: when the poll loop last turned, in seconds on the monotonic clock; 0 before it has started.
    """

    polled: int = 0
    enriched: int = 0
    tombstones: int = 0
    dropped: int = 0
    routed: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    discarded: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    redacted: Counter[tuple[str, str]] = field(default_factory=Counter)
    truncated: Counter[str] = field(default_factory=Counter)
    task_events: Counter[str] = field(default_factory=Counter)
    task_seconds: dict[str, float] = field(default_factory=dict)
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    drift: dict[tuple[str, str], float] = field(default_factory=dict)
    shadow_events: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    shadow_flagged: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    shadow_labels: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    disagreements: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    micro_batches: int = 0
    micro_batch_tokens: Histogram = field(default_factory=lambda: Histogram(_TOKENS))
    micro_batch_events: Histogram = field(default_factory=lambda: Histogram(_EVENTS))
    forwards: defaultdict[str, Histogram] = field(default_factory=lambda: defaultdict(lambda: Histogram(_FORWARD)))
    latency: Histogram = field(default_factory=lambda: Histogram(_LATENCY))
    age: Histogram = field(default_factory=lambda: Histogram(_AGE))
    fill: float = 0.0
    full_tokens: int = 0
    linger: float = 0.0
    lag: int = 0
    partition_lag: dict[tuple[str, str], int] = field(default_factory=dict)
    lag_seconds: float = 0.0
    newest_ms: int = 0
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
    config: str = ""
    device: str = "none"
    precision: str = "none"
    started: float = field(default_factory=time.time)
    spans: Counter[str] = field(default_factory=Counter)
    away: dict[str, str] = field(default_factory=dict)
    turned: float = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to ``seconds[name]``, also if it raises."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began

    @property
    def finished(self) -> int:
        """Number of events that have an outcome other than ``discarded``."""
        return self.enriched + self.tombstones + self.dropped + self.skipped + self.dead_letters

    @property
    def dead_letters(self) -> int:
        """Number of dead letters, whichever stage failed."""
        return sum(self.failed.values())
