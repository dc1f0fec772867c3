"""What breaks and when: it depends only on the seed and the number of the round."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.chaos.failpoints import POINTS
from tests.chaos.model import UNUSUAL

PROTOCOLS = ("classic-eager", "classic", "consumer")
DELIVERIES = ("at_least_once", "exactly_once")

SESSION = 3.0
"""Seconds after which the group notices that a member is gone."""
MAX_POLL = 8.0
"""Seconds after which a consumer that does not poll leaves the group."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault: its weight relative to others, and how many seconds it lasts (from, to)."""

    weight: float
    seconds: tuple[float, float] = (0.0, 0.0)
    seldom: tuple[float, float] = (0.0, 0.0)
    """Seconds (from, to) that it lasts instead now and then."""


KINDS: dict[str, Kind] = {
    "kill": Kind(3),
    **{f"kill-{point}": Kind(1) for point in POINTS},
    "memory": Kind(1),
    "memory-limit": Kind(1, (2, 4)),
    "logs-full": Kind(1, (3, 6)),
    "clock-ahead": Kind(1, (4, 8)),
    "clock-back": Kind(0.7, (4, 8)),
    "freeze": Kind(2, (SESSION + 2, SESSION + 4)),
    "freeze-short": Kind(1, (1, 4)),
    "stall": Kind(1.5, (MAX_POLL + 2, MAX_POLL + 3)),
    "scale": Kind(2, (5, 8)),
    "rolling-restart": Kind(2),
    "stop-full": Kind(1.5, (2, 3)),
    "broker-stop": Kind(1, (5, 5), (60, 60)),
    "broker-kill": Kind(1, (5, 5), (60, 60)),
    "broker-freeze": Kind(0.7, (4, 8), (60, 60)),
    "coordinator-kill": Kind(1, (5, 5)),
    # A member must leave while a node is away, which comes back only afterwards. It may be the only node.
    "leave-down": Kind(0.7, (0.5, 3)),
    "leave-frozen": Kind(0.7, (0.5, 3)),
    "reset": Kind(2),
    "black-hole": Kind(1.5, (5, 5), (40, 40)),
    "latency": Kind(1.5, (4, 8)),
    "one-way": Kind(1.5, (3, 6)),
    "cut-end-txn": Kind(2),
    **{kind: Kind(0.5) for kind in UNUSUAL},
}
_FIRST = 4.0  # seconds until members are at work
_BROKER = ("broker-stop", "broker-kill", "broker-freeze", "coordinator-kill", "leave-down", "leave-frozen")
_SELDOM = 1 / 12
_SELDOM_BROKER = 1 / 3  # so that more than a sixth of all outages of nodes are long
NODES = (1, 3)
_THREES = 1 / 4  # of the rounds, if both numbers are wanted


@dataclass(frozen=True)
class Fault:
    """A fault of ``kind``, ``at`` seconds after the start and, if it lasts, for ``seconds``.

    ``pick`` chooses the member or node. ``count`` is how often a failpoint is passed before it strikes, or how many
    events or responses are affected.
    """

    at: float
    kind: str
    seconds: float
    pick: int
    count: int


@dataclass(frozen=True)
class Scenario:
    """One round."""

    seed: str
    delivery: str
    protocol: str
    static: bool
    members: int
    events: int
    produce_for: float
    delay: float
    faults: tuple[Fault, ...]
    nodes: int = 1
    routes: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def scenario(
    seed: int,
    number: int,
    deliveries: Sequence[str] = DELIVERIES,
    protocols: Sequence[str] = PROTOCOLS,
    only: Sequence[str] = (),
    events: tuple[int, int] = (5000, 9000),
    nodes: Sequence[int] = NODES,
) -> Scenario:
    """Return round ``number``. Rounds take each delivery and protocol in turn; ``only`` restricts the kinds of faults.

    With three nodes, one of the faults affects a node, unless ``only`` has no such kind.
    """
    rng = random.Random(f"{seed}/{number}")
    brokers = nodes[rng.random() < _THREES] if len(nodes) > 1 else nodes[0]
    delivery = deliveries[number % len(deliveries)]
    protocol = protocols[number // len(deliveries) % len(protocols)]
    produce_for = round(rng.uniform(14, 18), 1)
    kinds = dict.fromkeys(only) or KINDS
    idle = _idle(delivery, brokers)
    weights = {kind: KINDS[kind].weight for kind in [kind for kind in kinds if kind not in idle] or kinds}
    faults: list[Fault] = []
    count = rng.randint(3, 8)
    for place in range(count):
        likely = weights
        if brokers > 1 and place == count // 2 and not any(fault.kind in _BROKER for fault in faults):
            likely = {kind: weight for kind, weight in weights.items() if kind in _BROKER} or weights
        kind = rng.choices(list(likely), list(likely.values()))[0]
        if kind in _BROKER:  # only one such fault in a round, because starting a broker takes long
            weights = {other: weight for other, weight in weights.items() if other not in _BROKER} or weights
        seldom = any(KINDS[kind].seldom) and rng.random() < (_SELDOM_BROKER if kind in _BROKER else _SELDOM)
        first, last = KINDS[kind].seldom if seldom else KINDS[kind].seconds
        # Spread them out: while a group is still rebalancing, a fault would affect idle members.
        at = _FIRST + (place + rng.random()) / count * (produce_for - _FIRST)
        faults.append(Fault(round(at, 2), kind, round(rng.uniform(first, last), 2), rng.randrange(1000), _count(rng)))
    return Scenario(
        seed=f"{seed}/{number}",
        delivery=delivery,
        protocol=protocol,
        # If a static member restarts during a cooperative rebalance, the classic coordinator can leave a partition
        # without an owner until the next rebalance. No worker can repair that.
        static=rng.random() < 1 / 2 and protocol != "classic",
        members=rng.randint(2, 3),
        events=rng.randint(*events),
        produce_for=produce_for,
        delay=rng.choice([0.0005, 0.002, 0.004]),
        faults=tuple(faults),
        nodes=brokers,
        # Not drawn from the same numbers, so that older seeds keep their faults.
        routes=random.Random(f"routes {seed}/{number}").random() < 1 / 2,
    )


def _idle(delivery: str, nodes: int) -> set[str]:
    """Return the kinds that would break nothing, or nothing that another kind does not break."""
    if delivery != "exactly_once":
        return {"cut-end-txn", "coordinator-kill"}
    return {"coordinator-kill"} if nodes == 1 else set()


def _count(rng: random.Random) -> int:
    return rng.randint(1, 12)
