"""Chooses the Kafka that the tests run against: the first of four kinds that this machine can offer."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stream.kafka.broker import EmbeddedBroker
from tests.kafka.cluster import Cluster
from tests.kafka.jars import NoKafkaError
from tests.kafka.node import READY_WITHIN, SETTINGS, KafkaNode, answers, free_ports

_IMAGE = "apache/kafka:4.1.1"


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Yield the cluster in KAFKA_BOOTSTRAP_SERVERS, else one in Docker, else one on the JVM, else the embedded broker.

    ``folder`` is for the broker's data. The embedded broker's ``kind`` says why no better one was available.
    """
    reasons = []
    for offer in (_given, _container, _jvm):
        with ExitStack() as stack:
            try:
                offered = stack.enter_context(offer(folder))
            except NoKafkaError as reason:
                reasons.append(str(reason))
                continue
            yield offered
            return
    with EmbeddedBroker() as broker:
        yield Cluster(broker.bootstrap_servers, False, f"embedded broker ({'; '.join(reasons)})")


@contextmanager
def _given(_: Path) -> Iterator[Cluster]:
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if not servers:
        raise NoKafkaError("KAFKA_BOOTSTRAP_SERVERS is not set")
    yield Cluster(servers, True, "KAFKA_BOOTSTRAP_SERVERS")


@contextmanager
def _jvm(folder: Path) -> Iterator[Cluster]:
    with KafkaNode(folder) as node:
        yield Cluster(node.bootstrap_servers, True, "Apache Kafka on the JVM")


@contextmanager
def _container(_: Path) -> Iterator[Cluster]:
    # Ask with the command: Docker's Python client leaves a socket open if nobody answers.
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True, check=False, timeout=30).returncode:
        raise NoKafkaError("no Docker answers")
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")  # the library's own warnings
        from testcontainers.core.container import DockerContainer

        # Clients connect to the address that the broker advertises, so the outer port must be known beforehand.
        (port,) = free_ports(1)
        container = DockerContainer(_IMAGE).with_bind_ports(9092, port)
        servers = f"{container.get_container_host_ip()}:{port}"
        settings = {
            **SETTINGS,
            "listeners": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093",
            "advertised.listeners": f"PLAINTEXT://{servers}",
            "controller.quorum.voters": "1@localhost:9093",
        }
        for name, value in settings.items():
            container.with_env(f"KAFKA_{name.replace('.', '_').upper()}", value)
        try:
            stack.enter_context(container)
        except Exception as error:  # the image cannot be pulled, the port was taken, ...
            raise NoKafkaError(f"Docker could not start {_IMAGE}: {type(error).__name__}") from error
        deadline = time.monotonic() + READY_WITHIN
        while not answers(servers):
            if time.monotonic() > deadline:
                raise NoKafkaError(f"{_IMAGE} in Docker did not answer")
        yield Cluster(servers, True, f"{_IMAGE} in Docker")
