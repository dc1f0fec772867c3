"""A real Apache Kafka on this machine: one JVM, broker and controller in one (KRaft)."""

from __future__ import annotations

import atexit
import base64
import contextlib
import hashlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.jars import classpath

READY_WITHIN = 120.0  # seconds; about 4 on an idle machine
_HEAP = ("-Xms256m", "-Xmx512m")

# One node keeps one copy of everything, topics are never created automatically, and the group notices within seconds
# that a member has died.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    # After a kill the controller takes the node for its predecessor until that session is over.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.heartbeat.interval.ms": "1000",
}


def _cluster_id(seed: str) -> str:
    """A cluster id from ``seed``: 16 bytes in URL-safe base64, never with a "-" first, which would read as an option.

    Two clusters need two ids, because a worker keeps its state and the lock of its slot in a folder of that name.
    """
    return base64.urlsafe_b64encode(b"g" + hashlib.sha256(seed.encode()).digest()[:15])[:22].decode()


class KafkaNode:
    """A broker with its data under ``folder``, on a port that stays the same after restarts.

    Ends with the interpreter, and on Linux also when the interpreter is killed; start it from the
    main thread, because Linux counts the end of the starting thread as the parent's.
    ``settings`` go into ``server.properties``; with ``controller.quorum.voters`` it is one node of several (KIP-853
    calls that a static quorum). ``listeners`` are more listeners and their security protocols; ``addresses`` has where
    they are. Raises NoKafkaError where Java or the jars cannot be had, RuntimeError with the end of
    the broker's log when it does not come up.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        heap: Sequence[str] = _HEAP,
        listeners: Mapping[str, str] | None = None,
    ) -> None:
        self._classpath = classpath()
        self._folder = folder
        self._log = folder / "kafka.log"
        self._heap = heap
        self._process: subprocess.Popen[bytes] | None = None
        more = listeners or {}
        port, controller, *others = free_ports(2 + len(more))
        self.addresses = {name: f"localhost:{other}" for name, other in zip(more, others, strict=True)}
        self.bootstrap_servers = f"127.0.0.1:{port}"
        self.controller = f"127.0.0.1:{controller}"
        plain = [f"PLAINTEXT://127.0.0.1:{port}", *(f"{name}://{place}" for name, place in self.addresses.items())]
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **more}
        properties = {
            **SETTINGS,
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in protocols.items()),
            "listeners": ",".join([*plain, f"CONTROLLER://127.0.0.1:{controller}"]),
            "advertised.listeners": ",".join(plain),
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
            "log.dirs": str(folder / "data"),
            **(settings or {}),
        }
        alone = "controller.quorum.voters" not in properties
        if not alone:
            del properties["controller.quorum.bootstrap.servers"]
        folder.mkdir(parents=True, exist_ok=True)
        self._properties = folder / "server.properties"
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        cluster_id = _cluster_id(properties.get("controller.quorum.voters") or str(folder))
        cluster = [*(["--standalone"] if alone else []), "--cluster-id", cluster_id]
        # It is waited for only when needed, so that several nodes are formatted at once.
        self._formatting = self._run("kafka.tools.StorageTool", "format", "--config", str(self._properties), *cluster)

    def start(self) -> None:
        """Start the broker and wait until it answers. Its earlier data is there again."""
        self.launch()
        self.await_start()

    def launch(self) -> None:
        """Start the broker without waiting: one of several nodes answers only when most of them are up."""
        self._formatting.wait()
        self._process = self._run("kafka.Kafka", str(self._properties))
        atexit.register(self.kill)

    def await_start(self) -> None:
        """Wait until the broker, which ``launch`` has started, answers."""
        deadline = time.monotonic() + READY_WITHIN
        while not answers(self.bootstrap_servers):
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"Kafka did not come up; the end of its log:\n{self._log.read_text()[-3000:]}")

    def stop(self) -> None:
        """Stop the broker in order (SIGTERM); a suspended one is resumed first."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(60)
            finally:
                self.kill()

    def kill(self) -> None:
        """Kill the broker (SIGKILL); ``start`` brings it back with the same data and port."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            atexit.unregister(self.kill)

    def suspend(self) -> None:
        """Make the broker keep its connections and answer nothing, as behind a broken network."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def __enter__(self) -> KafkaNode:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("the broker is not running")
        self._process.send_signal(number)

    def _run(self, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        command = [*tied(), "java", *self._heap, quiet, "-cp", self._classpath, main, *arguments]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def tied() -> list[str]:
    """Return a command prefix: the command is killed when this process ends, in whatever way (Linux)."""
    return [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []


def answers(bootstrap_servers: str) -> bool:
    """Whether a broker can be reached there and has joined its cluster; wait up to a second for it."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    with contextlib.suppress(KafkaException):
        return bool(admin.list_topics(timeout=1).brokers)
    return False


def free_ports(count: int) -> list[int]:
    """Return unused loopback ports. All are open at once while they are chosen, so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
