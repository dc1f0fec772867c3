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

from tests.chaos.crew import SLOTS, Crew
from tests.chaos.feed import Feed
from tests.chaos.model import UNUSUAL
from tests.chaos.node import ProxiedNode
from tests.chaos.proxy import END_TXN
from tests.chaos.schedule import KINDS, Fault

_ROLLING = 2.5  # seconds between the restarts of a rolling one
_LARGEST = 3  # large events at once
_LATENCY = 0.5
OF_MEMBERS = {kind for kind in KINDS if kind.startswith(("kill", "freeze", "memory", "stall", "stop-full"))}
"""Kinds that strike one member; where none runs just then, nothing happens."""


class Faults:
    """Strikes with ``faults`` when they are due; all of it on the thread that calls ``turn``.

    ``healed`` holds, once a fault is over, (its kind, when it struck, when it was over), as seconds since the epoch.
    """

    def __init__(self, faults: tuple[Fault, ...], crew: Crew, node: ProxiedNode, feed: Feed, log: Path) -> None:
        self._crew, self._node, self._feed = crew, node, feed
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
        self._node.proxy.heal()
        if not self._node.up:
            self._node.start()
        self._node.resume()
        for slot in self._crew.members:
            self._crew.send(slot, signal.SIGCONT)

    def _later(self, at: float, action: Callable[[], Any]) -> None:
        """``at``: seconds since the start of the round."""
        heapq.heappush(self._due, (self._begun + at, next(self._order), action))

    def _strike(self, fault: Fault) -> None:
        struck, at = time.time(), time.monotonic() - self._begun
        slot = self._crew.pick(fault.pick) if fault.kind in OF_MEMBERS else None
        if slot is None and fault.kind in OF_MEMBERS:
            self._say("finds nobody", fault.kind, slot)
            return
        undo = self._undoing(fault, slot, at)
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
        crew, proxy, kind = self._crew, self._node.proxy, fault.kind
        if kind in UNUSUAL:
            self._feed.insert(kind, min(fault.count, _LARGEST) if kind in ("large", "huge") else fault.count)
        elif kind.startswith("broker-"):
            return self._broker(kind)
        elif kind == "reset":
            proxy.reset()
        elif kind == "black-hole":
            proxy.black_hole(True)
            return lambda: proxy.black_hole(False)
        elif kind == "latency":
            proxy.latency(_LATENCY)
            return lambda: proxy.latency(0.0)
        elif kind == "one-way":
            proxy.deafen(True)
            return lambda: proxy.deafen(False)
        elif kind == "cut-end-txn":
            proxy.cut(END_TXN, min(fault.count, 8))
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

    def _broker(self, kind: str) -> Callable[[], Any]:
        node = self._node
        if kind == "broker-freeze":
            node.suspend()
            return node.resume
        if kind == "broker-stop":
            node.stop()
        else:
            node.kill()
        return node.start

    def _member(self, kind: str, slot: int, count: int) -> Callable[[], Any]:
        crew = self._crew
        if kind == "kill":
            crew.send(slot, signal.SIGKILL)
        elif kind.startswith("kill-"):
            crew.break_at(slot, f"kill:{kind.removeprefix('kill-')}:{count}")
        elif kind == "memory":
            crew.break_at(slot, f"memory:forward:{count}")
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
