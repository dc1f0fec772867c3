"""A real Prometheus scrapes a worker's endpoint, evaluates the alert rules, and answers the dashboard's queries."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_monitoring import RULES, panels
from tests.integration.lib import eventually
from tests.kafka.node import free_ports
from tests.noop import pipeline
from tests.stream.telemetry.test_table import full
from workers.web.server import serve

QUIET = re.compile(r"glossator_paused.* > 0|glossator_cache_lookups_total.* > 0")
"""Queries of the dashboard that find nothing while nothing is paused or looked up."""


class Prometheus:
    def __init__(self, folder: Path, target: str) -> None:
        (self.port,) = free_ports(1)
        scraping = {"job_name": "glossator", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}
        config = {"global": {"evaluation_interval": "1s"}, "rule_files": [str(RULES)], "scrape_configs": [scraping]}
        (folder / "prometheus.json").write_text(json.dumps(config))  # JSON is YAML
        self.process = subprocess.Popen(
            ["prometheus", "--config.file", folder / "prometheus.json", "--storage.tsdb.path", folder / "data",
             "--web.listen-address", f"127.0.0.1:{self.port}", "--log.level", "error"]
        )  # fmt: skip

    def ask(self, path: str, **query: str) -> Any:
        """The data of an answer; None while there is none."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 503:  # it is still starting
                    return None
                raise AssertionError(error.read().decode()) from None
        except OSError:
            return None

    def finds(self, query: str) -> list[Any]:
        answer = self.ask("query", query=query)
        return [] if answer is None else list(answer["result"])


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed")
    stats = full()
    stats.turned = time.monotonic()
    server = serve(pipeline(telemetry={"port": 0}), stats, 0)
    assert server is not None
    running = Prometheus(tmp_path, f"127.0.0.1:{server.address[1]}")
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        server.close()


def test_prometheus_scrapes_and_answers(prometheus: Prometheus) -> None:
    eventually(lambda: bool(prometheus.finds("glossator_build_info")))
    eventually(lambda: {rule["health"] for rule in rules(prometheus)} == {"ok"})
    assert len(rules(prometheus)) == RULES.read_text().count("- alert:")
    for panel in panels():
        for query in (target["expr"] for target in panel["targets"] if not QUIET.search(target["expr"])):
            plain = re.sub(r"\$(pipeline|slot|task)", ".*", query.replace("$__rate_interval", "1m"))
            eventually(lambda query=plain: bool(prometheus.finds(query)), within=30)  # type: ignore[misc]


def rules(prometheus: Prometheus) -> list[dict[str, Any]]:
    return [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
