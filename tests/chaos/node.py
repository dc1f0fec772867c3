"""One broker or three. Clients reach them through proxies, the harness through separate listeners."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.chaos.proxy import Proxy
from tests.chaos.schedule import SESSION
from tests.kafka.node import KafkaNode, free_ports

_SMALL = ("-Xms64m", "-Xmx224m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_TRANSACTION_LOG = "__transaction_state"
_WHOLE_WITHIN = 90.0
_SETTINGS = {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "DIRECT",
    "group.consumer.session.timeout.ms": str(int(SESSION * 1000)),
    "group.consumer.heartbeat.interval.ms": str(int(SESSION * 1000 / 4)),
}
_IN_THREES = {
    "min.insync.replicas": "2",
    "default.replication.factor": "3",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "log.cleaner.dedupe.buffer.size": "4194304",  # because the heap is small
    # A follower that is away is noticed soon, so that writing continues with the two others.
    "replica.lag.time.max.ms": "3000",
}


class ProxiedNode(KafkaNode):
    """A broker behind a proxy. ``bootstrap_servers`` is the harness's listener; ``clients`` the proxy's address."""

    def __init__(
        self, folder: Path, ports: tuple[int, int, int], settings: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        """``ports``: of the listener behind the proxy, the harness's listener, and the controller."""
        behind, direct, controller = ports
        self.proxy = Proxy(behind)
        self.clients = f"127.0.0.1:{self.proxy.port}"
        listeners = f"PLAINTEXT://127.0.0.1:{behind},DIRECT://127.0.0.1:{direct}"
        addresses = {
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.clients},DIRECT://127.0.0.1:{direct}",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        }
        super().__init__(folder, {**_SETTINGS, **addresses, **(settings or {})}, **more)
        self.bootstrap_servers = f"127.0.0.1:{direct}"

    @property
    def up(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        super().kill()
        self.proxy.reset()

    def close(self) -> None:
        self.kill()
        self.proxy.close()


class Brokers:
    """One node, or three that keep three copies of everything and can write while two of them are up.

    ``bootstrap_servers`` and ``clients`` are the addresses of all nodes.
    """

    def __init__(self, folder: Path, count: int = 1) -> None:
        ports = free_ports(3 * count)
        ports_by_node = [(ports[3 * i], ports[3 * i + 1], ports[3 * i + 2]) for i in range(count)]
        if count == 1:
            self.nodes = [ProxiedNode(folder, ports_by_node[0])]
        else:
            voters = ",".join(f"{i}@127.0.0.1:{controller}" for i, (_, _, controller) in enumerate(ports_by_node, 1))
            self.nodes = [
                ProxiedNode(
                    folder / f"node-{i}", ports,
                    {**_IN_THREES, "node.id": str(i), "controller.quorum.voters": voters}, heap=_SMALL,
                )
                for i, ports in enumerate(ports_by_node, 1)
            ]  # fmt: skip
        self.bootstrap_servers = ",".join(node.bootstrap_servers for node in self.nodes)
        self.clients = ",".join(node.clients for node in self.nodes)

    def start(self) -> None:
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.await_start()
        self.await_whole()

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    def heal(self) -> None:
        """Restart what is down, repair the network, and wait until every node has caught up."""
        for node in self.nodes:
            node.proxy.heal()
            if not node.up:
                node.start()
            node.resume()
        self.await_whole()

    @property
    def cuts(self) -> int:
        """Number of responses that were cut off so far."""
        return sum(node.proxy.cuts for node in self.nodes)

    @property
    def transactional_ids(self) -> set[str]:
        """The transactional ids that producers have asked for since ``forget`` was called."""
        return set().union(*(node.proxy.transactional_ids for node in self.nodes))

    def forget(self) -> None:
        for node in self.nodes:
            node.proxy.transactional_ids.clear()

    def network(self, pick: int) -> list[Proxy]:
        """Return the proxies of all nodes, or of one of three."""
        chosen = pick // 2 % len(self.nodes)
        return [node.proxy for i, node in enumerate(self.nodes) if pick % 2 or i == chosen]

    def coordinator(self, transactional_id: str) -> ProxiedNode | None:
        """Return the node that keeps this transaction's state, which leads the partition of its id's hash (KIP-98)."""
        metadata = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0}).list_topics(timeout=10)
        if (log := metadata.topics.get(_TRANSACTION_LOG)) is None:
            return None
        leader = log.partitions[abs(java_hash(transactional_id)) % len(log.partitions)].leader
        return self.nodes[leader - 1] if 0 < leader <= len(self.nodes) else None

    def whole(self) -> bool:
        """Whether every copy of every partition is up to date."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        try:
            metadata = admin.list_topics(timeout=5)
        except KafkaException:
            return False
        partitions = [partition for topic in metadata.topics.values() for partition in topic.partitions.values()]
        return len(metadata.brokers) == len(self.nodes) and all(len(p.isrs) == len(p.replicas) for p in partitions)

    def await_whole(self) -> None:
        """Wait until ``whole``. Raises RuntimeError if a copy stays behind for a minute and a half."""
        deadline = time.monotonic() + _WHOLE_WITHIN
        while not self.whole():
            if time.monotonic() > deadline:
                raise RuntimeError("a node does not catch up with the others")
            time.sleep(0.2)


def java_hash(text: str) -> int:
    """Return Java's ``String.hashCode`` of an ASCII text."""
    value = 0
    for character in text:
        value = (31 * value + ord(character)) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value
