"""The embedded broker serves other processes and groups, and has the limits that are documented."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.errors import BrokerError
from stream.kafka.broker import EmbeddedBroker, is_embedded
from stream.kafka.topics import check_cluster
from tests.kafka.cluster import Cluster
from tests.noop import pipeline

_PRODUCE = """
import sys
from confluent_kafka import Producer
producer = Producer({"bootstrap.servers": sys.argv[1], "enable.idempotence": True, "compression.type": "lz4"})
for i in range(100):
    producer.produce("posts", b"%d" % i, key=b"%d" % (i % 7), headers=[("h", b"1")], timestamp=1_700_000_000_000 + i)
assert producer.flush(30) == 0
"""


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def cluster(broker: EmbeddedBroker) -> Cluster:
    return Cluster(broker.bootstrap_servers, False, "embedded broker")


def test_another_process_produces_what_is_read_here(cluster: Cluster) -> None:
    subprocess.run([sys.executable, "-c", _PRODUCE, cluster.bootstrap_servers], check=True)
    rows = cluster.consume_all("posts", 100)
    assert sorted(int(row.value or b"") for row in rows) == list(range(100))
    for row in rows:
        number = int(row.value or b"")
        assert row.key == b"%d" % (number % 7)
        assert row.headers == [("h", b"1")]
        assert row.timestamp == 1_700_000_000_000 + number


@pytest.mark.parametrize(
    "group",
    [
        # A change of a classic group takes this timeout less a second.
        pytest.param(
            {"partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": 6000}, marks=pytest.mark.slow
        ),
        {"group.protocol": "consumer"},
    ],
    ids=["cooperative", "kip-848"],
)
def test_a_group_goes_on_where_it_committed(cluster: Cluster, group: dict[str, str | int]) -> None:
    settings = {
        "bootstrap.servers": cluster.bootstrap_servers,
        "group.id": "g",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        **group,
    }
    for value in (b"first", b"second"):
        cluster.produce_all("posts", [value], partition=2)
        consumer = Consumer(settings)
        consumer.subscribe(["posts"])
        try:
            message = consumer.poll(30)
            assert message is not None
            assert message.value() == value
            consumer.commit(asynchronous=False)
        finally:
            consumer.close()
    assert cluster.committed("g", "posts") == {2: 2}


def test_two_brokers_know_nothing_of_each_other(cluster: Cluster) -> None:
    cluster.produce_all("posts", [b"here"])
    with EmbeddedBroker() as other:
        assert Cluster(other.bootstrap_servers, False, "other").consume_all("posts") == []


def test_it_can_be_told_from_a_real_one(cluster: Cluster, kafka: Cluster) -> None:
    for asked in (cluster, kafka):
        metadata = Producer({"bootstrap.servers": asked.bootstrap_servers}).list_topics(timeout=30)
        assert is_embedded(metadata.cluster_id) is not asked.real


def test_after_the_block_nobody_listens() -> None:
    broker = EmbeddedBroker()
    with pytest.raises(RuntimeError):
        _ = broker.bootstrap_servers
    with broker:
        host, port = broker.bootstrap_servers.split(":")
        socket.create_connection((host, int(port)), timeout=60).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=60)
    with pytest.raises(RuntimeError):
        _ = broker.bootstrap_servers
    broker.stop()


def test_limit_topics_appear_when_asked_about(cluster: Cluster) -> None:
    assert cluster.ends("misspelt") == dict.fromkeys(range(4), 0)
    with pytest.raises(ValueError, match="4 partitions"):
        cluster.create_topic("other", 6)


def test_limit_the_oldest_is_dropped_beyond_5_mib(cluster: Cluster) -> None:
    cluster.produce_all("posts", (bytes(100_000) for _ in range(100)), partition=0, **{"batch.size": 200_000})
    rows = cluster.consume_all("posts")
    assert rows[-1].offset == 99
    assert rows[0].offset > 0
    assert sum(len(row.value or b"") for row in rows) <= 5 * 2**20


def test_limit_transactions_mean_nothing(cluster: Cluster) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "transactional.id": "t"})
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "g"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("posts", b"aborted", partition=0)
    producer.flush(30)
    producer.abort_transaction(30)
    producer.begin_transaction()
    producer.send_offsets_to_transaction([TopicPartition("posts", 0, 1)], consumer.consumer_group_metadata(), 30)
    producer.commit_transaction(30)
    consumer.close()
    assert [row.value for row in cluster.consume_all("posts", 1)] == [b"aborted"]
    assert cluster.committed("g", "posts") == {}


def test_a_cluster_is_found_by_its_id_and_always_the_same() -> None:
    with EmbeddedBroker() as broker, EmbeddedBroker() as other:
        settings = pipeline(kafka={"bootstrap.servers": broker.bootstrap_servers, "acks": "all"})
        cluster = check_cluster(settings, 10)
        assert is_embedded(cluster)
        assert check_cluster(settings, 10) == cluster
        assert check_cluster(pipeline(kafka={"bootstrap.servers": other.bootstrap_servers}), 10) != cluster
    with pytest.raises(BrokerError, match="no broker answers"):
        check_cluster(settings, 0.1)
