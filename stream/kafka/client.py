"""The Kafka client's settings: our defaults, the user's, and what its errors mean in our tree."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from schemas.errors import AccessError, BrokerError
from schemas.record import Assignment

log = logging.getLogger("glossator.kafka")

T = TypeVar("T")
_METADATA = b"CGMDv2:"
Settings = Mapping[str, str | int | float | bool]

_COMMON: dict[str, Any] = {
    "client.id": "glossator",
    # A dead broker is noticed by the keep-alive, not after the kernel's two hours.
    "socket.keepalive.enable": True,
}
_CONSUMER: dict[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    # Where to start is decided when a partition is assigned; anything later that would move the
    # position is an error, because it would skip or repeat events silently.
    "auto.offset.reset": "error",
    # Only this tells the end of the log from control records and open transactions there.
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
    # The Java clients' partitioner: keys land where other producers put them.
    "partitioner": "murmur2_random",
}
_ACCESS_CODES = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError._SSL,
    }
)


HOPELESS = _ACCESS_CODES | {
    KafkaError.UNKNOWN_MEMBER_ID, KafkaError.FENCED_INSTANCE_ID, KafkaError.FENCED_MEMBER_EPOCH, KafkaError._FATAL,
}  # fmt: skip
"""Refusals of a commit that asking again cannot mend."""


def consumer_settings(settings: Settings, group: str) -> dict[str, Any]:
    """The consumer's configuration: defaults, then the user's settings, then what promises rest on."""
    merged = {**_COMMON, **_CONSUMER, **settings, "group.id": group}
    if "group.instance.id" in settings:
        # A static member that is replaced between the two steps of a cooperative rebalance never takes the second, and
        # the partition it was to give up stays without an owner.
        merged["partition.assignment.strategy"] = settings.get("partition.assignment.strategy", "range")
    if settings.get("group.protocol") == "consumer":
        # KIP-848: the broker assigns; the client refuses to be told how.
        del merged["partition.assignment.strategy"]
    return merged


def with_slot(settings: Settings, slot: int) -> Settings:
    """``settings`` for the worker of that slot: a name of its own in the group, and static members' ids (KIP-345)."""
    own = {name: f"{settings[name]}-{slot}" for name in ("group.instance.id",) if name in settings}
    return {**settings, **own, "client.id": f"{settings.get('client.id', _COMMON['client.id'])}-{slot}"}


def is_cooperative(settings: Settings) -> bool:
    """Whether partitions are given and taken one by one, and not all at once."""
    return "cooperative" in str(consumer_settings(settings, "").get("partition.assignment.strategy", "cooperative"))


def same_slot(settings: Settings, group: str, slot: int) -> list[str]:
    """The hosts of members of ``group`` that have that slot: alive, or dead for less than a session timeout."""
    admin = AdminClient({**_COMMON, **settings}, logger=_client_log())
    name = with_slot(settings, slot)["client.id"]
    try:
        members = admin.describe_consumer_groups([group], request_timeout=5)[group].result(10).members
    except (KafkaException, TimeoutError):  # no such group yet, or none of our business
        return []
    return [member.host.lstrip("/") for member in members if member.client_id == name]


def producer_settings(settings: Settings) -> dict[str, Any]:
    return {**_COMMON, **_PRODUCER, **settings}


# How the client words a bad value; other refusals are about settings that only work together.
_BAD_VALUE = ("Invalid value", "outside allowed range", "Expected ")


