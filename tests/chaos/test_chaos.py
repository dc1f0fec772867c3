"""A short round of each delivery, and a mutant that the harness must notice. Long runs: ``tests.chaos.run``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.node import Brokers
from tests.chaos.round import play
from tests.chaos.schedule import Fault, Scenario
from tests.kafka.jars import NoKafkaError

pytestmark = [pytest.mark.chaos, pytest.mark.integration, pytest.mark.timeout(600)]
one_node = pytest.mark.xdist_group("chaos on one node")


@contextmanager
def running(folder: Path, count: int = 1) -> Iterator[Brokers]:
    try:
        brokers = Brokers(folder, count)
    except NoKafkaError as reason:
        (pytest.fail if os.environ.get("GLOSSATOR_REQUIRE_KAFKA") == "1" else pytest.skip)(f"needs Kafka: {reason}")
    try:
        brokers.start()
        yield brokers
    finally:
        brokers.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    with running(tmp_path_factory.mktemp("chaos") / "broker") as node:
        yield node


def scenario(delivery: str, protocol: str, *faults: Fault, nodes: int = 1, routes: bool = True) -> Scenario:
    return Scenario(f"test/{delivery}", delivery, protocol, False, 2, 3000, 10.0, 0.001, faults, nodes, routes)


ROUNDS = {
    "at_least_once": scenario(
        "at_least_once",
        "classic",
        Fault(2.5, "kill-sent", 0.0, 0, 5),
        Fault(3.0, "logs-full", 4.0, 1, 1),
        Fault(4.0, "poison", 0.0, 0, 10),
        Fault(5.0, "freeze", 7.5, 1, 1),
        Fault(8.0, "scale", 4.0, 0, 1),
    ),
    "exactly_once": scenario(
        "exactly_once",
        "consumer",
        Fault(2.5, "kill-offsets", 0.0, 0, 3),
        Fault(4.0, "cut-end-txn", 0.0, 0, 4),
        Fault(5.0, "large", 0.0, 0, 2),
        Fault(6.0, "broker-kill", 3.0, 0, 1),
        Fault(9.0, "kill", 0.0, 1, 1),
    ),
}


@one_node
@pytest.mark.parametrize("delivery", ROUNDS)
def test_a_round_keeps_every_promise(node: Brokers, tmp_path: Path, delivery: str) -> None:
    played = play(ROUNDS[delivery], node, tmp_path)
    assert not played["broken"], played
    assert played["sent"] == 3000
    assert played["statuses"].get("-9", 0) >= 1, "nothing was killed"
    if delivery == "exactly_once":
        assert played["responses_cut"] > 0, "no commit's response was cut off"


@one_node
def test_a_worker_that_commits_too_early_is_caught(node: Brokers, tmp_path: Path) -> None:
    faulty = scenario("at_least_once", "classic", Fault(4.0, "latency", 4.0, 0, 1), Fault(6.0, "kill", 0.0, 0, 1))
    played = play(faulty, node, tmp_path, mutant="commit-early")
    assert any(promise.startswith(("ahead", "lost")) for promise in played["broken"]), played


def test_the_coordinator_of_three_nodes_may_die(tmp_path: Path) -> None:
    faults = (Fault(4.0, "coordinator-kill", 3.0, 0, 1), Fault(6.0, "reset", 0.0, 0, 1), Fault(8.0, "kill", 0.0, 0, 1))
    with running(tmp_path / "brokers", 3) as brokers:
        played = play(scenario("exactly_once", "classic", *faults, nodes=3, routes=False), brokers, tmp_path / "round")
    assert not played["broken"], played
    assert sorted(played["faults"]) == ["coordinator-kill", "kill", "reset"]
