"""Errors that the consumer delivers: those that waiting cannot mend are raised, the others logged."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError

from schemas.errors import AccessError, BrokerError, FencedError, OffsetError, SettingError
from stream.kafka.consumer_errors import raise_if_final


class _Message:
    def topic(self) -> str:
        return "posts"

    def partition(self) -> int:
        return 3


def _deliver(error: KafkaError) -> None:
    message: Any = _Message()
    raise_if_final(error, message, {"session.timeout.ms": 100})


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (KafkaError(KafkaError._AUTO_OFFSET_RESET), OffsetError, "posts[3]: the committed offset is no longer"),
        (KafkaError(KafkaError.INVALID_SESSION_TIMEOUT), SettingError, "a session.timeout.ms of 100: set one"),
        (KafkaError(KafkaError.FENCED_INSTANCE_ID), FencedError, "this one's group.instance.id"),
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), AccessError, "TOPIC_AUTHORIZATION_FAILED"),
        (KafkaError(KafkaError._TRANSPORT, fatal=True), BrokerError, "consuming: _TRANSPORT"),
        (KafkaError(KafkaError._FATAL), BrokerError, "consuming: _FATAL"),
    ],
    ids=lambda part: part.name() if isinstance(part, KafkaError) else "",
)
def test_what_waiting_cannot_mend_is_raised(error: KafkaError, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        _deliver(error)
    assert type(caught.value) is kind
    assert text in str(caught.value)


def test_other_errors_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    _deliver(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
    _deliver(KafkaError(KafkaError._TRANSPORT))
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "UNKNOWN_TOPIC_OR_PART" in caplog.text
