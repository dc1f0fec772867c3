"""What does not move is reported once, cleared when it moves again, and given up in the end."""

from __future__ import annotations

import logging

import pytest

from schemas.errors import StuckError
from stream.telemetry.watchdog import Watchdog


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_moves_is_never_stuck() -> None:
    clock = Clock()
    watchdog = Watchdog(10, 20, clock)
    for step in range(100):
        clock.now += 9
        watchdog.look({"partition posts[0]": step, "device": None})
        assert watchdog.stuck == {}


def test_what_stands_still_is_said_once_and_forgiven(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    watchdog = Watchdog(10, None, clock)
    with caplog.at_level(logging.INFO, "glossator.watchdog"):
        for _ in range(100):
            watchdog.look({"device": 7, "brokers": None})
            clock.now += 1
        assert watchdog.stuck == {"device": "nothing has moved for 99 s"}
        watchdog.look({"device": 8, "brokers": None})
        assert watchdog.stuck == {}
    assert [record.getMessage() for record in caplog.records] == [
        "device: nothing has moved for 10 s", "device: moving again",
    ]  # fmt: skip


@pytest.mark.parametrize("between", [{}, {"device": None}])
def test_to_have_nothing_to_wait_for_starts_the_time_anew(between: dict[str, None]) -> None:
    clock = Clock()
    watchdog = Watchdog(10, 20, clock)
    for _ in range(5):
        watchdog.look({"device": 7})
        clock.now += 15
        watchdog.look({"device": 7})
        assert list(watchdog.stuck) == ["device"]
        watchdog.look(between)
        assert watchdog.stuck == {}


def test_it_gives_up_and_names_what_is_stuck() -> None:
    clock = Clock()
    watchdog = Watchdog(10, 20, clock)
    watchdog.look({"brokers": "down", "partition posts[0]": 1})
    clock.now += 19
    watchdog.look({"brokers": "down", "partition posts[0]": 2})
    clock.now += 1
    with pytest.raises(StuckError, match=r"^brokers: nothing has moved for 20 s$"):
        watchdog.look({"brokers": "down", "partition posts[0]": 2})


def test_what_may_take_longer_is_given_that_time_and_no_more() -> None:
    clock = Clock()
    watchdog = Watchdog(10, 20, clock)
    for _ in range(30):
        watchdog.look({"device": 7}, {"device": 30.0})
        assert watchdog.stuck == {}
        clock.now += 1
    with pytest.raises(StuckError, match="device: nothing has moved for 30 s"):
        watchdog.look({"device": 7}, {"device": 30.0})
