"""What the HTTP server answers to a scraper and to a health check."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stream.telemetry.stats import PHASES, Stats
from tests.noop import pipeline
from workers.web.server import serve

Get = Any


@pytest.fixture
def stats() -> Stats:
    return Stats(partitions=2, turned=time.monotonic())


@pytest.fixture
def address(stats: Stats) -> Iterator[str]:
    server = serve(pipeline(telemetry={"port": 0}), stats, slot=0)
    assert server is not None
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_every_number_is_there(address: str, stats: Stats) -> None:
    stats.polled, stats.enriched, stats.discarded, stats.lag, stats.paused = 13, 6, 1, 4, True
    stats.tombstones, stats.skipped = 1, 2
    stats.failed.update({"decode": 2, "forward": 1})
    stats.rebalances.update(["assigned", "revoked", "assigned"])
    stats.stuck["device"] = "nothing has moved for 60 s"
    status, text = get(f"{address}/metrics")
    assert status == 200
    own = {"pipeline": "p", "slot": "0"}
    found = {
        (sample.name, *(value for key, value in sorted(sample.labels.items()) if key not in own)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("glossator_") and own.items() <= sample.labels.items()
    }
    expected: dict[tuple[str, ...], float] = {
        ("glossator_records_read_total",): 13,
        ("glossator_records_total", "enriched"): 6,
        ("glossator_records_total", "tombstone"): 1,
        ("glossator_records_total", "skipped"): 2,
        ("glossator_records_total", "dead_letter"): 3,
        ("glossator_records_total", "discarded"): 1,
        ("glossator_dead_letters_total", "decode"): 2,
        ("glossator_rebalances_total", "assigned"): 2,
        ("glossator_lag_records",): 4,
        ("glossator_paused",): 1,
        ("glossator_stuck", "device"): 1,
        **{("glossator_phase_seconds_total", phase): 0 for phase in PHASES},
    }
    assert found.items() >= expected.items()
    assert "process_resident_memory_bytes" in text


def test_alive_and_ready(address: str, stats: Stats) -> None:
    assert get(f"{address}/livez") == (200, "ok\n")
    assert get(f"{address}/readyz") == (200, "ok\n")
    stats.stuck["device"] = "nothing has moved for 60 s"
    assert get(f"{address}/livez") == (200, "ok\n")
    assert get(f"{address}/readyz") == (503, "device: nothing has moved for 60 s\n")
    stats.stuck.clear()
    stats.partitions = 0
    assert get(f"{address}/readyz") == (503, "no partition is assigned\n")
    stats.turned = time.monotonic() - 301
    assert get(f"{address}/livez")[0] == 503
    stats.turned = 0.0
    assert get(f"{address}/livez")[0] == 200
    assert get(f"{address}/readyz")[0] == 503


def test_nothing_else_is_served(address: str) -> None:
    assert get(f"{address}/")[0] == 404
    assert get(f"{address}/metrics/../etc/passwd")[0] == 404
    assert get(f"{address}/metrics?x=1")[0] in {200, 404}


def test_slots_have_ports_of_their_own_and_one_taken_is_no_failure(
    address: str, stats: Stats, caplog: pytest.LogCaptureFixture
) -> None:
    port = int(address.rpartition(":")[2])
    assert serve(pipeline(telemetry={"port": port - 1}), stats, slot=1) is None
    assert f"cannot listen on 127.0.0.1:{port}" in caplog.text
    assert serve(pipeline(telemetry={"port": None}), stats, slot=0) is None
