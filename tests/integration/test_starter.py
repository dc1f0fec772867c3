"""The whole product: ``glossator run`` with the shipped models on a real broker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.integration.lib import Case, eventually
from tests.stream.telemetry.test_table import require_table

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]


def reported(log: Path) -> list[dict[str, Any]]:
    """The lines of the log that have fields for programs."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    return [line for line in lines if "kind" in line]


def scraped(log: Path) -> str:
    """The metrics of the worker that writes ``log``."""
    (address,) = re.findall(r"http://127\.0\.0\.1:\d+/metrics", log.read_text())
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def require_metrics(text: str, events: int) -> None:
    """Require what the table of metrics says, and numbers that fit ``events`` events, one of them a dead letter."""
    rare = {"redacted", "routed", "disagreements"}
    rare |= {f"shadow_{name}" for name in ("events", "flagged", "labels")}
    families = require_table(
        text,
        absent=frozenset(
            {"glossator_stuck", "glossator_waiting", "glossator_drift"} | {f"glossator_{name}_total" for name in rare}
        ),
    )
    assert "Merkel" not in text
    values = {
        (
            sample.name,
            *(value for label, value in sorted(sample.labels.items()) if label not in {"pipeline", "slot"}),
        ): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert values["glossator_event_latency_seconds_count",] == values["glossator_event_age_seconds_count",] == events
    assert values["glossator_micro_batch_events_sum",] == events
    assert values["glossator_forward_seconds_count", "starter"] > 0
    assert values["glossator_task_events_total", "tone"] == events - 1
    assert values["glossator_task_seconds_total", "entities"] > 0
    assert values["glossator_labels_total", "PERSON", "entities"] >= 4
    tones = [value for name, value in values.items() if name[0] == "glossator_labels_total" and name[2] == "tone"]
    assert sum(tones) == events - 1
    assert any(name[0] == "glossator_config_info" and name[2:] == ("cpu", "float32") for name in values)


def require_reports(lines: list[dict[str, Any]], case: Case, file: Path, events: int) -> None:
    """Require the lines of the start, the minutes and the end."""
    by_kind = {line["kind"]: line for line in lines}
    always = {"version", "pipeline", "brokers", "plan", "partitions", "summary", "total"}
    assert by_kind.keys() - {"precision"} == always  # a precision is chosen only where the processor has bfloat16
    assert (by_kind["pipeline"]["pipeline"], by_kind["pipeline"]["file"]) == (case.group, str(file))
    assert (by_kind["brokers"]["inputs"], by_kind["brokers"]["outputs"]) == ([case.input], [case.output])
    assert [stage["trunk"] for stage in by_kind["plan"]["stages"]] == ["starter"]
    assigned = [line["partitions"] for line in lines if line.get("change") == "assigned"]
    assert {*assigned[-1]} == {f"{case.input}[0]", f"{case.input}[1]"}
    assert (by_kind["total"]["events"], by_kind["total"]["dead_letters"]) == (events, 1)


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
    with pipeline.open("a") as file:
        file.write("telemetry: {port: 0, summary_seconds: 1}\n")
    with (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "workers.cli.main", "run", str(pipeline), "--log-format", "json"],
            env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": real_kafka.bootstrap_servers},
            stderr=log,
        )
    try:
        eventually(lambda: case.count(case.output) + case.count(case.dead) == len(values), within=120)
        eventually(lambda: any(line["kind"] == "summary" and line["seconds"] for line in reported(tmp_path / "log")))
        metrics = scraped(tmp_path / "log")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0
    finally:
        worker.kill()
        worker.wait()
    logged = (tmp_path / "log").read_text()
    assert "Merkel" not in logged
    assert "4 enriched, 1 dead letters" in logged
    require_metrics(metrics, len(values))
    require_reports(reported(tmp_path / "log"), case, pipeline, len(values))
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
