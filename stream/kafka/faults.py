"""What the Kafka client's errors mean to us: one table of codes, and our exceptions made from it."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.errors import AccessError, BrokerError, FencedError

log = logging.getLogger("glossator.kafka")

T = TypeVar("T")

_RETRY_FOR = 60.0
"""Seconds for which a failing call to the cluster is repeated."""
_RETRY_PAUSE = 0.5


class Meaning(Enum):
    """What a Kafka error code means to a worker, whichever call it came from."""

    ACCESS = auto()
    """The cluster rejected our credentials, or they do not permit the operation."""
    BAD_RECORD = auto()
    """The broker rejected a record because of what it is: sending it again cannot help."""
    BAD_BATCH = auto()
    """The broker rejected a batch because of what one of its records is. The record with this error may be another one:
    if a single record is at fault, the client (librdkafka 2.16) reports its error for the whole batch."""
    NEIGHBOUR = auto()
    """A record was not written because another record of the same request was rejected."""
    NO_TOPIC = auto()
    """The topic or partition does not exist."""
    NO_LEADER = auto()
    """The partition has no leader yet, as just after its topic was created."""
    FENCED = auto()
    """Another producer has taken our transactional id."""
    NOT_A_MEMBER = auto()
    """The group no longer knows this consumer."""
    TRANSIENT = auto()
    """The coordinator is unavailable or the group is rebalancing: the same request may succeed later."""
    FATAL = auto()
    """The client instance cannot be used any more."""
    OTHER = auto()
    """Any code that is not in the table."""


BAD = frozenset({Meaning.BAD_RECORD, Meaning.BAD_BATCH})
"""What concerns a record and not the cluster."""

MEANINGS: dict[int, Meaning] = {
    KafkaError._AUTHENTICATION: Meaning.ACCESS,
    KafkaError._SSL: Meaning.ACCESS,
    KafkaError.SASL_AUTHENTICATION_FAILED: Meaning.ACCESS,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: Meaning.ACCESS,
    KafkaError.GROUP_AUTHORIZATION_FAILED: Meaning.ACCESS,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: Meaning.ACCESS,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: Meaning.ACCESS,
    KafkaError.MSG_SIZE_TOO_LARGE: Meaning.BAD_RECORD,
    KafkaError.RECORD_LIST_TOO_LARGE: Meaning.BAD_RECORD,
    KafkaError.INVALID_MSG_SIZE: Meaning.BAD_RECORD,
    KafkaError.INVALID_RECORD: Meaning.BAD_BATCH,
    KafkaError.INVALID_TIMESTAMP: Meaning.BAD_BATCH,
    KafkaError.INVALID_MSG: Meaning.BAD_BATCH,
    KafkaError._INVALID_DIFFERENT_RECORD: Meaning.NEIGHBOUR,
    KafkaError.UNKNOWN_TOPIC_OR_PART: Meaning.NO_TOPIC,
    KafkaError.TOPIC_EXCEPTION: Meaning.NO_TOPIC,
    KafkaError._UNKNOWN_TOPIC: Meaning.NO_TOPIC,
    KafkaError._UNKNOWN_PARTITION: Meaning.NO_TOPIC,
    KafkaError.LEADER_NOT_AVAILABLE: Meaning.NO_LEADER,
    KafkaError._FENCED: Meaning.FENCED,
    KafkaError.PRODUCER_FENCED: Meaning.FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH: Meaning.FENCED,
    KafkaError.UNKNOWN_MEMBER_ID: Meaning.NOT_A_MEMBER,
    KafkaError.FENCED_INSTANCE_ID: Meaning.NOT_A_MEMBER,
    KafkaError.FENCED_MEMBER_EPOCH: Meaning.NOT_A_MEMBER,
    KafkaError._TRANSPORT: Meaning.TRANSIENT,
    KafkaError._TIMED_OUT: Meaning.TRANSIENT,
    KafkaError._WAIT_COORD: Meaning.TRANSIENT,
    KafkaError.REQUEST_TIMED_OUT: Meaning.TRANSIENT,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS: Meaning.TRANSIENT,
    KafkaError.COORDINATOR_NOT_AVAILABLE: Meaning.TRANSIENT,
    KafkaError.NOT_COORDINATOR: Meaning.TRANSIENT,
    KafkaError.REBALANCE_IN_PROGRESS: Meaning.TRANSIENT,
    KafkaError.ILLEGAL_GENERATION: Meaning.TRANSIENT,
    KafkaError.STALE_MEMBER_EPOCH: Meaning.TRANSIENT,
    KafkaError._FATAL: Meaning.FATAL,
}
"""Kafka error code -> its meaning. Codes that concern a single call are handled where that call is made."""

_INSTANCE_TAKEN = KafkaError(KafkaError.FENCED_INSTANCE_ID).str()


def meaning(error: KafkaError) -> Meaning:
    """Look up what ``error`` means; ``Meaning.OTHER`` if its code is not in the table."""
    return MEANINGS.get(error.code(), Meaning.OTHER)


def fault(error: KafkaError, doing: str) -> BrokerError:
    """Make our exception for the client's ``error``, met while ``doing`` something: AccessError or BrokerError."""
    kind = AccessError if meaning(error) is Meaning.ACCESS else BrokerError
    return kind(f"{doing}: {error.name()}: {error.str()}")


