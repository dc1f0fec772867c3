"""Topics that appear later are found, once, and stay."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.pipeline.topics import InputTopics
from stream.kafka import discovery
from stream.kafka.discovery import Discovery
from tests.integration.lib import eventually

READS = InputTopics(["named", "^p-"], ["p-out"])


class Cluster:
    """An admin client that answers with ``topics``, or fails."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.fails = False
        self.looks = 0

    def list_topics(self, timeout: float) -> Any:
        self.looks += 1
        if self.fails:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return SimpleNamespace(topics=dict.fromkeys(self.topics))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(discovery, "make_admin", lambda settings: made)
    return made


def _taken(discovery: Discovery) -> list[str]:
    taken: list[list[str]] = []

    def look() -> bool:
        if (topics := discovery.take()) is not None:
            taken.append(topics)
        return bool(taken)

    eventually(look)
    return taken[0]


def _looks(cluster: Cluster) -> None:
    before = cluster.looks
    eventually(lambda: cluster.looks > before + 1)


def test_each_new_topic_is_reported_once(cluster: Cluster) -> None:
    cluster.topics = ["p-a", "p-out", "other"]
    discovery = Discovery({"topic.metadata.refresh.interval.ms": 10}, READS)
    try:
        assert _taken(discovery) == ["named", "p-a"]
        _looks(cluster)
        assert discovery.take() is None
        cluster.fails = True
        cluster.topics = ["p-b"]
        _looks(cluster)
        assert discovery.take() is None
        cluster.fails = False
        assert _taken(discovery) == ["named", "p-a", "p-b"], "an answer that lacks a topic takes no partition away"
    finally:
        discovery.close()
    discovery._thread.join(60)
    assert not discovery._thread.is_alive()


def test_without_an_interval_it_looks_until_it_has_an_answer(cluster: Cluster) -> None:
    cluster.topics = ["p-a"]
    discovery = Discovery({"topic.metadata.refresh.interval.ms": -1}, READS)
    assert _taken(discovery) == ["named", "p-a"]
    discovery._thread.join(60)
    assert not discovery._thread.is_alive()
