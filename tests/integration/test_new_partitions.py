"""Partitions and topics that are added while the group exists are read from their beginning, whatever happens."""

from __future__ import annotations

import itertools
import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

from tests.integration.lib import PROTOCOLS, Case, eventually

pytestmark = pytest.mark.integration

DELIVERIES = ("at_least_once", "exactly_once")
REFRESH = {"topic.metadata.refresh.interval.ms": 1000}


class Load:
    """Produces numbered events to every partition there is, in bursts, on a thread of its own."""

    def __init__(self, case: Case, first: int, partitions: int) -> None:
        self._case = case
        self._numbers = itertools.count(first)
        self.next = first
        self.partitions = partitions
        self._turn = threading.Lock()

    def burst(self) -> None:
        with self._turn:
            for partition in range(self.partitions):
                numbers = list(itertools.islice(self._numbers, 5))
                values = [json.dumps({"id": number, "text": f"event {number}"}).encode() for number in numbers]
                self._case.broker.produce_all(self._case.input, values, partition)
                self.next = numbers[-1] + 1

    def grow(self, partitions: int) -> None:
        """Add partitions and produce to them before the group can have noticed."""
        admin = AdminClient({"bootstrap.servers": self._case.broker.bootstrap_servers})
        (grown,) = admin.create_partitions([NewPartitions(self._case.input, partitions)]).values()
        grown.result(30)
        eventually(lambda: len(self._case.broker.ends(self._case.input)) == partitions)
        self.partitions = partitions
        self.burst()

    @contextmanager
    def running(self) -> Iterator[None]:
        over = threading.Event()

        def work() -> None:
            while not over.wait(0.2):
                self.burst()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_partitions_added_under_load_lose_nothing(real_kafka: Any, protocol: str, delivery: str) -> None:
    case = Case(
        real_kafka, partitions=2, protocol=protocol, delivery=delivery, input={"start": "latest"}, kafka=dict(REFRESH)
    )
    load = Load(case, first=0, partitions=2)
    load.burst()
    skipped = load.next
    with ExitStack() as members:
        first, second = (members.enter_context(case.member(delay=0.001, slot=slot)) for slot in (0, 1))
        eventually(lambda: first.logged("assigned") and second.logged("assigned"))
        eventually(lambda: case.committed() == skipped)
        with load.running():
            load.grow(4)
            eventually(lambda: first.logged(f"{case.input}[2]") or second.logged(f"{case.input}[2]"))
            third = members.enter_context(case.member(delay=0.001, slot=2))
            load.grow(5)
            first.stop()
            load.grow(6)  # while a rebalance is under way
            eventually(lambda: third.logged("assigned"))
            if delivery == "exactly_once":
                second.process.send_signal(signal.SIGKILL)
            else:
                second.stop()
        third.stop()
        load.grow(8)  # while nobody works
        with load.running():
            members.enter_context(case.member(slot=0))
            members.enter_context(case.member(slot=1))
            load.grow(9)
        wanted = Counter(range(skipped, load.next))
        eventually(lambda: case.ids(case.output).keys() >= wanted.keys(), within=120)
    assert case.ids(case.output) == wanted


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_group_that_dies_as_it_begins_still_began(real_kafka: Any, protocol: str) -> None:
    """Every partition's start is committed before the first member reads, also those of the other members."""
    case = Case(real_kafka, partitions=6, protocol=protocol, input={"start": "latest"})
    case.feed(100)
    with ExitStack() as stack:
        members = [stack.enter_context(case.member(slot=slot)) for slot in range(3)]
        eventually(lambda: any(member.logged("assigned") for member in members))
        assert case.committed() == 100
        for member in members:
            member.process.send_signal(signal.SIGKILL)
    case.feed(100, start=100)
    with case.member() as member:
        eventually(lambda: case.count(case.output) >= 100)
        member.stop()
    assert case.ids(case.output) == Counter(range(100, 200))


@pytest.mark.parametrize("start", ["earliest", "latest"])
def test_a_topic_added_to_the_file_starts_as_the_file_says(real_kafka: Any, start: str) -> None:
    case = Case(real_kafka, partitions=2, input={"start": start})
    case.feed(10)
    begun = 10 if start == "earliest" else 0
    with case.member() as member:
        eventually(lambda: case.committed() == 10)
        member.stop()
    other = real_kafka.create_topic(f"{case.group}.more", 2)
    case.settings["input"]["topics"].append(other)
    first, case.input = case.input, other
    case.feed(10, start=10)
    with case.member() as member:
        eventually(lambda: case.committed() == 10)
        case.feed(10, start=20)
        case.input = first
        case.feed(10, start=30)
        eventually(lambda: case.count(case.output) >= 20 + 2 * begun)
        member.stop()
    assert case.ids(case.output) == Counter(range(40) if start == "earliest" else range(20, 40))