def check_settings(settings: Settings) -> list[tuple[str, str]]:
    """(setting, what is wrong) for settings the client does not know or cannot take.

    Nothing is connected to: the clients are made without addresses. Each setting is tried alone
    first, so every mistake is found at once.
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


class ErrorWatch:
    """Hears the client's own errors (they come on its callback) and keeps what matters.

    ``denied`` holds the reason once the cluster refused our credentials; ``down`` is true while no
    broker can be reached, ``unresolved`` once a broker's name could not be looked up. What a person
    should know is logged in one line, once.
    """

    def __init__(self, who: str) -> None:
        self._who = who
        self.denied: str | None = None
        self.down = False
        self.unresolved = False

    def __call__(self, error: KafkaError) -> None:
        if error.code() in _ACCESS_CODES:
            if self.denied is None:
                log.error("%s: the cluster refused us: %s", self._who, error.name())
            self.denied = error.name()
        elif error.code() == KafkaError._RESOLVE:
            self.unresolved = True
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            if not self.down:
                log.warning("%s: no broker can be reached; waiting for one", self._who)
            self.down = True

    def recovered(self) -> None:
        if self.down:
            log.info("%s: a broker can be reached again", self._who)
        self.down = False
        self.denied = None


def make_consumer(settings: Settings, group: str, watch: ErrorWatch, **callbacks: Any) -> Consumer:
    """Raises BrokerError when the client refuses the settings."""
    try:
        return Consumer({**consumer_settings(settings, group), "error_cb": watch, **callbacks}, logger=_client_log())
    except KafkaException as error:
        raise _refused(error) from None


def make_producer(settings: Settings, watch: ErrorWatch, **more: Any) -> Producer:
    """``more``: settings that promises rest on. Raises BrokerError when the client refuses the settings."""
    try:
        return Producer({**producer_settings(settings), **more, "error_cb": watch}, logger=_client_log())
    except KafkaException as error:
        raise _refused(error) from None


def largest_batch(settings: Settings, topics: Iterable[str]) -> int:
    """Bytes a batch may have so that none of ``topics`` refuses it whole (their ``max.message.bytes``).

    At most the producer's own ``batch.size``, which it is too where the cluster does not let us look.
    """
    own = int(producer_settings(settings)["batch.size"])
    admin = AdminClient({**_COMMON, **settings}, logger=_client_log())
    asked = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in set(topics)]
    try:
        found = [answer.result(10) for answer in admin.describe_configs(asked, request_timeout=10).values()]
        return min(own, *(int(config["max.message.bytes"].value) for config in found))
    except (KafkaException, TimeoutError, KeyError, TypeError, ValueError) as error:
        log.warning(
            "max.message.bytes of the output topics is unknown (%s); one below %d could refuse events that fit",
            error.args[0].name() if isinstance(error, KafkaException) else type(error).__name__, own,
        )  # fmt: skip
        return own


def committed_offsets(settings: Settings, group: str, assignments: Iterable[Assignment]) -> dict[Assignment, int]:
    """assignment -> the group's committed offset, where there is one. From any thread.

    Waits until no transaction over them is open. Raises BrokerError and AccessError after a minute.
    """
    places = {(a.topic, a.partition): a for a in assignments}
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(*place) for place in places])
    admin = AdminClient({**_COMMON, **settings}, logger=_client_log())

    def ask() -> dict[Assignment, int]:
        answer = admin.list_consumer_group_offsets([asked], require_stable=True, request_timeout=10)[group].result(20)
        found = answered(answer.topic_partitions)
        return {places[one.topic, one.partition]: one.offset for one in found if one.offset >= 0}

    return patiently(ask, "reading committed offsets")


def answered(found: list[TopicPartition]) -> list[TopicPartition]:
    """``found``: a partition that was not answered for is not one without a commit. Raises KafkaException."""
    if failed := next((one.error for one in found if one.error), None):
        raise KafkaException(failed)
    return found


def names_member(metadata: object) -> bool:
    """Whether group metadata names a member and its generation.

    What a member that was just thrown out hands over names neither, and the group fences only what is named: it would
    let a transaction through that commits for partitions of others. The client hands it over as ``CGMDv2:``, four bytes
    of generation, group, member and instance, each ended by a zero (``rd_kafka_consumer_group_metadata_write``).
    """
    if not isinstance(metadata, bytes) or not metadata.startswith(_METADATA):
        return True  # of a client we do not know: then there is nothing to tell
    generation = int.from_bytes(metadata[len(_METADATA) : len(_METADATA) + 4], sys.byteorder, signed=True)
    member = metadata[len(_METADATA) + 4 :].split(b"\0")[1]
    return generation > 0 and bool(member)


def patiently(call: Callable[[], T], doing: str) -> T:
    """The call's result, asked for again for up to a minute; then BrokerError or AccessError.

    A group's coordinator may be loading or moving just when a partition is assigned, and a transaction that a dead
    worker left open holds the answer back until it is aborted.
    """
    deadline = time.monotonic() + 60
    while True:
        try:
            return call()
        except KafkaException as error:
            reason = fault(error.args[0], doing)
            if isinstance(reason, AccessError) or time.monotonic() > deadline:
                raise reason from None
            log.warning("%s; trying again", reason)
            time.sleep(0.5)


def _refused(error: KafkaException) -> BrokerError:
    # The client quotes the value it dislikes, and a value may be a secret.
    reason = re.sub(r'value "[^"]*"', "value", error.args[0].str().strip())
    return BrokerError(f"the Kafka client refused its settings: {reason}")


def _client_log() -> logging.Logger:
    # The client's own lines (every refused connection, every setting of the other kind of client)
    # are for debugging; what a person must know reaches ErrorWatch.
    logger = logging.getLogger("glossator.librdkafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
    return logger


def fault(error: KafkaError, doing: str) -> BrokerError:
    """Our exception for the client's ``error``, met while ``doing`` something."""
    kind = AccessError if error.code() in _ACCESS_CODES else BrokerError
    return kind(f"{doing}: {error.name()}: {error.str()}")
