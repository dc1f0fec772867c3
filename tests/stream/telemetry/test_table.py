"""What is exposed is what the table says: every metric with its type, its help and its labels, and no other."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from stream.telemetry.metrics import Exposition
from stream.telemetry.stats import Stats
from stream.telemetry.table import TABLE


def full() -> Stats:
    """Statistics in which every metric has a value."""
    stats = Stats(config="12345678", device="cpu", precision="float32", turned=1.0)
    for counter in (
        stats.failed,
        stats.routed,
        stats.unread,
        stats.rebalances,
        stats.truncated,
        stats.task_events,
        stats.disagreements,
    ):
        counter["a"] = 1
    stats.labels["tone", "positive"] = stats.redacted["PERSON", "mask"] = 3
    stats.task_seconds["tone"], stats.partition_lag["posts", "0"] = 0.5, 7
    stats.forwards["starter"].add(0.3)
    stats.drift["tone", "labels"] = 0.3
    stats.shadow_events["a", "b", "agree"] = stats.shadow_flagged["a", "b", "task"] = 1
    stats.shadow_labels["a", "b", "x", "y"] = 1
    stats.away["registry"] = "it cannot be asked"
    stats.stuck["device"] = "nothing has moved for 60 s"
    return stats


def require_table(text: str, *, absent: frozenset[str] = frozenset()) -> dict[str, Metric]:
    """Require that the families of ``text`` are those of the table; return them by their names in it.

    ``absent``: metrics that may have no sample.
    """
    families = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith("glossator_"):
            families[family.name + "_total" * (family.type == "counter")] = family
    rows = {row.name: (row.kind, row.help, {*row.labels, "pipeline", "slot"}) for row in TABLE}
    assert families.keys() == rows.keys()
    for name, family in families.items():
        kind, words, labels = rows[name]
        assert (family.type, family.documentation) == (kind, words)
        assert family.samples or name in absent, f"{name} has no value"
        for sample in family.samples:
            assert set(sample.labels) - ({"le"} if kind == "histogram" else set()) == labels, name
    return families


def test_every_metric_is_exposed_as_the_table_says() -> None:
    require_table(Exposition(full(), "p", 0).text().decode())


def test_a_worker_that_has_just_started_exposes_every_metric_too() -> None:
    empty = {row.name for row in TABLE if row.labels} | {"glossator_heartbeat_timestamp_seconds"}
    require_table(Exposition(Stats(), "p", 0).text().decode(), absent=frozenset(empty))


def test_a_histogram_has_buckets_a_sum_and_a_count() -> None:
    stats = full()
    stats.forwards["starter"].add(0.04)
    family = require_table(Exposition(stats, "p", 0).text().decode())["glossator_forward_seconds"]
    samples: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for sample in family.samples:
        samples[sample.name.rpartition("_")[2]][sample.labels.get("le", "")] = sample.value
    assert samples["sum"][""] == pytest.approx(0.34)
    assert samples["count"][""] == samples["bucket"]["+Inf"] == 2
    assert (samples["bucket"]["0.025"], samples["bucket"]["0.05"], samples["bucket"]["0.5"]) == (0, 1, 2)


def test_names_follow_the_conventions_of_prometheus() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    for row in TABLE:
        assert re.fullmatch(r"glossator_[a-z_]+", row.name)
        assert row.name.endswith("_total") == (row.kind == "counter"), row.name
        assert row.help.endswith("."), row.name
        assert not {"pipeline", "slot", "le", "job", "instance"}.intersection(row.labels), row.name
    assert max(Counter(row.help for row in TABLE).values()) == 1
