"""The embedded broker for the demo and quick tests: librdkafka's mock cluster. It needs neither Java nor Docker."""

from __future__ import annotations

from types import TracebackType

from confluent_kafka import KafkaException, Producer

from schemas.errors import BrokerError


def is_embedded(cluster_id: str | None) -> bool:
    """Whether ``cluster_id`` is that of an embedded broker, in this process or another."""
    return (cluster_id or "").startswith("mockCluster")


class EmbeddedBroker:
    """A Kafka broker inside this process, which any client on this machine can use.

    Use it as ``with EmbeddedBroker() as broker:`` and connect to ``broker.bootstrap_servers``. It listens on a free
    port of the loopback interface and keeps everything in memory, so its records are gone when the block ends.

    It speaks the protocol (produce, fetch, consumer groups both classic and KIP-848) but gives few of Kafka's
    guarantees, so it cannot be used to test delivery:

    - A topic is created when a client first asks for it, always with 4 partitions. So a misspelt name never fails, and
      topics cannot be created, altered or deleted through the admin client.
    - Each partition keeps about its newest 5 MiB and drops older records, read or not. A reader that falls too far
      behind the writer loses events.
    - Transactions are accepted and have no effect: even read_committed reads aborted records, and offsets sent to a
      transaction are not committed.
    - Records of any size are accepted, topics have no settings, offsets cannot be looked up by time, and groups cannot
      be listed, described or deleted.
    - Classic groups rebalance slowly. The first member waits 3 s for its partitions. Whenever a member has joined or
      left since, the next waits for the session timeout less 1 s (7 s by default), twice in a cooperative rebalance.
      With a session timeout of 3 s or less nobody ever gets partitions. KIP-848 groups take about 3 s.
    - There is no TLS, no authentication and no replication.

    Source: librdkafka's ``test.mock.num.brokers`` (``rdkafka_mock.c``).
    """

    def __init__(self) -> None:
        self._host: Producer | None = None
        self._address = ""

    @property
    def bootstrap_servers(self) -> str:
        """The broker's ``host:port``. Raises RuntimeError while it is not running."""
        if self._host is None:
            raise RuntimeError("the embedded broker is not running")
        return self._address

    def start(self) -> None:
        """Start the broker and wait for it. Raises BrokerError if it does not answer within ten seconds."""
        # The cluster exists as long as the client that was made with this setting. Log level 2 hides the notice that
        # it replaces bootstrap.servers.
        host = Producer({"test.mock.num.brokers": 1, "log_level": 2})
        try:
            brokers = host.list_topics(timeout=10).brokers.values()
        except KafkaException as error:
            raise BrokerError(f"the embedded broker did not start: {error.args[0].name()}") from None
        self._address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self._host = host

    def stop(self) -> None:
        """Stop the broker and drop its records; a second call does nothing."""
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
