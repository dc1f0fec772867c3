"""What all tests share: a Kafka to test against, hypothesis without deadlines, and the order of a parallel run."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from tests.kafka.cluster import Cluster
from tests.kafka.jars import NoKafkaError
from tests.kafka.node import KafkaNode
from tests.kafka.shared import shared_cluster
from tests.spread import spread

_NEED_KAFKA = {"kafka", "kafka_node"}

# A busy machine must not fail a test: nothing here is about time. With CI set, hypothesis has a profile like that.
if hypothesis.settings.get_current_profile_name() == "default":
    hypothesis.settings.register_profile("patient", deadline=None)
    hypothesis.settings.load_profile("patient")
hypothesis.settings.register_profile("fast", deadline=None, max_examples=20)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from looking, again and again, at what lasts: all modules, and thousands of tests.

    What tests make is looked at less often than usual, because most of it stays, too: reports, models, caches.
    """
    gc.set_threshold(20_000, 20, 20)  # before a worker remembers what is usual
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    """Let the end of the process find all garbage."""
    gc.unfreeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a real broker as an integration test, and order the tests for a parallel run."""
    for item in items:
        if _NEED_KAFKA.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)
    if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        items[:] = spread(items, workers)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use each core once for the fast suite, and half as many processes more for all tests.

    Integration tests wait a lot, but each has workers and maybe a broker of its own: with two for each core, a broker
    has gone without a processor for a minute.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if "not integration" in config.option.markexpr else min(cores + (cores + 1) // 2, 8)


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where workers that a test starts keep their state: not in the home folder, and apart from parallel tests."""
    folder = tmp_path_factory.mktemp("state-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def models() -> Iterator[None]:
    """Read the models that tests share once in this process, if it has tests that may load them."""
    if "workers.models.library" not in sys.modules:  # which takes seconds to import
        yield
        return
    from tests.weights import models_read_once

    with models_read_once():
        yield


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, worker_id: str, pytestconfig: pytest.Config) -> Cluster:
    """The best Kafka this machine offers; with luck a real one (``.real``)."""
    folder = tmp_path_factory.getbasetemp()
    stack = ExitStack()
    # Not as this fixture's end: to wait there for the other processes would count as the time of the last test.
    pytestconfig.add_cleanup(stack.close)
    return stack.enter_context(shared_cluster((folder if worker_id == "master" else folder.parent) / "kafka"))


@pytest.fixture(scope="session")
def real_kafka(kafka: Cluster) -> Cluster:
    """A real Kafka, shared by all tests. Without one the test is skipped, or fails if GLOSSATOR_REQUIRE_KAFKA=1."""
    if not kafka.real:
        _without_kafka(kafka.kind)
    return kafka


@pytest.fixture
def kafka_node(tmp_path: Path) -> Iterator[KafkaNode]:
    """A running broker for this test alone, which it may stop, kill and suspend."""
    try:
        node = KafkaNode(tmp_path / "kafka")
    except NoKafkaError as reason:
        _without_kafka(str(reason))
    with node:
        yield node


def _without_kafka(reason: str) -> NoReturn:
    complaint = f"needs a real Kafka: {reason}"
    if os.environ.get("GLOSSATOR_REQUIRE_KAFKA") == "1":
        pytest.fail(complaint)
    pytest.skip(complaint)
