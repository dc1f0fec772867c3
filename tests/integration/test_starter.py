"""The whole product: ``glossator run`` with the shipped models on a real broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.integration.lib import Case, eventually

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]


def test_run_enriches_with_the_starter_models(real_kafka: Any, tmp_path: Path) -> None:
    case = Case(real_kafka, partitions=2)
    long_text = "Angela Merkel met Barack Obama in Berlin. " + "They talked for hours about nothing much. " * 300
    values = [
        json.dumps({"text": "Angela Merkel praised the awful coffee in Paris."}),
        json.dumps({"text": long_text}),
        json.dumps({"text": "\U0001f1eb\U0001f1f7 Caf\u0065\u0301! Angela Merkel is in Paris \u0000."}),
        "not json",
        json.dumps({"text": "Angela Merkel praised the awful coffee in Paris."}),
    ]
    case.send(value.encode() for value in values)
    example = (ROOT / "examples" / "starter.yaml").read_text()
    pipeline = tmp_path / "pipeline.yaml"
    pipeline.write_text(
        example.replace("pipeline: starter", f"pipeline: {case.group}", 1)
        .replace("[posts]", f"[{case.input}]")
        .replace("posts.enriched", case.output)
        .replace("posts.dead", case.dead)
    )
    with (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "workers.cli.main", "run", str(pipeline)],
            env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": real_kafka.bootstrap_servers},
            stderr=log,
        )
    try:
        eventually(lambda: case.count(case.output) + case.count(case.dead) == len(values), within=120)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0
    finally:
        worker.kill()
        worker.wait()
    logged = (tmp_path / "log").read_text()
    assert "Merkel" not in logged
    assert "4 enriched, 1 dead letters" in logged
    schema = json.loads((ROOT / "schemas" / "event.schema.json").read_text())
    events = [json.loads(message.value or b"") for message in case.read(case.output)]
    for event in events:
        jsonschema.validate(event, schema)
        spans = event["annotations"]["entities"]["spans"]
        assert {"Angela Merkel"} <= {span["text"] for span in spans if span["label"] == "PERSON"}
        for span in spans:
            assert event["text"][span["start"] : span["end"]] == span["text"]
        assert set(event["annotations"]["tone"]["scores"]) == {"negative", "neutral", "positive"}
        assert event["annotations"]["safety"]["flagged"] is False
    assert case.committed() == len(values)
