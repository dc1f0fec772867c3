"""Routes and redaction change under load: each event is made and routed by one configuration, and none is lost."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import parse
from tests.integration.lib import Case, eventually
from tests.integration.test_reload import running

pytestmark = pytest.mark.integration

AUDITED, REVIEWED = (3, 2), (2, 3)
"""For each of two configurations: the multiples of this number have a copy for the audit, or go to people."""
WRITTEN = ("<A>", "<B>")
"""For each: what is written in place of an address."""


def configuration(case: Case, version: int) -> str:
    """Return the pipeline file of a version; both need the same topics."""
    return f"""\
pipeline: {case.group}
kafka: {{bootstrap.servers: "{case.broker.bootstrap_servers}"}}
input: {{topics: [{case.input}]}}
tasks: [{{name: pii, task: pii, entities: [EMAIL_ADDRESS]}}]
redact: {{labels: {{EMAIL_ADDRESS: {{replace: {{text: "{WRITTEN[version]}"}}}}}}}}
output:
  topic: {case.output}
  text: redacted
  routes:
    - {{name: audit, when: event.id % {AUDITED[version]} == 0, topic: {case.group}.audit, copy: true}}
    - {{name: review, when: event.id % {REVIEWED[version]} == 0, topic: {case.group}.review}}
batching: {{max_events: 20, linger_ms: 5}}
commit_interval_ms: 200
delivery: {case.settings["delivery"]}
"""


def copies(version: int, number: int) -> dict[str, int]:
    """Return how many copies of an event a version sends to each topic."""
    reviewed = number % REVIEWED[version] == 0
    return {"audit": number % AUDITED[version] == 0, "review": reviewed, "out": not reviewed}


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_each_event_is_routed_and_redacted_by_one_configuration(real_kafka: Any, tmp_path: Path, delivery: str) -> None:
    case = Case(real_kafka, partitions=3, delivery=delivery)
    topics = {"audit": f"{case.group}.audit", "review": f"{case.group}.review", "out": case.output}
    for topic in (topics["audit"], topics["review"]):
        real_kafka.create_topic(topic, 3)
    file = tmp_path / "pipeline.yaml"
    file.write_text(configuration(case, 0))
    log = Path(f"{file}.log")
    configs = [config_hash(parse(configuration(case, version))) for version in (0, 1)]
    fed, stop = 0, threading.Event()

    def load() -> None:
        nonlocal fed
        while not stop.is_set():
            if fed - case.committed() < 1000:
                numbers = range(fed, fed + 100)
                texts = {i: f"event {i}: mail user{i}@example.org" for i in numbers}
                case.send(json.dumps({"id": i, "text": text}).encode() for i, text in texts.items())
                fed += 100
            stop.wait(0.1)

    def swapped(times: int) -> bool:
        return log.read_text().count("from the next micro-batch on") == times

    def goes_on() -> None:
        """Wait until events are processed that were not read yet."""
        goal = fed + 200
        eventually(lambda: case.committed() >= goal)

    with running(file, "--watch") as worker:
        producer = threading.Thread(target=load)
        producer.start()
        try:
            goes_on()
            for swaps in range(1, 5):
                file.write_text(configuration(case, swaps % 2))
                if swaps % 2 == 0:
                    worker.send_signal(signal.SIGHUP)
                eventually(lambda swaps=swaps: swapped(swaps))  # type: ignore[misc]
                goes_on()
        finally:
            stop.set()
            producer.join()
        eventually(lambda: case.committed() == fed)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0

    made: defaultdict[int, set[str]] = defaultdict(set)
    counts_of: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for name, topic in topics.items():
        for row in case.read(topic):
            event = json.loads(row.value or b"")
            number, config = event["event"]["id"], event["pipeline"]["config"]
            made[number].add(config)
            counts_of[number][name] += 1
            version = configs.index(config)
            assert event["text"] == event["event"]["text"] == f"event {number}: mail {WRITTEN[version]}"
            expected = [route for route in ("audit", "review") if copies(version, number)[route]]
            assert event["routed"] == expected
    assert sorted(counts_of) == list(range(fed))
    for number, versions in made.items():
        (config,) = versions  # all copies of an event are of one configuration
        assert counts_of[number] == Counter(copies(configs.index(config), number))
    assert {config for versions in made.values() for config in versions} == set(configs)
    assert case.count(case.dead) == 0
