"""How the last commit is made sure of or given up."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from stream.kafka import offsets
from stream.kafka.offsets import commit_and_wait

Place = tuple[str, int]
PLACES: list[Place] = [("in", 0), ("in", 1)]


class Consumer:
    """A group's committed offsets; ``failures`` are raised first by a commit, one a call."""

    def __init__(self, committed: dict[Place, int], failures: list[int] | None = None, deaf: bool = False) -> None:
        self.offsets = committed
        self.failures = failures or []
        self.deaf = deaf
        self.calls = 0

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert timeout > 0
        return [
            TopicPartition(p.topic, p.partition, self.offsets.get((p.topic, p.partition), OFFSET_INVALID))
            for p in partitions
        ]

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        self.calls += 1
        if self.failures:
            raise KafkaException(KafkaError(self.failures.pop(0)))
        if not self.deaf:
            self.offsets |= {(p.topic, p.partition): p.offset for p in offsets}
        return offsets


def partitions(*numbers: int) -> list[TopicPartition]:
    return [TopicPartition("in", partition, number) for partition, number in enumerate(numbers)]


def test_the_last_commit_is_repeated_until_the_group_has_it() -> None:
    consumer: Any = Consumer({}, [KafkaError._TRANSPORT, KafkaError.COORDINATOR_LOAD_IN_PROGRESS])
    commit_and_wait(consumer, partitions(5, 6))
    assert consumer.offsets == {("in", 0): 5, ("in", 1): 6}
    assert consumer.calls == 3


@pytest.mark.parametrize("code", [KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_MEMBER_ID])
def test_what_cannot_be_mended_is_given_up_at_once(code: int, caplog: pytest.LogCaptureFixture) -> None:
    consumer: Any = Consumer({}, [code, code])
    with caplog.at_level(logging.WARNING, "glossator"):
        commit_and_wait(consumer, partitions(5))
    assert consumer.calls == 1
    assert f"offsets were not committed ({KafkaError(code).name()})" in caplog.text


def test_a_group_that_does_not_take_the_commit_is_given_up_in_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(offsets, "_LAST_COMMIT", 0.0)
    consumer: Any = Consumer({("in", 0): 4}, deaf=True)
    with caplog.at_level(logging.WARNING, "glossator"):
        commit_and_wait(consumer, partitions(5))
    assert "offsets were not committed (rejected)" in caplog.text
    assert consumer.offsets == {("in", 0): 4}
