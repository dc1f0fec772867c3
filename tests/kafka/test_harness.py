"""The broker behaves as the other tests expect."""

from __future__ import annotations

from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.kafka.cluster import Cluster
from tests.kafka.node import KafkaNode


@pytest.fixture
def topic(real_kafka: Cluster) -> str:
    return real_kafka.create_topic(f"harness-{uuid4().hex}", 3)


def test_what_is_produced_is_read_back(real_kafka: Cluster, topic: str) -> None:
    headers = [("a", b"1"), ("a", None)]
    real_kafka.produce_all(topic, [b"plain", (b"k", None), (b"k", b"v", headers)], partition=1)
    rows = real_kafka.consume_all(topic, 3)
    assert [row[:5] for row in rows] == [
        (1, 0, None, b"plain", []),
        (1, 1, b"k", None, []),
        (1, 2, b"k", b"v", headers),
    ]
    assert real_kafka.ends(topic) == {0: 0, 1: 3, 2: 0}


def test_a_transaction_is_seen_whole_or_not_at_all(real_kafka: Cluster, topic: str) -> None:
    group = f"{topic}-group"
    consumer = Consumer({"bootstrap.servers": real_kafka.bootstrap_servers, "group.id": group})
    producer = Producer({"bootstrap.servers": real_kafka.bootstrap_servers, "transactional.id": topic})
    producer.init_transactions(30)
    for value, finish in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value, partition=0)
        producer.flush(30)
        offset = TopicPartition(topic, 0, 7 if value == b"committed" else 5)
        producer.send_offsets_to_transaction([offset], consumer.consumer_group_metadata(), 30)
        finish(30)
    consumer.close()
    assert [row.value for row in real_kafka.consume_all(topic, 1)] == [b"committed"]
    assert [row.value for row in real_kafka.consume_all(topic, 2, read_committed=False)] == [b"aborted", b"committed"]
    assert real_kafka.committed(group, topic) == {0: 7}


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_group_of_either_protocol_reads_and_commits(real_kafka: Cluster, topic: str, protocol: str) -> None:
    group = f"{topic}-{protocol}"
    real_kafka.produce_all(topic, [str(i).encode() for i in range(30)])
    settings = {"bootstrap.servers": real_kafka.bootstrap_servers, "group.id": group, "group.protocol": protocol}
    consumer = Consumer({**settings, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    read = 0
    while read < 30:
        message = consumer.poll(30)
        assert message is not None
        assert message.error() is None
        read += 1
    real_kafka.wait_for_members(group, 1)
    consumer.commit(asynchronous=False)
    consumer.close()
    real_kafka.wait_until_done(group, topic)
    real_kafka.wait_for_members(group, 0)


def test_a_killed_broker_comes_back_with_its_data(kafka_node: KafkaNode) -> None:
    cluster = Cluster(kafka_node.bootstrap_servers, True, "own")
    cluster.produce_all(cluster.create_topic("kept", 1), [b"1", b"2"])
    kafka_node.kill()
    kafka_node.start()
    cluster.produce_all("kept", [b"3"])
    assert [row.value for row in cluster.consume_all("kept", 3)] == [b"1", b"2", b"3"]


def test_a_suspended_broker_answers_again_when_resumed(kafka_node: KafkaNode) -> None:
    cluster = Cluster(kafka_node.bootstrap_servers, True, "own")
    cluster.create_topic("slow", 1)
    producer = Producer({"bootstrap.servers": kafka_node.bootstrap_servers, "linger.ms": 0})
    kafka_node.suspend()
    producer.produce("slow", b"1")
    assert producer.flush(2) == 1
    kafka_node.resume()
    assert producer.flush(60) == 0
