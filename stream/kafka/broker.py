"""The embedded broker: librdkafka's mock cluster, for the demo and for quick tests. No Java, no Docker."""

from __future__ import annotations

from types import TracebackType

from confluent_kafka import KafkaException, Producer

from schemas.errors import BrokerError


def is_embedded(cluster_id: str | None) -> bool:
    """Whether the cluster of that id is an embedded broker, of whichever process."""
    return (cluster_id or "").startswith("mockCluster")


class EmbeddedBroker:
    """A Kafka broker inside this process; any client, of any process on this machine, can use it.

    ``with EmbeddedBroker() as broker:`` then connect to ``broker.bootstrap_servers``. It listens on a
    free port of the loopback interface and keeps everything in memory: when the block ends, it and
    its records are gone.

    It speaks the protocol (produce, fetch, consumer groups both classic and KIP-848) but keeps
    few of Kafka's promises, so nothing about delivery is ever proved with it:

    - a topic appears when it is first asked about, always with 4 partitions: a misspelt name never
      fails, and topics cannot be created, altered or deleted through the admin client;
    - each partition keeps its newest 5 MiB or so and drops what is older, read or not: a reader too
      far behind the writer loses events;
    - transactions are accepted and mean nothing: aborted records are read even by read_committed,
      and offsets sent to a transaction are not committed;
    - records of any size are taken, topics have no settings, offsets cannot be looked up by time,
      groups cannot be listed, described or deleted;
    - classic groups move slowly: the first member waits 3 s for its partitions, and whenever one has
      joined or left since, the next waits for the session timeout less 1 s (44 s by default), twice
      in a cooperative rebalance. With a session timeout of 3 s or less nobody ever gets partitions.
      KIP-848 groups settle within about 3 s;
    - no TLS, no authentication, no replication, nothing on disk.

    Source: librdkafka's ``test.mock.num.brokers`` (``rdkafka_mock.c``).
    """

    def __init__(self) -> None:
        self._host: Producer | None = None
        self._address = ""

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``. Raises RuntimeError outside the ``with`` block."""
        if self._host is None:
            raise RuntimeError("the embedded broker is not running")
        return self._address

    def start(self) -> None:
        """Raises BrokerError when the cluster does not answer within ten seconds."""
        # The cluster lives and dies with the client that was made with the setting. Level 2 hides
        # the notice that it replaces bootstrap.servers, which is the point.
        host = Producer({"test.mock.num.brokers": 1, "log_level": 2})
        try:
            brokers = host.list_topics(timeout=10).brokers.values()
        except KafkaException as error:
            raise BrokerError(f"the embedded broker did not start: {error.args[0].name()}") from None
        self._address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self._host = host

    def stop(self) -> None:
        """Ends the broker and drops its records; a second call does nothing."""
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
