"""A broker that its clients reach through the proxy, and the harness by a listener of its own."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.proxy import Proxy
from tests.chaos.schedule import SESSION
from tests.kafka.node import KafkaNode, free_ports


class ProxiedNode(KafkaNode):
    """``bootstrap_servers`` is the harness's listener; ``clients`` the address that breaks."""

    def __init__(self, folder: Path) -> None:
        behind, direct, controller = free_ports(3)
        self.proxy = Proxy(behind)
        self.clients = f"127.0.0.1:{self.proxy.port}"
        listeners = f"PLAINTEXT://127.0.0.1:{behind},DIRECT://127.0.0.1:{direct}"
        super().__init__(
            folder,
            {
                "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
                "advertised.listeners": f"PLAINTEXT://{self.clients},DIRECT://127.0.0.1:{direct}",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name": "DIRECT",
                "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
                "group.consumer.session.timeout.ms": str(int(SESSION * 1000)),
                "group.consumer.heartbeat.interval.ms": str(int(SESSION * 1000 / 4)),
            },
        )
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
