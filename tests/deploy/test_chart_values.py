"""What can be said of the Helm chart without helm: its values are described, and its examples are pipelines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from schemas.pipeline.loader import parse_file
from stream.kafka.checking import client_mistakes
from tests.deploy.chart import CHART, SCHEMA, VALUE_FILES, read


def pipeline_of(values: Any) -> str:
    """Return the text that the chart mounts."""
    if isinstance(values["pipeline"], str):
        return values["pipeline"]
    return json.dumps(values["pipeline"])  # JSON is YAML


def described(values: Any, schema: Any, path: str = "") -> list[str]:
    """Return the paths of values that the schema does not know, and of those in the schema without a default."""
    properties = schema.get("properties")
    if properties is None:
        return []
    missing = [f"{path}{name}" for name in {*values} ^ {*properties}]
    return missing + [
        inner
        for name in {*values} & {*properties}
        if isinstance(values[name], dict)
        for inner in described(values[name], properties[name], f"{path}{name}.")
    ]


def test_the_schema_is_one_and_describes_every_value() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    defaults = read(CHART / "values.yaml")
    jsonschema.validate(defaults, SCHEMA)
    optional = {f"probes.{probe}.{name}" for probe in ("startup", "liveness", "readiness") for name in (
        "initialDelaySeconds", "successThreshold")}  # fmt: skip
    assert set(described(defaults, SCHEMA)) - optional == {"global"}, "helm adds global to the values of each chart"


def test_every_value_has_a_use() -> None:
    used = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    for name in SCHEMA["properties"]:
        assert f".Values.{name}" in used or name == "global", name


def test_every_value_is_in_an_example() -> None:
    """What helm makes of the examples is checked against the schemas of Kubernetes."""
    assert set().union(*map(read, VALUE_FILES)) | {"global"} == set(SCHEMA["properties"])


@pytest.mark.parametrize("file", VALUE_FILES, ids=lambda file: file.stem)
def test_examples_are_values_and_their_pipelines_pass_lint(file: Path) -> None:
    values = read(file)
    jsonschema.validate(values, SCHEMA)
    text = pipeline_of(values)
    environment = {"KAFKA_PASSWORD": "secret", "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}
    parse_file(text, "pipeline.yaml", environment, check=client_mistakes)


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": 3},
        {"replicaCount": "3"},
        {"image": {"digest": "latest"}},
        {"cache": {"kind": "nfs"}},
        {"telemetry": {"port": 80}},
        {"files": {"pipeline.yaml": ""}},
        {"files": {"a/b.py": ""}},
        {"autoscaling": {"triggerMetadata": {"tls": True}}},
    ],
    ids=str,
)
def test_values_that_make_no_sense_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, SCHEMA)


def test_the_chart_is_of_this_version() -> None:
    import tomllib

    project = tomllib.loads((CHART.parents[2] / "pyproject.toml").read_text())["project"]
    assert YAML(typ="safe").load(CHART / "Chart.yaml")["appVersion"] == project["version"]
