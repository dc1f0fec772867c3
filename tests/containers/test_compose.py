"""The compose file as a newcomer runs it: an event goes in and comes out enriched, and everything stops in order."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.containers.compose import Compose, kafka_image, services
from tests.containers.engine import PACKAGES, PATIENCE, ROOT, WEIGHTS, Engine
from tests.containers.monitoring import EMPTY, empty_panels, prometheus_image
from tests.kafka.jars import NoKafkaError, classpath

EVENT = {"text": "Angela Merkel loves the wonderful coffee in Paris."}
KAFKA_IMAGE: str = services()["kafka"]["image"]
PROMETHEUS_IMAGE: str = services()["prometheus"]["image"]
KAFKA = "/opt/kafka/bin/kafka-{}.sh"


def fetch_tools() -> None:
    """Put the classes of Kafka's command-line tools, which brokers do not need, beside its other jars."""
    folder = ROOT / ".cache/kafka-tools"
    if not list(folder.glob("*.jar")):
        version = next(path.name for path in Path(classpath()[:-2]).glob("kafka-clients-*.jar"))[14:-4]
        artifact = f"-Dartifact=org.apache.kafka:kafka-tools:{version}"
        command = ["mvn", "-B", "-q", "dependency:copy", artifact, f"-DoutputDirectory={folder}"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=900)


@pytest.fixture(scope="module")
def compose(engine: Engine, image: str) -> Compose:
    try:
        libraries = Path(classpath().removesuffix("/*"))
    except NoKafkaError as reason:
        pytest.skip(str(reason))
    fetch_tools()
    options = [option for option in engine.options(weights=False) if option.startswith("--volume=")]
    broker = kafka_image(engine, f"docker.io/{KAFKA_IMAGE}", libraries)
    extra = {image.removeprefix("localhost/"): options, KAFKA_IMAGE: broker}
    if shutil.which("prometheus") is not None:
        extra[PROMETHEUS_IMAGE] = prometheus_image(engine, f"docker.io/{PROMETHEUS_IMAGE}")
    made = Compose(engine, extra)
    # The network is only loopback, so the starter model's package is already in its volume, as after an earlier start.
    volume = engine.run("podman", "volume", "create", "models").stdout.strip()
    place = Path(engine.run("podman", "volume", "inspect", volume, "--format", "{{.Mountpoint}}").stdout.strip())
    shutil.copytree(PACKAGES / WEIGHTS, place / WEIGHTS)
    return made


def consume(engine: Engine, topic: str, count: int) -> list[Any]:
    """Return the first events of a topic, waiting for as many as asked for."""
    read = [KAFKA.format("console-consumer"), "--bootstrap-server", "kafka:19092", "--topic", topic, "--from-beginning"]
    read += ["--max-messages", str(count), "--timeout-ms", str(PATIENCE * 1000)]
    return [json.loads(line) for line in engine.run("podman", "exec", "kafka", *read).stdout.splitlines()]


def probe(engine: Engine, container: str, address: str = "127.0.0.1:9464") -> bool:
    command = ("podman", "exec", container, "glossator", "probe", "--ready", address)
    return engine.run(*command, check=False).returncode == 0


def test_an_event_goes_through_and_the_worker_stops_in_order(compose: Compose, engine: Engine) -> None:
    compose.up("worker")
    compose.eventually("worker", "ready", lambda: probe(engine, "worker"))
    assert compose.healthy("worker")
    feed = (
        f"echo '{json.dumps(EVENT)}' | {KAFKA.format('console-producer')} --bootstrap-server kafka:19092 --topic posts"
    )
    engine.run("podman", "exec", "kafka", "sh", "-c", feed)
    (enriched,) = consume(engine, "posts.enriched", 1)
    assert enriched["event"] == EVENT
    assert "Angela Merkel" in json.dumps(enriched["annotations"])

    compose.up("feed")
    assert len({json.dumps(event["event"]) for event in consume(engine, "posts.enriched", 50)}) > 40
    if shutil.which("prometheus") is not None:
        compose.up("prometheus")
        assert empty_panels(compose) == EMPTY.keys()
    engine.run("podman", "stop", "--time", "0", "feed")

    # A second replica takes the next slot, for the first one holds its own in the volume they share.
    command = compose.services["worker"]["command"]
    compose.run("worker", ["run", "--telemetry", "127.0.0.1:9500", *command[1:]], "worker-2")
    compose.eventually("worker-2", "ready", lambda: probe(engine, "worker-2", "127.0.0.1:9500"))
    assert "slot 1" in compose.logs("worker-2")

    engine.run("podman", "stop", "--time", str(PATIENCE), "worker", "worker-2")
    assert (engine.state("worker", "ExitCode"), engine.state("worker-2", "ExitCode")) == ("0", "0")
    assert re.search(r"read \d+ events: \d+ enriched", compose.logs("worker"))


def test_a_worker_that_nobody_can_help_by_restarting_ends(compose: Compose, engine: Engine, tmp_path: Path) -> None:
    """Status 66 is reached only after the brokers have been found, in the process that ``--restart`` watches."""
    if not compose.exists("kafka"):
        compose.up("topics")
    starter = (ROOT / "examples/starter.yaml").read_text()
    text = starter.replace("model: starter", "model: /models/nowhere")
    assert text != starter
    (tmp_path / "broken.yaml").write_text(text)
    tmp_path.chmod(0o755)
    compose.services["broken"] = {
        **compose.services["worker"],
        "volumes": [f"{tmp_path}:/pipelines:ro", "state:/state"],
    }
    compose.run(
        "broken", ["run", "--restart", "--slot", "auto", "--telemetry", "127.0.0.1:9600", "/pipelines/broken.yaml"]
    )
    compose.eventually("broken", "ended", lambda: engine.state("broken", "Status") == "exited")
    assert engine.state("broken", "ExitCode") == "66", compose.logs("broken")
