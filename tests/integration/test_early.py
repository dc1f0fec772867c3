"""A worker whose models are loading: alone it joins its group early, beside others it keeps no partition from them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from schemas.pipeline.config import Pipeline
from tests.integration.lib import Case, eventually
from tests.noop import NoopChain
from workers.process.journal import Journal
from workers.worker import Worker

pytestmark = pytest.mark.integration


@contextmanager
def loading(case: Case, slot: int = 0, state: Path | None = None) -> Iterator[tuple[Worker, Future[Any]]]:
    """Run a worker in this process whose chain is whatever the future that is yielded gets."""
    chain: Future[Any] = Future()
    pipeline = Pipeline.model_validate(case.settings)
    journal = Journal(state, case.group, slot) if state else None
    worker = Worker(pipeline, cast(Any, chain), slot=slot, journal=journal)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker, chain
    finally:
        worker.stop()
        thread.join(60)
        assert not thread.is_alive()


def test_alone_it_joins_while_its_models_load_and_reads_when_they_are_ready(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=2, kafka={"session.timeout.ms": 1500, "max.poll.interval.ms": 1500})
    case.feed(100)
    with loading(case) as (worker, chain):
        real_kafka.wait_for_members(case.group, 1)
        members = real_kafka.members(case.group)
        time.sleep(5)  # longer than a member may be silent, or may not poll
        assert worker.stats.polled == 0
        chain.set_result(NoopChain())
        eventually(lambda: case.count(case.output) == 100)
        assert real_kafka.members(case.group) == members, "it has joined twice"
    assert case.ids(case.output) == Counter(range(100))
    assert case.committed() == 100


def test_it_leaves_its_partitions_to_a_worker_that_is_ready(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=2)
    case.feed(100)
    with loading(case, slot=0) as (waiting, chain):
        real_kafka.wait_for_members(case.group, 1)
        with case.member(slot=1) as member:
            eventually(lambda: case.count(case.output) == 100)
            real_kafka.wait_for_members(case.group, 1)
            assert waiting.stats.polled == 0
            case.feed(100, start=100)
            chain.set_result(NoopChain(0.001))
            real_kafka.wait_for_members(case.group, 2)
            eventually(lambda: case.count(case.output) == 200)
            assert member.stop()["drained"]
    assert case.ids(case.output) == Counter(range(200))


def test_it_does_not_join_a_group_that_has_members(real_kafka: Any) -> None:
    case = Case(real_kafka, partitions=2)
    with case.member(slot=1) as member:
        real_kafka.wait_for_members(case.group, 1)
        members = real_kafka.members(case.group)
        with loading(case, slot=0) as (_, chain):
            case.feed(100)
            eventually(lambda: case.count(case.output) == 100)
            assert real_kafka.members(case.group) == members
            chain.set_result(NoopChain())
            real_kafka.wait_for_members(case.group, 2)
        assert member.stop()["polled"] == 100
    assert case.ids(case.output) == Counter(range(100))


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_beside_its_killed_predecessor_it_is_alone(real_kafka: Any, tmp_path: Path, delivery: str) -> None:
    """It stays in the group until its session ends; the journal knows its id."""
    case = Case(real_kafka, partitions=2, delivery=delivery, kafka={"session.timeout.ms": 15_000})
    case.feed(100)
    with case.member(state=tmp_path):
        eventually(lambda: case.committed() == 100)
        eventually(lambda: any(tmp_path.glob("*.members")))
        dead = real_kafka.members(case.group)
    with loading(case, state=tmp_path) as (_, chain):
        eventually(lambda: real_kafka.members(case.group) > dead)
        chain.set_result(NoopChain())
        case.feed(100, start=100)
        eventually(lambda: case.committed() == 200)
    assert case.ids(case.output) == Counter(range(200))
