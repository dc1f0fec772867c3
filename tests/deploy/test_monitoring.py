"""The dashboard and the alert rules use metrics and labels that exist, and Prometheus can read and run them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stream.telemetry.table import TABLE
from tests.deploy.chart import tool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/rules.yml"
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/glossator.json").read_text())
ALWAYS = {"pipeline", "slot", "job", "instance", "le"}
ROWS = {row.name: row for row in TABLE}
ROWS |= {f"{row.name}_{part}": row for row in TABLE for part in ("bucket", "sum", "count") if row.kind == "histogram"}
OTHERS = {"process_resident_memory_bytes"}
"""Metrics of the process that are used, which the Prometheus client makes."""


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Every query with the text that is shown with its result."""
    for rule in read(RULES)["groups"][0]["rules"]:
        shown = " ".join(re.findall(r"\{\{.*?\}\}", str(rule["annotations"]))).replace("$labels.", "")
        yield rule["expr"], re.sub(r"\{\{ *\$value.*?\}\}", "", shown)
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for note in DASHBOARD["annotations"]["list"]:
        yield note["expr"], note["titleFormat"]


def names(text: str) -> set[str]:
    return set(re.findall(r"\b(?:glossator|process)_\w+", text))


@pytest.mark.parametrize(("query", "shown"), list(expressions()))
def test_metrics_and_labels_of_queries_exist(query: str, shown: str) -> None:
    metrics = names(query)
    assert metrics, "a query uses a metric"
    assert metrics <= ROWS.keys() | OTHERS
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query))
    for group in re.findall(r"\b(?:by|on|without|group_left|ignoring) *\(([^)]*)\)", query):
        labels |= set(re.findall(r"\w+", group))
    labels |= set(re.findall(r"\{\{ *(\w+) *\}\}", shown))
    assert labels <= ALWAYS.union(*(ROWS[name].labels for name in metrics if name in ROWS))


def test_the_variables_of_the_dashboard_are_labels() -> None:
    used = set(re.findall(r"\$(\w+)", json.dumps(DASHBOARD["panels"]))) - {"__rate_interval"}
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert used <= variables.keys()
    for name, variable in variables.items():
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variable["definition"]).groups()  # type: ignore[union-attr]
            assert label == name
            assert label in {*ROWS[metric].labels, *ALWAYS}


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    """Those of comparisons and traces have a page of their own."""
    used = set().union(*(names(query) for query, _ in expressions()))
    elsewhere = re.compile(r"glossator_(shadow|disagreements|records_read|spans)")
    missing = {row.name for row in TABLE if not any(name in used for name, of in ROWS.items() if of is row)}
    assert {name for name in missing if not elsewhere.match(name)} <= {"glossator_in_flight_bytes"}


def test_panels_have_titles_and_explanations_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_compose_mounts_what_is_there() -> None:
    services = read(ROOT / "deploy/monitoring.yml")["services"]
    for service in services.values():
        mounts = [volume.split(":") for volume in service["volumes"] if volume.startswith("./")]
        assert mounts
        assert all((ROOT / mount[0]).is_dir() for mount in mounts)
    provider = read(ROOT / "deploy/grafana/provisioning/dashboards/glossator.yml")["providers"][0]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in services["grafana"]["volumes"]
    scraped = read(ROOT / "deploy/prometheus/prometheus.yml")["scrape_configs"][0]["dns_sd_configs"][0]
    worker = read(ROOT / "docker-compose.yml")["services"]["worker"]
    assert scraped["names"] == ["worker"]
    assert worker["ports"][0].endswith(f":{scraped['port']}")


def test_grafana_knows_every_field_of_the_dashboard_and_misses_none(tmp_path: Path) -> None:
    grafana = tool("grafana-schema")
    require(grafana, ROOT / "deploy/grafana/dashboards/glossator.json")
    file = tmp_path / "misspelt.json"
    file.write_text(json.dumps({**DASHBOARD, "titel": "glossator"}))
    assert subprocess.run([grafana, file], capture_output=True, check=False).returncode == 1


@pytest.fixture
def promtool() -> str:
    if (path := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed")
    return path


def require(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_the_rules_and_the_configuration(promtool: str) -> None:
    require(promtool, "check", "rules", "--lint=all", "--lint-fatal", RULES)
    require(promtool, "check", "config", ROOT / "deploy/prometheus/prometheus.yml")


def test_alerts_fire_when_they_should_and_only_then(promtool: str) -> None:
    require(promtool, "test", "rules", ROOT / "deploy/prometheus/rules.test.yml")


def test_every_alert_is_tested() -> None:
    tested = {
        test["alertname"]
        for group in read(ROOT / "deploy/prometheus/rules.test.yml")["tests"]
        for test in group["alert_rule_test"]
        if test["exp_alerts"]
    }
    assert tested == {rule["alert"] for rule in read(RULES)["groups"][0]["rules"]}


def test_the_page_lists_every_alert_with_its_severity() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    rows = re.findall(r"^\| `(Glossator\w+)` \| (\w+) \|", page, re.MULTILINE)
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in read(RULES)["groups"][0]["rules"]]


def test_prometheus_reads_the_queries_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    queries = {query.replace("$__rate_interval", "5m").replace("$", "") for query, _ in expressions()}
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(sorted(queries))]
    file = tmp_path / "queries.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    require(promtool, "check", "rules", "--lint=none", file)
