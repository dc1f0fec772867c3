"""Committed offsets as an admin client reads them."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError

from schemas.errors import AccessError
from schemas.record import Assignment
from stream.kafka import groups
from stream.kafka.groups import committed_offsets


class Answers:
    """An admin client that gives one prepared answer after another."""

    def __init__(self, *answers: list[tuple[int, int, int | None]]) -> None:
        """``answers``: lists of partition, offset, and the code of the partition's error or None."""
        self.left = list(answers)

    def list_consumer_group_offsets(self, asked: list[Any], **_: Any) -> dict[str, Any]:
        partitions = [
            SimpleNamespace(
                topic="in", partition=partition, offset=offset, metadata=None, error=code and KafkaError(code)
            )
            for partition, offset, code in self.left.pop(0)
        ]
        future = SimpleNamespace(result=lambda _: SimpleNamespace(topic_partitions=partitions))
        return {asked[0].group_id: future}


def read(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    monkeypatch.setattr(groups, "make_admin", lambda _: answers)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    offsets = committed_offsets({}, "group", [Assignment("in", partition) for partition in (0, 1)])
    return {assignment.partition: offset for assignment, offset in offsets.items()}


def test_a_partition_whose_offset_could_not_be_read_is_not_one_without(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers([(0, 5, None), (1, -1001, KafkaError.UNSTABLE_OFFSET_COMMIT)], [(0, 5, None), (1, 7, None)])
    assert read(answers, monkeypatch) == {0: 5, 1: 7}
    assert not answers.left
    assert read(Answers([(0, 5, None), (1, -1001, None)]), monkeypatch) == {0: 5}


def test_an_offset_that_may_not_be_read_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers([(0, -1001, KafkaError.TOPIC_AUTHORIZATION_FAILED), (1, 7, None)], [])
    with pytest.raises(AccessError, match="TOPIC_AUTHORIZATION_FAILED"):
        read(answers, monkeypatch)
    assert len(answers.left) == 1
