"""Settings of the Kafka client: our defaults, the user's settings, how they are checked, and clients made of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from schemas.errors import BrokerError, Problem
from schemas.pipeline.loader import PipelineFile
from stream.kafka.faults import ErrorWatch

Settings = Mapping[str, str | int | float | bool]

_COMMON: dict[str, Any] = {
    "client.id": "glossator",
    # Keep-alive notices a dead broker; the kernel would take two hours.
    "socket.keepalive.enable": True,
}
_CONSUMER: dict[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    # The starting position is decided when a partition is assigned. Anything that would move it later is an error,
    # because it would silently skip or repeat events.
    "auto.offset.reset": "error",
    # Offsets alone cannot tell the end of the log from control records and open transactions at its end.
    "enable.partition.eof": True,
    "queued.max.messages.kbytes": 16_384,
    "fetch.wait.max.ms": 100,
}
_PRODUCER: dict[str, Any] = {
    "enable.idempotence": True,
    "linger.ms": 5,
    "batch.size": 1_000_000,
    "compression.type": "lz4",
    # The broker decides what is too large, topic by topic; the client only bounds memory.
    "message.max.bytes": 100_000_000,
    "queue.buffering.max.kbytes": 131_072,
    # The partitioner of the Java clients, so that keys go to the same partitions as from other producers.
    "partitioner": "murmur2_random",
}

# How the client words a bad value; other refusals are about settings that only work together.
_BAD_VALUE = ("Invalid value", "outside allowed range", "Expected ")


def consumer_settings(settings: Settings, group: str) -> dict[str, Any]:
    """Return the consumer's configuration: our defaults, overridden by the user's settings, in ``group``."""
    merged = {**_COMMON, **_CONSUMER, **settings, "group.id": group}
    if "group.instance.id" in settings:
        # A static member that is replaced between the two steps of a cooperative rebalance never takes the second
        # one, and the partition it was to give up is left without an owner.
        merged["partition.assignment.strategy"] = settings.get("partition.assignment.strategy", "range")
    if settings.get("group.protocol") == "consumer":
        # KIP-848: the broker assigns, and the client rejects a strategy.
        del merged["partition.assignment.strategy"]
    return merged


def producer_settings(settings: Settings) -> dict[str, Any]:
    """Return the producer's configuration: our defaults, overridden by the user's settings."""
    return {**_COMMON, **_PRODUCER, **settings}


def with_slot(settings: Settings, slot: int) -> Settings:
    """Return ``settings`` for the worker of this slot: its own ``client.id`` and, if static, ``group.instance.id``."""
    instance = {name: f"{settings[name]}-{slot}" for name in ("group.instance.id",) if name in settings}
    return {**settings, **instance, "client.id": f"{settings.get('client.id', _COMMON['client.id'])}-{slot}"}


def is_cooperative(settings: Settings) -> bool:
    """Whether a rebalance moves partitions one by one instead of revoking all of them."""
    return "cooperative" in str(consumer_settings(settings, "").get("partition.assignment.strategy", "cooperative"))


def check_settings(settings: Settings) -> list[tuple[str, str]]:
    """Return (setting, problem) for each setting the client does not know or whose value it rejects.

    Nothing is connected to: the clients are made without addresses. Each setting is tried alone, so every mistake is
    found at once. Values are not quoted, because they may be secrets.
    """
    problems: list[tuple[str, str]] = []
    quiet = logging.getLogger("glossator.kafka.check")
    quiet.disabled = True
    for name, value in settings.items():
        if name == "bootstrap.servers":
            continue
        try:
            Producer({name: value}, logger=quiet)
        except KafkaException as error:
            reason = error.args[0].str()
            if "No such configuration property" in reason:
                problems.append((name, "unknown setting of the Kafka client"))
            elif any(sign in reason for sign in _BAD_VALUE):
                problems.append((name, "the Kafka client does not accept this value"))
    return problems


def client_problems(file: PipelineFile) -> list[Problem]:
    """Return what the Kafka client itself would reject in the ``kafka`` section of a pipeline file."""
    return [file.problem(("kafka", name), message) for name, message in check_settings(file.pipeline.kafka)]


def make_consumer(settings: Settings, group: str, watch: ErrorWatch, **callbacks: Any) -> Consumer:
    """Make a consumer of ``group``; ``callbacks`` are more of the client's. Raises BrokerError for bad settings."""
    try:
        return Consumer(
            {**consumer_settings(settings, group), "error_cb": watch, **callbacks}, logger=_client_log(settings)
        )
    except KafkaException as error:
        raise _rejected(error) from None


def make_producer(settings: Settings, watch: ErrorWatch, **overrides: Any) -> Producer:
    """Make a producer; ``overrides`` replace the user's settings. Raises BrokerError for bad settings."""
    try:
        return Producer({**producer_settings(settings), **overrides, "error_cb": watch}, logger=_client_log(settings))
    except KafkaException as error:
        raise _rejected(error) from None


def make_admin(settings: Settings) -> AdminClient:
    """Make an admin client. Raises KafkaException for bad settings."""
    return AdminClient({**_COMMON, **settings}, logger=_client_log(settings))


def _rejected(error: KafkaException) -> BrokerError:
    # The client quotes the value it rejects, and a value may be a secret.
    reason = re.sub(r'value "[^"]*"', "value", error.args[0].str().strip())
    return BrokerError(f"the Kafka client rejected its settings: {reason}")


def _client_log(settings: Settings) -> logging.Logger:
    # The client's own lines (every refused connection, every setting of the other kind of client) are for debugging.
    # What a person must know is logged by ErrorWatch or raised, fatal errors (CRITICAL) included. Whoever sets "debug"
    # wants the lines, whatever the level of other loggers is.
    if settings.get("debug"):
        debug = logging.getLogger("glossator.librdkafka.debug")
        debug.setLevel(logging.DEBUG)
        return debug
    logger = logging.getLogger("glossator.librdkafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL + 1)
    return logger
