"""What a process does when it is told to stop, to stop at once, and to reload."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.process.signals import GracefulStop, log

ROOT = Path(__file__).parents[3]
STOPS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture
def signals() -> Iterator[GracefulStop]:
    handlers = {number: signal.getsignal(number) for number in (*STOPS, signal.SIGHUP)}
    yield GracefulStop()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPS)
def test_the_first_stops_gracefully_and_the_second_at_once(
    signals: GracefulStop, number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stops: list[bool] = []
    statuses: list[int] = []
    signals.stop = lambda: stops.append(signals.asked)
    monkeypatch.setattr(os, "_exit", statuses.append)
    signal.raise_signal(number)
    assert (stops, statuses) == ([True], [])
    signal.raise_signal(number)
    assert statuses == [128 + number]
    assert capfd.readouterr().err.startswith(f"{number.name} again: exiting immediately\n")


SWALLOWING = """
import os, signal, sys
from workers.process.signals import GracefulStop
GracefulStop()
try:
    os.kill(os.getpid(), {number})
    import colorsys
except BaseException:
    pass
os._exit(70)
"""


@pytest.mark.parametrize("number", STOPS)
def test_before_there_is_a_worker_the_process_ends_at_once_whatever_swallows_exceptions(number: signal.Signals) -> None:
    code = SWALLOWING.format(number=int(number))
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_it_ends_although_the_log_cannot_be_written(signals: GracefulStop, monkeypatch: pytest.MonkeyPatch) -> None:
    def reentrant(*words: object) -> None:
        raise RuntimeError("reentrant call")

    def ended(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr(log, "info", reentrant)
    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(SystemExit) as end:
        signal.raise_signal(signal.SIGTERM)
    assert end.value.code == 0


def test_a_reload_asked_for_too_early_is_remembered(signals: GracefulStop) -> None:
    signal.raise_signal(signal.SIGHUP)
    assert signals.missed
    reloads: list[None] = []
    signals.reload = lambda: reloads.append(None)
    signal.raise_signal(signal.SIGHUP)
    assert len(reloads) == 1
    assert not signals.asked
