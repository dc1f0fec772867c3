"""What the client's errors mean, and what is remembered of them."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.errors import AccessError, BrokerError
from stream.kafka.faults import MEANINGS, ErrorWatch, Meaning, fault, is_instance_taken, meaning, retry


def test_a_refusal_is_forgotten_once_a_broker_answers() -> None:
    watch = ErrorWatch("consumer")
    watch(KafkaError(KafkaError._AUTHENTICATION))
    watch(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert (watch.denied, watch.down) == ("_AUTHENTICATION", True)
    watch.recovered()
    assert (watch.denied, watch.down) == (None, False)


@pytest.mark.parametrize("code", MEANINGS)
def test_our_error_follows_from_the_meaning(code: int) -> None:
    error = KafkaError(code)
    assert type(fault(error, "testing")) is (AccessError if meaning(error) is Meaning.ACCESS else BrokerError)


def test_every_meaning_has_its_codes() -> None:
    assert {*MEANINGS.values(), Meaning.OTHER} == {*Meaning}
    assert meaning(KafkaError(KafkaError._RESOLVE)) is Meaning.OTHER


def test_a_taken_instance_is_recognised_within_a_fatal_error() -> None:
    text = KafkaError(KafkaError.FENCED_INSTANCE_ID).str()
    assert is_instance_taken(KafkaError(KafkaError._FATAL, f"fatal: {text}"))
    assert not is_instance_taken(KafkaError(KafkaError._FATAL))


def test_a_call_is_repeated_for_a_minute_and_denied_access_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("stream.kafka.faults.time.monotonic", lambda: now[0])
    monkeypatch.setattr("stream.kafka.faults.time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))

    def fail(code: int) -> Any:
        raise KafkaException(KafkaError(code))

    with pytest.raises(BrokerError, match="testing"):
        retry(lambda: fail(KafkaError._TIMED_OUT), "testing")
    assert 60 < now[0] < 61
    with pytest.raises(AccessError):
        retry(lambda: fail(KafkaError.GROUP_AUTHORIZATION_FAILED), "testing")
    assert now[0] < 61
