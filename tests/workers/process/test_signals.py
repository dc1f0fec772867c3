"""What a process does when it is told to stop, to stop at once, and to reload."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from workers.process.signals import GracefulStop

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


@pytest.mark.parametrize("number", STOPS)
def test_before_there_is_a_worker_the_process_ends_cleanly(signals: GracefulStop, number: signal.Signals) -> None:
    with pytest.raises(SystemExit) as ended:
        signal.raise_signal(number)
    assert ended.value.code == 0
    assert signals.asked


def test_a_reload_asked_for_too_early_is_remembered(signals: GracefulStop) -> None:
    signal.raise_signal(signal.SIGHUP)
    assert signals.missed
    reloads: list[None] = []
    signals.reload = lambda: reloads.append(None)
    signal.raise_signal(signal.SIGHUP)
    assert len(reloads) == 1
    assert not signals.asked
