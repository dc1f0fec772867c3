"""Starts the services of docker-compose.yml and deploy/monitoring.yml with podman, in the order of their dependencies.

Not with podman-compose, because the podman of Debian 12 cannot wait for health checks and needs network plug-ins. All
services share the network of the first one, which is loopback. A key of the file that is not known here is an error, so
that no part of the file goes untested by accident.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.containers.engine import PATIENCE, ROOT, Engine

_IGNORED = {"build", "depends_on", "image", "command", "ports", "restart", "stop_grace_period", "profiles"}
"""What is done elsewhere, or means nothing here: ports, because there is only loopback."""


def services() -> dict[str, Any]:
    """Return the services of the compose files, by name."""
    files = (ROOT / "docker-compose.yml", ROOT / "deploy/monitoring.yml")
    return {name: service for file in files for name, service in YAML(typ="safe").load(file)["services"].items()}


class Compose:
    """The services of the compose file; each is a container of its name."""

    def __init__(self, engine: Engine, extra: Mapping[str, Sequence[str]]) -> None:
        """``extra``: for some images, more options that their containers need."""
        self.engine, self._extra = engine, extra
        self.services = services()
        self._first: str | None = None
        self._hosts = engine.folder / "hosts"
        self._hosts.write_text(f"127.0.0.1 localhost {' '.join(self.services)}\n")

    def up(self, name: str) -> None:
        """Start a service and what it depends on, and wait until these are ready.

        Raises AssertionError with the log of a service that does not become what others need.
        """
        service = self.services[name]
        for other, condition in service.get("depends_on", {}).items():
            if not self.exists(other):
                self.up(other)
            self._await(other, condition["condition"])
        self.run(name, service.get("command", ()))

    def run(self, name: str, command: Sequence[str], container: str = "") -> None:
        """Start a container of the service ``name`` with ``command``, named after the service unless told otherwise."""
        service = self.services[name]
        options = ["--detach", "--name", container or name, "--pull=never", *self._options(service)]
        options += [f"--volume={self._hosts}:/etc/hosts:ro"]
        options += ["--network=none" if self._first is None else f"--network=container:{self._first}"]
        self._first = self._first or name
        entry, *rest = service.get("entrypoint", [""])
        options += ["--entrypoint", entry] if entry else []
        arguments = [word.replace("$$", "$") for word in (*rest, *command)]
        self.engine.run("podman", "run", *options, service["image"], *arguments)

    def _options(self, service: Mapping[str, Any]) -> list[str]:
        options = list(self._extra.get(service["image"], ()))
        for key, value in service.items():
            if key == "environment":
                options += [f"--env={name}={text}" for name, text in value.items()]
            elif key == "volumes":
                options += [f"--volume={ROOT / mount[2:] if mount.startswith('./') else mount}" for mount in value]
            elif key == "healthcheck":
                assert value["test"][0] == "CMD"
                options += [f"--health-cmd={shlex.join(value['test'][1:])}", "--health-interval=disable"]
            elif key == "read_only":
                options += ["--read-only", "--read-only-tmpfs=false"] if value else []
            elif key in {"tmpfs", "cap_drop", "security_opt"}:
                options += [f"--{key.replace('_', '-')}={entry}" for entry in value]
            else:
                assert key in _IGNORED | {"entrypoint"}, f'the key "{key}" of a compose file is not known here'
        return options

    def _await(self, name: str, condition: str) -> None:
        self.eventually(name, condition, lambda: self._is(name, condition))

    def eventually(self, name: str, what: str, done: Callable[[], bool]) -> None:
        """Wait until ``done``. Raises AssertionError if the container ``name`` ends first, or after long."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            running = self.engine.state(name, "Status") == "running"
            assert (running or done()) and time.monotonic() < deadline, f"{name}: not {what}:\n{self.logs(name)}"
            time.sleep(0.5)

    def _is(self, name: str, condition: str) -> bool:
        if condition == "service_healthy":
            return self.healthy(name)
        assert condition == "service_completed_successfully"
        return self.engine.state(name, "Status") == "exited" and self.engine.state(name, "ExitCode") == "0"

    def healthy(self, name: str) -> bool:
        """Whether the health check of the service, or of its image, succeeds now."""
        return self.engine.run("podman", "healthcheck", "run", name, check=False).returncode == 0

    def exists(self, name: str) -> bool:
        """Whether the service has a container."""
        return self.engine.run("podman", "container", "exists", name, check=False).returncode == 0

    def logs(self, name: str) -> str:
        """Return the end of what the service has written."""
        ended = self.engine.run("podman", "logs", "--tail", "100", name, check=False)
        return ended.stdout + ended.stderr


def kafka_image(engine: Engine, name: str, libraries: Path) -> list[str]:
    """Build a stand-in for Apache Kafka's image, with its jars and the start-up class of the real one.

    Returns the options that its containers need: the jars and Java are mounted from this machine.
    """
    context = engine.folder / "kafka"
    tools = {
        "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
        "kafka-topics": "org.apache.kafka.tools.TopicCommand",
        "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
        "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    }
    java = 'exec java -Xmx512m -XX:TieredStopAtLevel=1 -cp "/opt/kafka/libs/*:/opt/kafka/tools/*"'
    (context / "bin").mkdir(parents=True)
    for script, main in tools.items():
        (context / "bin" / f"{script}.sh").write_text(f'#!/bin/sh\n{java} {main} "$@"\n')
    setup = "kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker"
    setup += " --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config"
    (context / "bin" / "start.sh").write_text(
        f"#!/bin/sh\nset -e\n({java} {setup})\n{java} kafka.Kafka /opt/kafka/config/server.properties\n"
    )
    for file in (context / "bin").iterdir():
        file.chmod(0o755)
    (context / "Dockerfile").write_text(
        "FROM docker.io/library/python:3.11-slim\n"
        "COPY bin /opt/kafka/bin\n"
        "RUN mkdir -p /etc/kafka/docker /mnt/shared/config /opt/kafka/config /var/lib/kafka/data\n"
        "RUN cd /etc/kafka/docker && touch server.properties log4j2.yaml tools-log4j2.yaml\n"
        'ENTRYPOINT ["/opt/kafka/bin/start.sh"]\n'
    )
    engine.build(str(context), "--tag", name)
    home = Path("/usr/bin/java").resolve().parents[1]
    mounts = [
        f"{libraries}:/opt/kafka/libs:ro",
        f"{ROOT / '.cache/kafka-tools'}:/opt/kafka/tools:ro",
        f"{home}:{home}:ro",
    ]
    mounts += [f"{folder}:{folder}:ro" for folder in sorted(Path("/etc").glob("java-*-openjdk"))]
    path = f"{home}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return [*(f"--volume={mount}" for mount in mounts), f"--env=PATH={path}"]
