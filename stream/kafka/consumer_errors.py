"""What an error means that the consumer delivers in place of a record."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError, Message

from schemas.errors import OffsetError, SettingError
from stream.kafka.faults import Meaning, fault, fenced, is_instance_taken, meaning
from stream.kafka.settings import Settings, session_timeout

log = logging.getLogger("glossator.source")


def raise_if_final(error: KafkaError, message: Message, settings: Settings) -> None:
    """Raise ``error``, which ``message`` carries, if waiting cannot mend it; otherwise log it.

    Raises OffsetError, SettingError, FencedError, AccessError or BrokerError.
    """
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        raise OffsetError(
            f"{message.topic()}[{message.partition()}]: the committed offset is no longer in the log, so events "
            "were deleted before they were read; reset the group's offsets yourself to continue"
        )
    if error.code() == KafkaError.INVALID_SESSION_TIMEOUT:
        raise SettingError(
            f"the brokers do not allow a session.timeout.ms of {session_timeout(settings)}: set one in kafka "
            "from their group.min.session.timeout.ms to their group.max.session.timeout.ms"
        )
    if is_instance_taken(error):
        raise fenced("this one's group.instance.id")
    reason = fault(error, "consuming")
    if error.fatal() or meaning(error) in {Meaning.FATAL, Meaning.ACCESS}:
        raise reason
    log.warning("%s", reason)