def fenced(identity: str) -> FencedError:
    """Make the error for another worker having taken ``identity``, such as our transactional id."""
    return FencedError(f"another worker has taken {identity}: each worker needs its own --slot")


def is_instance_taken(error: KafkaError) -> bool:
    """Whether another static member has joined with our ``group.instance.id``.

    The client may wrap this error in a fatal one and keep only its text.
    """
    return _INSTANCE_TAKEN in error.str()


_CONNECTION = frozenset(
    {KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT, KafkaError._SSL, KafkaError._BAD_MSG}
)
"""Codes with which the client reports why it has no connection to a broker."""
_BROKER = re.compile(r"(?:\w+://)?(?P<address>[^/\s]+)/\w+: (?P<text>.*?)(?: \(after .*)?", re.DOTALL)
"""How the client words such an error: ``ssl://host:port/bootstrap: text (after 5ms in state CONNECT)``."""


def _cause(error: KafkaError) -> tuple[str, str] | None:
    """Return the address of the broker that ``error`` is about and why it cannot be reached; None if it names none."""
    match = _BROKER.fullmatch(error.str())
    if match is None:
        return None
    text = re.sub(r"^Connect to \S+ failed: ", "", match["text"])
    if error.code() == KafkaError._RESOLVE:
        text = "the host name cannot be resolved"
    elif error.code() == KafkaError._BAD_MSG:
        text = "what answers does not speak Kafka without TLS"
    return match["address"], text


class ErrorWatch:
    """The client's error callback: remembers the errors that matter and logs each of them once, in one line.

    The client calls it on whichever thread polls; the attributes may be read from any thread.

    - ``denied``: name of the error with which the cluster rejected our credentials, or None.
    - ``down``: no broker can be reached.
    - ``causes``: for each broker's address, why it could not be reached last.
    """

    def __init__(self, client: str) -> None:
        """``client``: what to call the client in log lines."""
        self._client = client
        self.denied: str | None = None
        self.down = False
        self.causes: dict[str, str] = {}

    def __call__(self, error: KafkaError) -> None:
        """Take an error from the client."""
        if error.code() in _CONNECTION and (cause := _cause(error)) is not None:
            self.causes[cause[0]] = cause[1]
        if meaning(error) is Meaning.ACCESS:
            if self.denied is None:
                log.error("%s: the cluster denied access: %s", self._client, error.name())
            self.denied = error.name()
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            if not self.down:
                log.warning("%s: no broker can be reached; waiting for one", self._client)
            self.down = True

    def recovered(self) -> None:
        """Note that a broker has answered."""
        if self.down:
            log.info("%s: a broker can be reached again", self._client)
        self.down = False
        self.denied = None
        self.causes = {}


def retry(call: Callable[[], T], doing: str) -> T:
    """Repeat ``call`` until it succeeds, for up to a minute, and return its result. Blocks.

    A group's coordinator may be loading or moving just when a partition is assigned, and a transaction that a dead
    worker left open delays the answer until it is aborted.

    Raises AccessError at once, and BrokerError when the minute is over.
    """
    deadline = time.monotonic() + _RETRY_FOR
    while True:
        try:
            return call()
        except KafkaException as error:
            reason = fault(error.args[0], doing)
            if isinstance(reason, AccessError) or time.monotonic() > deadline:
                raise reason from None
            log.warning("%s; trying again", reason)
            time.sleep(_RETRY_PAUSE)


def require_answers(partitions: list[TopicPartition]) -> list[TopicPartition]:
    """Return ``partitions``; raise KafkaException if any of them carries an error.

    A partition whose offset could not be read must not pass for one without a committed offset.
    """
    if failed := next((partition.error for partition in partitions if partition.error), None):
        raise KafkaException(failed)
    return partitions
