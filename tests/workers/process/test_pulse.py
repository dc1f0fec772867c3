"""A process whose poll loop hangs is ended; one that polls is not."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from stream.telemetry.stats import Stats
from tests.noop import pipeline
from workers.process import pulse

HANGING = """
import logging, sys, time
from stream.telemetry.stats import Stats
from tests.noop import pipeline
from workers.process.pulse import guard
logging.basicConfig(stream=sys.stderr, level="INFO")
settings = pipeline(watchdog={"warn_after_ms": 1000, "leave_after_ms": 1000}, drain_timeout_ms=0)
guard(settings, Stats(turned=time.monotonic() - 3600))
time.sleep(60)
"""


def test_a_hanging_poll_loop_ends_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, timeout=60, check=False, text=True)
    assert ended.returncode == 75
    assert "the poll loop has not turned for 36" in ended.stderr


@pytest.mark.parametrize(("turned", "leave"), [(0.0, 1000), (None, 1000), (1e-9, None)])
def test_others_go_on(turned: float | None, leave: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "_LOOK", 0.01)
    left: list[int] = []
    monkeypatch.setattr("workers.process.pulse.os._exit", left.append)
    settings = pipeline(watchdog={"warn_after_ms": 1000, "leave_after_ms": leave})
    ended = pulse.guard(settings, Stats(turned=time.monotonic() if turned is None else turned))
    time.sleep(0.1)
    ended.set()
    assert not left
