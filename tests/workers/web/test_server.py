"""What the HTTP server answers to a scraper and to a health check."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from stream.telemetry.stats import PHASES, Stats
from tests.noop import pipeline
from workers.web import server
from workers.web.server import serve

Get = Any


@pytest.fixture
def stats() -> Stats:
    return Stats(partitions=2, turned=time.monotonic())


@pytest.fixture
def address(stats: Stats) -> Iterator[str]:
    serving = serve(pipeline(telemetry={"port": 0}), stats, slot=0)
    assert serving is not None
    yield f"http://127.0.0.1:{serving.address[1]}"
    serving.close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
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
    labels = {"pipeline": "p", "slot": "0"}
    samples = {
        (sample.name, *(value for key, value in sorted(sample.labels.items()) if key not in labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("glossator_") and labels.items() <= sample.labels.items()
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
    assert samples.items() >= expected.items()
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
    assert get(f"{address}/livez/")[0] == 404


@pytest.mark.parametrize("path", ["livez", "readyz", "metrics"])
def test_a_query_is_allowed(address: str, path: str) -> None:
    assert get(f"{address}/{path}?x=1&y")[0] == 200
    assert get(f"{address}/{path}?")[0] == 200


def samples(text: str) -> set[str]:
    return {line.partition("{")[0] for line in text.splitlines() if not line.startswith("#")}


def test_metrics_can_be_chosen_by_name(address: str) -> None:
    status, text = get(f"{address}/metrics?name[]=glossator_lag_records&name%5B%5D=glossator_commits_total")
    assert (status, samples(text)) == (200, {"glossator_lag_records", "glossator_commits_total"})
    status, text = get(f"{address}/metrics?name[]=process_open_fds")
    assert (status, samples(text.replace(" ", "{"))) == (200, {"process_open_fds"})
    assert get(f"{address}/metrics?name[]=nothing") == (200, "")
    assert "glossator_paused" in get(f"{address}/metrics?name[]=")[1]


def exchange(address: str, request: bytes) -> tuple[bytes, bytes]:
    """Send ``request`` and return the head and body of what comes back until the server closes."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(request)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/nothing"])
def test_head_has_the_headers_of_get_and_no_body(address: str, path: str) -> None:
    head, body = exchange(address, f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert body == b""
    status, text = get(f"{address}{path}")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    if path != "/metrics":
        assert f"\r\nContent-Length: {len(text)}\r\n".encode() in head


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /livez HTTP/1.0\n\n", 200),
        (b"GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"POST /livez HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        (b"GET /livez\r\n\r\n", 400),
        (b"GET /livez HTTP/2.0\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\n\r\n", 400),
        (b"\xff\xfe\r\n\r\n", 400),
        (b"GET /metrics?" + b"a&" * 2000 + b" HTTP/1.1\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * 3000, 400),
        (b"G" * 20_000, 400),
    ],
)
def test_what_is_answered_to_unusual_requests(address: str, request_: bytes, status: int) -> None:
    with contextlib.suppress(ConnectionResetError):  # the rest of a request that is too long was not read
        assert exchange(address, request_)[0].startswith(f"HTTP/1.1 {status} ".encode())


def test_a_thousand_dribbling_clients_starve_no_probe(address: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))
    host, port = address.removeprefix("http://").split(":")
    threads = threading.active_count()
    with contextlib.ExitStack() as clients:
        clients.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for number in range(1000):
            client = clients.enter_context(socket.create_connection((host, int(port)), timeout=60))
            client.sendall(b"GET /livez HTTP/1.1\r\nX-")
            if number % 100 == 99:
                assert get(f"{address}/livez") == (200, "ok\n")
        assert threading.active_count() <= threads  # those of earlier tests may have ended
        assert len(psutil.Process().net_connections("tcp")) < 1000 + 64 + 50


def test_a_client_has_a_limited_time(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.2)
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.4)
    host, port = address.removeprefix("http://").split(":")
    # Without a limit all bytes would be taken.
    with (
        socket.create_connection((host, int(port)), timeout=60) as dribbling,
        pytest.raises(ConnectionError),
    ):
        for _ in range(600):
            dribbling.sendall(b"x")
            time.sleep(0.05)


def test_slots_have_ports_of_their_own_and_one_taken_is_no_failure(
    address: str, stats: Stats, caplog: pytest.LogCaptureFixture
) -> None:
    port = int(address.rpartition(":")[2])
    assert serve(pipeline(telemetry={"port": port - 1}), stats, slot=1) is None
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert f"cannot listen on 127.0.0.1:{port}: the port is taken" in record.message
    assert "reach the process that has it" in record.message
    assert serve(pipeline(telemetry={"port": None}), stats, slot=0) is None


@pytest.mark.parametrize(
    ("telemetry", "slot", "reason"),
    [
        ({"port": 65535}, 1, "65535"),
        ({"host": "203.0.113.1", "port": 0}, 0, "Cannot assign requested address"),
        ({"host": "nowhere.invalid", "port": 0}, 0, "telemetry.host has no address"),
    ],
)
def test_why_a_port_cannot_be_opened(
    stats: Stats, telemetry: dict[str, Any], slot: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert serve(pipeline(telemetry=telemetry), stats, slot) is None
    assert reason in caplog.text
