"""The cases of examples/ pass: what ``glossator test`` says of them is what a reader of the files will see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.examples import KEYS, ROOT
from workers.cli.main import cli

FILES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "examples").glob("*.test.yaml"))


def test_every_case_of_the_examples_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    for variable, key in KEYS.items():
        monkeypatch.setenv(variable, key)
    result = CliRunner().invoke(cli, ["test", "--format", "json", "--junit", str(tmp_path / "report.xml"), *FILES])
    assert result.stderr == ""
    report = json.loads(result.stdout)
    assert [case for case in report["cases"] if not case["passed"]] == []
    assert {case["file"] for case in report["cases"]} == set(FILES)
    assert result.exit_code == 0
