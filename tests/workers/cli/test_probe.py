"""``glossator probe`` tells what a health check needs to know."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from stream.telemetry.stats import Stats
from tests.noop import pipeline
from workers.cli.main import cli
from workers.web.address import Address
from workers.web.server import serve


def probe(*arguments: str, **environment: str) -> Result:
    return CliRunner(env={"GLOSSATOR_TELEMETRY": None, **environment}).invoke(cli, ["probe", *arguments])


@pytest.fixture
def stats() -> Stats:
    return Stats(partitions=2, turned=time.monotonic())


@pytest.fixture
def place(stats: Stats) -> Iterator[str]:
    serving = serve(pipeline(), stats, slot=0, address=Address("127.0.0.1", 0))
    assert serving is not None
    yield f"127.0.0.1:{serving.address[1]}"
    serving.close()


def test_a_worker_that_is_well(place: str) -> None:
    result = probe(place)
    assert (result.exit_code, result.stdout) == (0, "ok\n")
    port = place.rpartition(":")[2]
    result = probe("--ready", GLOSSATOR_TELEMETRY=f"0.0.0.0:{port}")
    assert (result.exit_code, result.stdout) == (0, "ok\n"), "all interfaces are asked at loopback"


def test_a_worker_that_is_alive_and_not_ready(place: str, stats: Stats) -> None:
    stats.partitions, stats.stuck["device"] = 0, "nothing has moved for 60 s"
    assert probe(place).exit_code == 0
    result = probe("--ready", place)
    assert (result.exit_code, result.stdout) == (
        1, "device: nothing has moved for 60 s\nno partition is assigned\n",
    )  # fmt: skip


def test_nothing_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"
    result = probe(place)
    assert (result.exit_code, result.stdout) == (1, f"nothing answers at {place}: Connection refused\n")


def test_something_that_accepts_and_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        result = probe("--timeout", "0.1", f"127.0.0.1:{listener.getsockname()[1]}")
    assert result.exit_code == 1
    assert result.stdout.startswith("nothing answers at 127.0.0.1:")


def test_what_is_no_address_is_a_wrong_command_line() -> None:
    result = probe("http://localhost:9464/livez")
    assert result.exit_code == 2
    assert "HOST:PORT" in result.stderr
    assert probe(GLOSSATOR_TELEMETRY="9464").exit_code == 2
