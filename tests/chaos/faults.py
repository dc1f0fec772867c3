"""Causes each kind of fault in a round, and undoes it."""

from __future__ import annotations

import heapq
import itertools
import json
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

_ROLLING = 2.5  # seconds between the restarts of a rolling restart
_LARGEST = 3  # large events at a time
_LATENCY = 0.5
_HOUR = 3600
_LOOK = 0.2  # seconds between two checks whether a member has left
_LOGS_FULL = "logs:full"
_STRIKES_ONE = ("kill", "freeze", "memory", "stall", "stop-full", "logs-full", "clock", "leave")
OF_MEMBERS = {kind for kind in KINDS if kind.startswith(_STRIKES_ONE)}
"""Kinds that affect one member; nothing happens if none is running."""
OF_BROKERS = {kind for kind in KINDS if kind.startswith(("broker-", "coordinator-", "leave-"))}
"""Kinds that affect one node; nothing happens while another is away or has not caught up."""
Healed = tuple[str, float, float]
"""Kind, start and end in seconds since the epoch."""


@dataclass
class _Struck:
    """A fault that was started. ``proof`` returns when it happened, for kinds that are only prepared at ``at``."""

    kind: str
    slot: int | None
    at: float
    proof: Callable[[], Sequence[float]] | None
    over: float = float("inf")


