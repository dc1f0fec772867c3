"""A shadow on a real broker: compared on the live stream, then promoted while the worker runs."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.integration.lib import Case, eventually
from tests.integration.test_reload import running
from tests.workers import tiny
from workers.cli.main import cli
from workers.models.checkpoints import resolve

pytestmark = pytest.mark.integration

EVENTS = 120


def test_disagreements_are_published_and_a_promoted_shadow_takes_over(real_kafka: Any, tmp_path: Path) -> None:
    """With exactly once: disagreements are in the transactions of their events."""
    case = Case(real_kafka, partitions=2)
    odd = f"{case.group}.odd"
    real_kafka.create_topic(odd, 1)
    old, new = (tiny.checkpoint("bert", "sequence", seed=seed) for seed in (0, 1))
    file = tmp_path / "pipeline.yaml"
    file.write_text(f"""\
pipeline: {case.group}
kafka: {{bootstrap.servers: "{case.broker.bootstrap_servers}"}}
input: {{topics: [{case.input}]}}
delivery: exactly_once
tasks:
  - name: tone   # what consumers read
    task: text-classification
    model: {old}
  - name: next
    task: text-classification
    shadow: tone
    model: {new}
output: {{topic: {case.output}, disagreements: {odd}}}
compute: {{forward_tokens: 256, threads: 1}}
telemetry: {{port: null}}
""")
    log = Path(f"{file}.log")
    with running(file, "--watch") as worker:
        case.feed(EVENTS)
        eventually(lambda: case.count(case.output) >= EVENTS)
        members = case.broker.members(case.group)
        result = CliRunner().invoke(cli, ["promote", str(file), "next"])
        assert result.exit_code == 0, result.output
        eventually(lambda: "from the next micro-batch on" in log.read_text())
        case.feed(EVENTS)  # the same texts again
        eventually(lambda: len(case.read(case.output)) >= 2 * EVENTS)
        assert case.broker.members(case.group) == members
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert (
        f"- name: tone   # what consumers read\n    task: text-classification\n    model: {new}\n" in file.read_text()
    )
    events = [json.loads(row.value or b"") for row in case.read(case.output)]
    assert Counter(event["event"]["id"] for event in events) == Counter(dict.fromkeys(range(EVENTS), 2))
    assert case.count(case.dead) == 0
    assert log.read_text().count("assigned") == 1
    labels: dict[str, dict[int, str]] = {resolve(str(model)).revision: {} for model in (old, new)}
    for event in events:
        assert set(event["annotations"]) == set(event["models"]) == {"tone"}
        revision = event["models"]["tone"]["revision"]
        labels[revision][event["event"]["id"]] = event["annotations"]["tone"]["label"]
    before, after = labels.values()
    assert len(before) == len(after) == EVENTS
    differing = {number for number in before if before[number] != after[number]}
    assert differing
    records = [json.loads(row.value or b"") for row in case.read(odd)]
    assert Counter(record["event"]["id"] for record in records) == Counter(differing)
    for record in records:
        assert record["disagreements"] == [{"task": "tone", "shadow": "next"}]
        pair = record["annotations"]["tone"]["label"], record["annotations"]["next"]["label"]
        assert pair == (before[record["event"]["id"]], after[record["event"]["id"]])
    assert f'shadow "next" of "tone": {EVENTS} events compared' in log.read_text()
