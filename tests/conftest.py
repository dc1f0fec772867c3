"""Fixtures for all tests: a Kafka to test against."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.kafka.choice import cluster
from tests.kafka.cluster import Cluster
from tests.kafka.jars import NoKafkaError
from tests.kafka.node import KafkaNode

_NEED_KAFKA = {"real_kafka", "kafka_node"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a real broker is an integration test, marked or not."""
    for item in items:
        if _NEED_KAFKA.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The best Kafka this machine offers; with luck a real one (``.real``)."""
    with cluster(tmp_path_factory.mktemp("kafka")) as found:
        yield found


@pytest.fixture(scope="session")
def real_kafka(kafka: Cluster) -> Cluster:
    """A real Kafka, shared by all tests. Without one the test is skipped, or fails if GLOSSATOR_REQUIRE_KAFKA=1."""
    if not kafka.real:
        _without_kafka(kafka.kind)
    return kafka


@pytest.fixture
def kafka_node(tmp_path: Path) -> Iterator[KafkaNode]:
    """A running broker of the test's own, to be stopped, killed and suspended at will."""
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
