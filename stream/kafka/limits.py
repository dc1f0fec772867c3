"""What the output topics demand of a record, read from their configuration.

A broker rejects a batch as a whole, and the client does not tell which of its records is at fault if only one is. So
a record that is certain to be rejected is not sent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException

from schemas.record import Outbound
from stream.kafka.settings import Settings
from stream.kafka.topics import describe_topics

log = logging.getLogger("glossator.kafka")

_UNLIMITED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TopicLimits:
    """What one topic demands of a record.

    - ``keyed``: it needs a key, because the topic is compacted.
    - ``before_ms``, ``after_ms``: how many milliseconds its timestamp may be in the past and in the future.
    """

    keyed: bool = False
    before_ms: int = _UNLIMITED
    after_ms: int = _UNLIMITED

    @classmethod
    def of(cls, config: Mapping[str, str]) -> TopicLimits:
        """Read a topic's configuration. Raises ValueError for numbers that are none."""
        keyed = "compact" in config.get("cleanup.policy", "").split(",")
        if config.get("message.timestamp.type") == "LogAppendTime":
            return cls(keyed)
        # The name until Kafka 3.6, for both directions.
        both = config.get("message.timestamp.difference.max.ms", str(_UNLIMITED))
        before, after = (config.get(f"message.timestamp.{side}.max.ms", both) for side in ("before", "after"))
        return cls(keyed, int(before), int(after))

    def require(self, outbound: Outbound) -> None:
        """Raise KafkaException, with the error that the broker would give, if it would reject ``outbound``."""
        if self.keyed and outbound.key is None:
            raise KafkaException(KafkaError(KafkaError.INVALID_RECORD))
        if outbound.timestamp_ms > 0:  # otherwise the client sets the time of sending
            ahead = outbound.timestamp_ms - time.time() * 1000
            if ahead > self.after_ms or -ahead > self.before_ms:
                raise KafkaException(KafkaError(KafkaError.INVALID_TIMESTAMP))


def topic_limits(settings: Settings, topics: Iterable[str]) -> dict[str, TopicLimits]:
    """Return the limits of each of ``topics``; none if the cluster does not let us look. Blocks for some seconds."""
    try:
        return {topic: TopicLimits.of(config) for topic, config in describe_topics(settings, topics).items()}
    except (KafkaException, TimeoutError, ValueError) as error:
        # ``largest_batch`` has just warned that the configuration cannot be read.
        log.debug("the limits of the output topics are unknown (%s)", type(error).__name__)
        return {}
