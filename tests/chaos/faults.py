"""How each kind of fault is done to a round, and undone."""

from __future__ import annotations

import heapq
import itertools
import json
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos import clock
from tests.chaos.crew import SLOTS, Crew
from tests.chaos.feed import Feed
from tests.chaos.model import UNUSUAL
from tests.chaos.node import Brokers, ProxiedNode
from tests.chaos.proxy import END_TXN, Proxy
from tests.chaos.schedule import KINDS, Fault

_ROLLING = 2.5  # seconds between the restarts of a rolling one
_LARGEST = 3  # large events at once
_LATENCY = 0.5
_HOUR = 3600
_STRIKES_ONE = ("kill", "freeze", "memory", "stall", "stop-full", "logs-full", "clock")
OF_MEMBERS = {kind for kind in KINDS if kind.startswith(_STRIKES_ONE)}
"""Kinds that strike one member; where none runs just then, nothing happens."""
OF_BROKERS = {kind for kind in KINDS if kind.startswith(("broker-", "coordinator-"))}
"""Kinds that strike one node; while another is away, or has not caught up, nothing happens."""


class Faults:
    """Strikes with ``faults`` when they are due; all of it on the thread that calls ``turn``.

    ``healed`` holds, once a fault is over, (its kind, when it struck, when it was over), as seconds since the epoch.
    """

    def __init__(
        self, faults: tuple[Fault, ...], crew: Crew, brokers: Brokers, feed: Feed, log: Path, group: str
    ) -> None:
        """``group``: what the members' transactional ids begin with."""
        self._crew, self._brokers, self._feed = crew, brokers, feed
        self._group = group
        self._away: ProxiedNode | None = None
        self._log = log
        self._begun = time.monotonic()
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], Any]]] = []
        self.healed: list[tuple[str, float, float]] = []
        for fault in faults:
            self._later(fault.at, partial(self._strike, fault))

    @property
    def over(self) -> bool:
        return not self._due

    def turn(self) -> None:
        """Does what is due."""
        while self._due and self._due[0][0] <= time.monotonic():
            heapq.heappop(self._due)[2]()

    def heal(self) -> None:
        """All that may still be broken is whole again."""
        self._brokers.heal()
        for slot in self._crew.members:
            self._crew.send(slot, signal.SIGCONT)

    def _later(self, at: float, action: Callable[[], Any]) -> None:
        """``at``: seconds since the start of the round."""
        heapq.heappush(self._due, (self._begun + at, next(self._order), action))

    def _strike(self, fault: Fault) -> None:
        struck, at = time.time(), time.monotonic() - self._begun
        slot = self._crew.pick(fault.pick) if fault.kind in OF_MEMBERS else None
        node = self._node(fault) if fault.kind in OF_BROKERS else None
        if (slot is None and fault.kind in OF_MEMBERS) or (node is None and fault.kind in OF_BROKERS):
            self._say("finds nobody", fault.kind, slot)
            return
        if fault.kind.startswith("clock-") and clock.library() is None:
            self._say("is left out", fault.kind, slot)
            return
        undo = self._broker(fault.kind, node) if node is not None else self._undoing(fault, slot, at)
        self._say("strikes", fault.kind, slot)

        def end() -> None:
            undo()
            self.healed.append((fault.kind, struck, time.time()))
            self._say("is over", fault.kind, slot)

        self._later(at + fault.seconds, end)

    def _say(self, what: str, kind: str, slot: int | None) -> None:
        with self._log.open("a") as log:
            log.write(json.dumps({"at": round(time.time(), 3), "kind": kind, "slot": slot, "what": what}) + "\n")

    def _undoing(self, fault: Fault, slot: int | None, at: float) -> Callable[[], Any]:
        """Does it; returns what undoes it."""
        crew, kind = self._crew, fault.kind
        network = self._brokers.network(fault.pick)

        def every(change: Callable[[Proxy], None]) -> None:
            for proxy in network:
                change(proxy)

        if kind in UNUSUAL:
            self._feed.insert(kind, min(fault.count, _LARGEST) if kind in ("large", "huge") else fault.count)
        elif kind == "reset":
            every(Proxy.reset)
        elif kind == "black-hole":
            every(lambda proxy: proxy.black_hole(True))
            return lambda: every(lambda proxy: proxy.black_hole(False))
        elif kind == "latency":
            every(lambda proxy: proxy.latency(_LATENCY))
            return lambda: every(lambda proxy: proxy.latency(0.0))
        elif kind == "one-way":
            every(lambda proxy: proxy.deafen(True))
            return lambda: every(lambda proxy: proxy.deafen(False))
        elif kind == "cut-end-txn":
            every(lambda proxy: proxy.cut(END_TXN, min(fault.count, 8)))
        elif kind == "scale":
            before, crew.wanted = crew.wanted, set(SLOTS)
            self._later(at + fault.seconds / 2, lambda: setattr(crew, "wanted", {0}))
            return lambda: setattr(crew, "wanted", before)
        elif kind == "rolling-restart":
            for number, own in enumerate(sorted(crew.wanted)):
                self._later(at + number * _ROLLING, partial(crew.stop, own))
        else:
            assert slot is not None
            return self._member(kind, slot, fault.count)
        return lambda: None

    def _node(self, fault: Fault) -> ProxiedNode | None:
        """Which node is struck: never a second one, or the two that write need would not be left."""
        brokers = self._brokers
        if self._away is not None or not brokers.whole():
            return None
        if fault.kind == "coordinator-kill":
            return brokers.coordinator(f"{self._group}-{fault.pick % 2}")
        return brokers.nodes[fault.pick % len(brokers.nodes)]

    def _broker(self, kind: str, node: ProxiedNode) -> Callable[[], Any]:
        self._away = node
        if kind == "broker-freeze":
            node.suspend()
        elif kind == "broker-stop":
            node.stop()
        else:
            node.kill()

        def back() -> None:
            if kind == "broker-freeze":
                node.resume()
            else:
                node.start()
            self._away = None

        return back

    def _member(self, kind: str, slot: int, count: int) -> Callable[[], Any]:
        crew = self._crew
        if kind == "kill":
            crew.send(slot, signal.SIGKILL)
        elif kind.startswith("kill-"):
            crew.break_at(slot, f"kill:{kind.removeprefix('kill-')}:{count}")
        elif kind == "memory":
            crew.break_at(slot, f"memory:forward:{count}")
        elif kind == "memory-limit":
            self._feed.insert("large", _LARGEST)  # so that some is asked for
            return crew.starve(slot)
        elif kind == "logs-full":
            crew.break_at(slot, "logs:full")
            return lambda: crew.break_at(slot, "logs:free")
        elif kind == "clock-ahead":
            # The client may wait an hour too long then (see clock.py); what looks at /livez kills such a worker.
            crew.set_clock(slot, _HOUR)
            return lambda: crew.send(slot, signal.SIGKILL)
        elif kind == "clock-back":
            crew.set_clock(slot, -_HOUR)
            return lambda: crew.set_clock(slot, 0)
        elif kind.startswith("freeze"):
            crew.send(slot, signal.SIGSTOP)
            return lambda: crew.send(slot, signal.SIGCONT)
        elif kind == "stall":
            crew.send(slot, signal.SIGUSR1)
        elif kind == "stop-full":
            crew.send(slot, signal.SIGUSR1)
            return lambda: crew.stop(slot)
        else:
            raise ValueError(f"no fault is called {kind}")
        return lambda: None