class Faults:
    """Causes ``faults`` when they are due, all on the thread that calls ``turn``."""

    def __init__(
        self, faults: tuple[Fault, ...], crew: Crew, brokers: Brokers, feed: Feed, log: Path, group: str
    ) -> None:
        """``group``: the prefix of the members' transactional ids."""
        self._crew, self._brokers, self._feed = crew, brokers, feed
        self._group = group
        self._away: ProxiedNode | None = None
        self._log = log
        self._begun = time.monotonic()
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], Any]]] = []
        self._struck: list[_Struck] = []
        self._nobody: list[str] = []
        for fault in faults:
            self._later(fault.at, partial(self._strike, fault))

    @property
    def over(self) -> bool:
        return not self._due

    def turn(self) -> None:
        """Do what is due."""
        while self._due and self._due[0][0] <= time.monotonic():
            heapq.heappop(self._due)[2]()

    def tally(self) -> tuple[list[Healed], list[str]]:
        """Return the faults that happened, and the kinds of those that did not: no target, or failpoint not passed."""
        healed: list[Healed] = []
        missed = [*self._nobody]
        for number, fault in enumerate(self._struck):
            times = [fault.at] if fault.proof is None else fault.proof()
            # What happens after the next fault of the same kind is due to that one.
            later = (
                more.at for more in self._struck[number + 1 :] if (more.kind, more.slot) == (fault.kind, fault.slot)
            )
            until = next(later, float("inf"))
            if happened := [at for at in times if fault.at <= at < until]:
                healed.append((fault.kind, happened[0], max(fault.over, happened[0])))
            else:
                missed.append(fault.kind)
        return healed, missed

    def heal(self) -> None:
        """Repair everything that may still be broken."""
        self._brokers.heal()
        for slot in self._crew.members:
            self._crew.send(slot, signal.SIGCONT)

    def _later(self, at: float, action: Callable[[], Any]) -> None:
        """``at``: seconds since the start of the round."""
        heapq.heappush(self._due, (self._begun + at, next(self._order), action))

    def _strike(self, fault: Fault) -> None:
        at = time.monotonic() - self._begun
        slot = self._crew.pick(fault.pick) if fault.kind in OF_MEMBERS else None
        node = self._node(fault) if fault.kind in OF_BROKERS else None
        if (slot is None and fault.kind in OF_MEMBERS) or (node is None and fault.kind in OF_BROKERS):
            self._say("finds nobody", fault.kind, slot)
            self._nobody.append(fault.kind)
            return
        if fault.kind.startswith("clock-") and clock.library() is None:
            self._say("is left out", fault.kind, slot)
            self._nobody.append(fault.kind)
            return
        member = self._crew.members[slot] if slot is not None else None
        struck = _Struck(fault.kind, slot, time.time(), self._proof(fault, member))
        undo = self._broker(fault.kind, node) if node is not None else self._undoing(fault, slot, at)
        self._struck.append(struck)
        self._say("strikes", fault.kind, slot)
        asked: list[float] = []
        if fault.kind.startswith("leave-"):
            struck.proof = lambda: asked

        def end() -> None:
            if fault.kind.startswith("leave-") and slot is not None and self._crew.members.get(slot) is member:
                if not asked:
                    asked.append(time.time())
                    self._crew.stop(slot)
                # A member that does not leave is killed in the end.
                self._later(time.monotonic() - self._begun + _LOOK, end)
                return
            undo()
            struck.over = time.time()
            self._say("is over", fault.kind, slot)

        self._later(at + fault.seconds, end)

    def _proof(self, fault: Fault, member: subprocess.Popen[bytes] | None) -> Callable[[], Sequence[float]] | None:
        kind = fault.kind
        if kind in UNUSUAL:
            return lambda: [at for inserted, at in self._feed.inserted if inserted == kind]
        if kind == "cut-end-txn":
            network = self._brokers.network(fault.pick)
            return lambda: sorted(at for proxy in network for at in proxy.cut_at)
        marks = {"memory": _failpoint(fault), "stall": "stall", "stop-full": "stall", "logs-full": _LOGS_FULL}
        what = _failpoint(fault) if kind.startswith("kill-") else marks.get(kind)
        return partial(self._crew.struck, member, what) if member is not None and what is not None else None

    def _say(self, what: str, kind: str, slot: int | None) -> None:
        with self._log.open("a") as log:
            log.write(json.dumps({"at": round(time.time(), 3), "kind": kind, "slot": slot, "what": what}) + "\n")

    def _undoing(self, fault: Fault, slot: int | None, at: float) -> Callable[[], Any]:
        """Cause the fault; return the function that undoes it."""
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
            for number, wanted in enumerate(sorted(crew.wanted)):
                self._later(at + number * _ROLLING, partial(crew.stop, wanted))
        else:
            assert slot is not None
            return self._member(fault, slot)
        return lambda: None

    def _node(self, fault: Fault) -> ProxiedNode | None:
        """Choose the node to break; None while another is broken, because writing needs two."""
        brokers = self._brokers
        if self._away is not None or not brokers.whole():
            return None
        if fault.kind == "coordinator-kill":
            return brokers.coordinator(f"{self._group}-{fault.pick % 2}")
        return brokers.nodes[fault.pick % len(brokers.nodes)]

    def _broker(self, kind: str, node: ProxiedNode) -> Callable[[], Any]:
        self._away = node
        frozen = kind in ("broker-freeze", "leave-frozen")
        if frozen:
            node.suspend()
        elif kind == "broker-stop":
            node.stop()
        else:
            node.kill()

        def back() -> None:
            if frozen:
                node.resume()
            else:
                node.start()
            self._away = None

        return back

    def _member(self, fault: Fault, slot: int) -> Callable[[], Any]:
        crew, kind = self._crew, fault.kind
        if kind == "kill":
            crew.send(slot, signal.SIGKILL)
        elif kind.startswith("kill-") or kind == "memory":
            crew.break_at(slot, _failpoint(fault))
        elif kind == "memory-limit":
            self._feed.insert("large", _LARGEST)  # so that memory is needed
            return crew.starve(slot)
        elif kind == "logs-full":
            crew.break_at(slot, _LOGS_FULL)
            return lambda: crew.break_at(slot, "logs:free")
        elif kind == "clock-ahead":
            # The client may then wait an hour too long (see clock.py); a liveness probe would kill such a worker.
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


def _failpoint(fault: Fault) -> str:
    what, _, point = fault.kind.partition("-")
    return f"{what}:{point or 'forward'}:{fault.count}"
