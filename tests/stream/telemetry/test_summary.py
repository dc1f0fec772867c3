"""The lines that say how much was done."""

from __future__ import annotations

import logging

import pytest

from stream.telemetry.logs import JsonLines
from stream.telemetry.stats import Stats
from stream.telemetry.summary import Summary


def test_a_line_each_minute_says_what_was_done_in_it_and_the_last_one_all(caplog: pytest.LogCaptureFixture) -> None:
    now, stats = 1000.0, Stats()
    stats.enriched = 7
    summary = Summary(stats, 60, lambda: now)
    with caplog.at_level(logging.INFO, "glossator"):
        now += 59
        summary.look()
        assert caplog.messages == []
        now += 1
        stats.enriched, stats.dropped, stats.tokens, stats.lag, stats.lag_seconds = 12_007, 600, 90_000, 1234, 3.4
        stats.failed["decode"] = 2
        stats.seconds["forward"] += 45
        summary.look()
        now += 60
        stats.seconds["forward"] += 15
        summary.look()
        stats.enriched += 10
        now += 30
        summary.total()
    assert caplog.messages == [
        "last 60 s: 210.0 events/s (12,602 events, 90,000 tokens), 2 dead letters; lag 1,234 events, 3 s; "
        "busy: prepare 0%, forward 75%, finish 0%, commit 0%",
        "last 60 s: 0.0 events/s (0 events, 0 tokens), 0 dead letters; lag 1,234 events, 3 s; "
        "busy: prepare 0%, forward 25%, finish 0%, commit 0%",
        "in all 150 s: 84.1 events/s (12,612 events, 90,000 tokens), 2 dead letters; lag 1,234 events, 3 s; "
        "busy: prepare 0%, forward 40%, finish 0%, commit 0%",
    ]
    assert JsonLines.fields_of(caplog.records[0]) == {
        "kind": "summary", "seconds": 60.0, "events": 12_602, "events_per_second": 210.0, "tokens": 90_000,
        "dead_letters": 2, "lag_records": 1234, "lag_seconds": 3.4,
        "phases": {"prepare": 0.0, "forward": 0.75, "finish": 0.0, "commit": 0.0},
    }  # fmt: skip
    assert JsonLines.fields_of(caplog.records[2])["kind"] == "total"


def test_without_an_interval_there_is_only_the_last_line(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    summary = Summary(Stats(), None, lambda: now)
    with caplog.at_level(logging.INFO, "glossator"):
        now += 1e6
        summary.look()
        summary.total()
    assert [message.partition(":")[0] for message in caplog.messages] == ["in all 1000000 s"]
