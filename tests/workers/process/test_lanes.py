"""Channels keep the order, block when full, and never leave a thread blocked behind a dead one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from workers.process.lanes import Channel, Closed


def _thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_first_in_first_out_until_closed_and_empty() -> None:
    channel: Channel[int] = Channel()
    for number in range(3):
        channel.put(number)
    channel.close()
    with pytest.raises(Closed):
        channel.put(3)
    assert list(channel) == [0, 1, 2]
    with pytest.raises(Closed):
        channel.get()


def test_get_gives_up_after_its_timeout() -> None:
    assert Channel[int]().get(timeout=0.01) is None


def test_put_waits_for_room() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    thread = _thread(lambda: channel.put(2))
    thread.join(0.05)
    assert thread.is_alive(), "a full channel took more"
    assert channel.get() == 1
    thread.join(60)
    assert channel.get() == 2


@pytest.mark.parametrize("full", [True, False])
def test_abort_wakes_whoever_waits(full: bool) -> None:
    channel: Channel[int] = Channel(1)
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(Closed):
            channel.put(2) if full else channel.get()
        ended.set()

    if full:
        channel.put(1)
    thread = _thread(work)
    thread.join(0.05)
    channel.abort()
    assert ended.wait(60)
    assert len(channel) == 0


def test_a_channel_is_idle_while_somebody_waits_for_what_is_not_there() -> None:
    waits, idle = threading.Event(), list[bool]()

    def on_idle() -> None:
        idle.append(channel.idle)
        waits.set()

    channel: Channel[int] = Channel(2, on_idle)
    channel.put(1)
    assert not channel.idle
    assert channel.get() == 1
    assert not waits.is_set(), "there was an item"
    thread = _thread(channel.get)
    assert waits.wait(60)
    assert idle == [True]
    assert channel.idle
    channel.put(2)
    thread.join(60)
    assert not channel.idle
    assert channel.get(0) is None
    assert not channel.idle, "whoever gave up still counts"


def test_an_interrupted_wait_ends_without_an_item() -> None:
    channel: Channel[int] = Channel()
    got = list[int | None]()
    thread = _thread(lambda: got.append(channel.get()))
    thread.join(0.05)
    assert thread.is_alive()
    channel.interrupt()
    thread.join(60)
    assert got == [None]


def test_an_interruption_counts_for_one_wait_and_never_loses_an_item() -> None:
    channel: Channel[int] = Channel()
    for _ in range(3):
        channel.interrupt()
    channel.put(1)
    assert channel.get() == 1
    assert channel.get() is None
    channel.put(2)
    assert channel.get() == 2
    assert channel.get(timeout=0.01) is None
