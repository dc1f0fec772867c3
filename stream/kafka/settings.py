"""Settings of the Kafka client: our defaults, the user's settings, and clients made of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from schemas.errors import SettingError
from schemas.pipeline.checks import CLASSIC_ONLY
from stream.kafka.faults import ErrorWatch, fault
from stream.kafka.rejections import worded

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
    # The group must forget a killed member soon, but not one whose machine pauses for 5 s (docs/operations.md says how
    # that was measured). Heartbeats come from a thread of the client, so a slow model misses none.
    "session.timeout.ms": 8000,
}
_HEARTBEAT_MS = 1000
"""A pause and the time since the last heartbeat must fit into the session together; also how soon a member learns of a
rebalance."""
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


def consumer_settings(settings: Settings, group: str) -> dict[str, Any]:
    """Return the consumer's configuration: our defaults, overridden by the user's settings, in ``group``."""
    merged = {**_COMMON, **_CONSUMER, **settings, "group.id": group}
    if "group.instance.id" in settings:
        # A static member that is replaced between the two steps of a cooperative rebalance never takes the second
        # one, and the partition it was to give up is left without an owner.
        merged["partition.assignment.strategy"] = settings.get("partition.assignment.strategy", "range")
    if str(session := merged["session.timeout.ms"]).isdecimal():  # the client rejects anything else
        merged.setdefault("heartbeat.interval.ms", min(_HEARTBEAT_MS, max(1, int(session) // 3)))
    if settings.get("group.protocol") == "consumer":
        # KIP-848: the broker decides these, and the client rejects them.
        for name in CLASSIC_ONLY:
            merged.pop(name, None)
    return merged


def producer_settings(settings: Settings) -> dict[str, Any]:
    """Return the producer's configuration: our defaults, overridden by the user's settings."""
    return {**_COMMON, **_PRODUCER, **settings}


def with_slot(settings: Settings, slot: int) -> Settings:
    """Return ``settings`` for the worker of this slot: its own ``client.id`` and, if static, ``group.instance.id``."""
    instance = {name: f"{settings[name]}-{slot}" for name in ("group.instance.id",) if name in settings}
    return {**settings, **instance, "client.id": f"{settings.get('client.id', _COMMON['client.id'])}-{slot}"}


def session_timeout(settings: Settings) -> object:
    """Return the ``session.timeout.ms`` of a member of a classic group."""
    return settings.get("session.timeout.ms", _CONSUMER["session.timeout.ms"])


def is_cooperative(settings: Settings) -> bool:
    """Whether a rebalance moves partitions one by one instead of revoking all of them."""
    return "cooperative" in str(consumer_settings(settings, "").get("partition.assignment.strategy", "cooperative"))


def make_consumer(settings: Settings, group: str, watch: ErrorWatch, **callbacks: Any) -> Consumer:
    """Make a consumer of ``group``; ``callbacks`` are more of the client's. Raises what ``make_admin`` raises."""
    with _refusals(settings):
        return Consumer(
            {**consumer_settings(settings, group), "error_cb": watch, **callbacks}, logger=_client_log(settings)
        )


def make_producer(settings: Settings, watch: ErrorWatch, **overrides: Any) -> Producer:
    """Make a producer; ``overrides`` replace the user's settings. Raises what ``make_admin`` raises."""
    with _refusals(settings):
        return Producer({**producer_settings(settings), **overrides, "error_cb": watch}, logger=_client_log(settings))


def make_admin(settings: Settings) -> AdminClient:
    """Make an admin client. Raises SettingError if the client rejects its settings, BrokerError if it cannot start."""
    with _refusals(settings):
        return AdminClient({**_COMMON, **settings}, logger=_client_log(settings))


@contextmanager
def _refusals(settings: Settings) -> Iterator[None]:
    """Turn the client's refusal to be made with ``settings`` into our error."""
    try:
        yield
    except KafkaException as exception:
        error = exception.args[0]
        if error.code() != KafkaError._INVALID_ARG:
            raise fault(error, "making a Kafka client") from None
        name, reason = worded(error, settings)
        reason = f"{name}: {reason}" if name else reason
        raise SettingError(f"the Kafka client rejects its settings: {reason}") from None


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
