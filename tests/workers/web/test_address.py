"""Where probes are served and asked."""

from __future__ import annotations

import time

import pytest

from stream.telemetry.stats import Stats
from tests.noop import pipeline
from workers.web.address import Address, address_of, parse_address
from workers.web.server import serve


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:9464", Address("0.0.0.0", 9464)),
        ("[::]:0", Address("::", 0)),
        ("worker-3.posts:65535", Address("worker-3.posts", 65535)),
    ],
)
def test_an_address_is_read_and_written_alike(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "9464", ":9464", "a:", "a:b", "a:65536", "::1:9464", "[::1]", "a b:1", "http://a:1", "a:-1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        parse_address(text)


def test_the_file_gives_each_slot_the_next_port_unless_the_system_chooses() -> None:
    assert address_of(pipeline(telemetry={"port": 9000}), 3) == Address("127.0.0.1", 9003)
    assert address_of(pipeline(telemetry={"port": 0}), 3) == Address("127.0.0.1", 0)
    assert address_of(pipeline(telemetry={"port": None}), 3) is None


def test_an_address_of_the_command_line_replaces_that_of_the_file_and_ignores_the_slot() -> None:
    stats = Stats(turned=time.monotonic())
    serving = serve(pipeline(telemetry={"port": None}), stats, slot=7, address=Address("0.0.0.0", 0))
    assert serving is not None
    place = Address(*serving.address[:2])
    try:
        assert place.ask("/livez", 10) == (200, "ok\n")
        status, reasons = place.ask("/readyz", 10)
        assert (status, reasons) == (503, "no partition is assigned\n")
    finally:
        serving.close()
    with pytest.raises(ConnectionRefusedError):
        place.ask("/livez", 10)
